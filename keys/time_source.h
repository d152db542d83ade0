// The clocks that the key process reads: an interface, so that tests can set them.
#pragma once

#include "privsep/base/types.h"

namespace ntpward::keys {

class TimeSource {
 public:
  virtual ~TimeSource() = default;
  // The system's clock (CLOCK_REALTIME).
  virtual NtpTimestamp System() = 0;
  virtual MonoTime Monotonic() = 0;
};

}  // namespace ntpward::keys
