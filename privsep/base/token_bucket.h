// A rate limit: `burst` at once, `rate` a second in the long run.
#pragma once

#include <algorithm>

#include "privsep/base/types.h"

namespace ntpward {

class TokenBucket {
 public:
  TokenBucket(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}

  // Takes `count` tokens; false, and takes none, when there are fewer. Time that goes backwards
  // adds none. A count above the burst is as much as the burst.
  bool Take(MonoTime now, double count = 1) {
    if (now > last_) {
      tokens_ = std::min(burst_, tokens_ + (now - last_) * rate_);
      last_ = now;
    }
    count = std::min(count, burst_);
    if (tokens_ < count) return false;
    tokens_ -= count;
    return true;
  }

 private:
  double rate_;
  double burst_;
  double tokens_;
  MonoTime last_;
};

}  // namespace ntpward
