// How many bytes somebody may still write, or files make: so many a second, with a burst.
#pragma once

#include <algorithm>
#include <cstddef>

#include "privsep/base/types.h"

namespace ntpward::supervisor {

class Allowance {
 public:
  constexpr Allowance(double bytes_per_second, double burst)
      : rate_(bytes_per_second), burst_(burst), left_(burst) {}

  // True when `bytes` may be written at `now`; they are then counted.
  bool Take(size_t bytes, MonoTime now) {
    left_ = std::min(burst_, left_ + std::max(0.0, now - as_of_) * rate_);
    as_of_ = now;
    if (left_ < static_cast<double>(bytes)) return false;
    left_ -= static_cast<double>(bytes);
    return true;
  }

 private:
  double rate_;
  double burst_;
  double left_;
  MonoTime as_of_;
};

}  // namespace ntpward::supervisor
