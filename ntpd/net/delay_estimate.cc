#include "ntpd/net/delay_estimate.h"

#include <algorithm>

namespace ntpward::net {

void DelayEstimate::Add(double seconds) {
  if (!(seconds >= 0 && seconds <= kMost)) return;
  samples_[count_++ % kSamples] = seconds;
  std::array<double, kSamples> sorted = samples_;
  const auto used = static_cast<std::ptrdiff_t>(std::min(count_, kSamples));
  const auto middle = sorted.begin() + used / 2;
  std::nth_element(sorted.begin(), middle, sorted.begin() + used);
  median_ = *middle;
}

}  // namespace ntpward::net
