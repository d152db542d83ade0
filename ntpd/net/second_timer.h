// Seconds of the interval timer that passed without anybody serving it, as ntpd 4.2.8 counts its
// overruns: the process was stopped, or busy with something else.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "privsep/base/types.h"

namespace ntpward::net {

class SecondTimer {
 public:
  // The timer of one second is served at `now`: how many of its seconds had gone by unserved.
  uint64_t OnSecond(MonoTime now) {
    const double passed = last_ ? now - *last_ : 1;
    last_ = now;
    return passed < 2 ? 0 : static_cast<uint64_t>(std::floor(passed)) - 1;
  }

 private:
  std::optional<MonoTime> last_;
};

}  // namespace ntpward::net
