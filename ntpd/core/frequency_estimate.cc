#include "ntpd/core/frequency_estimate.h"

#include <algorithm>
#include <cmath>

namespace ntpward::core {

void FrequencyEstimate::Reset(MonoTime origin) {
  *this = FrequencyEstimate();
  origin_ = origin;
}

void FrequencyEstimate::Add(MonoTime time, double offset, double deviation) {
  const double t = time - origin_;
  const double weight = 1 / (deviation * deviation);
  ++count_;
  span_ = std::max(span_, t);
  w_ += weight;
  wt_ += weight * t;
  wx_ += weight * offset;
  wtt_ += weight * t * t;
  wtx_ += weight * t * offset;
}

std::optional<FrequencyEstimate::Line> FrequencyEstimate::Fit(double span) const {
  const double determinant = w_ * wtt_ - wt_ * wt_;
  if (count_ < 3 || span_ < span || !(determinant > 0)) return std::nullopt;
  return Line{(w_ * wtx_ - wt_ * wx_) / determinant, std::sqrt(w_ / determinant)};
}

}  // namespace ntpward::core
