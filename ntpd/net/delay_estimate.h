// How long something usually takes that is over only after its time stamp had to be written.
#pragma once

#include <array>
#include <cstddef>

#include "privsep/base/types.h"

namespace ntpward::net {

// The median of the last samples: one that the scheduler held up changes nothing.
class DelayEstimate {
 public:
  static constexpr size_t kSamples = 15;
  static constexpr double kMost = 1.0 / 64;  // s; more is no measurement, as is less than 0

  void Add(double seconds);
  // 0 before the first sample.
  NtpDuration Value() const { return NtpDuration::FromSeconds(median_); }

 private:
  std::array<double, kSamples> samples_{};
  size_t count_ = 0;  // ever added
  double median_ = 0;
};

}  // namespace ntpward::net
