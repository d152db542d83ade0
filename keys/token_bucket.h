// A rate limit: `burst` at once, `rate` a second in the long run.
#pragma once

#include <algorithm>

#include "privsep/base/types.h"

namespace ntpward::keys {

class TokenBucket {
 public:
  TokenBucket(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}

  // Takes one token; false when there is none. Time that goes backwards adds none.
  bool Take(MonoTime now) {
    if (now > last_) {
      tokens_ = std::min(burst_, tokens_ + (now - last_) * rate_);
      last_ = now;
    }
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double rate_;
  double burst_;
  double tokens_;
  MonoTime last_;
};

}  // namespace ntpward::keys
