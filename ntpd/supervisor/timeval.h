// Seconds as libevent wants them.
#pragma once

#include <sys/time.h>

#include <cmath>

namespace ntpward::supervisor {

inline timeval ToTimeval(double seconds) {
  timeval value{};
  value.tv_sec = static_cast<time_t>(seconds);
  value.tv_usec = static_cast<suseconds_t>((seconds - std::floor(seconds)) * 1e6);
  return value;
}

}  // namespace ntpward::supervisor
