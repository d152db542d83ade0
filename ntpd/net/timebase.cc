#include "ntpd/net/timebase.h"

#include <algorithm>
#include <cmath>

#include "privsep/supervisor_link.h"

namespace ntpward::net {

MonoTime Timebase::Mono() { return MonotonicNow(); }

NtpDuration Timebase::Correction() const {
  return NtpDuration::FromSeconds(msg::CorrectionAt(state_, Mono()));
}

NtpTimestamp Timebase::Now() const { return SystemTimeNow() + Correction(); }

NtpTimestamp Timebase::FromSystem(const timespec& system_time) const {
  return NtpTimestamp::FromUnix(system_time) + Correction();
}

int8_t Timebase::MeasurePrecision() {
  // The least step between two readings, over enough of them that one interruption does not count.
  double least = 1;
  for (int i = 0; i < 1000; ++i) {
    timespec a{};
    timespec b{};
    clock_gettime(CLOCK_REALTIME, &a);
    clock_gettime(CLOCK_REALTIME, &b);
    const double step =
        static_cast<double>(b.tv_sec - a.tv_sec) + static_cast<double>(b.tv_nsec - a.tv_nsec) / 1e9;
    if (step > 0) least = std::min(least, step);
  }
  return static_cast<int8_t>(std::clamp(std::ceil(std::log2(least)), -30.0, -1.0));
}

}  // namespace ntpward::net
