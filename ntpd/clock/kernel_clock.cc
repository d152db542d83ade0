#include "ntpd/clock/kernel_clock.h"

#include <errno.h>
#include <sys/timex.h>
#include <time.h>

#include <cmath>
#include <string>

#include "privsep/base/system_error.h"
#include "privsep/capabilities.h"

namespace ntpward::clock {
namespace {

// timex.freq is ppm with a 16-bit fraction (adjtimex(2)).
constexpr double kFrequencyUnit = 65536.0;

Status Adjust(timex* request, const char* what) {
  if (clock_adjtime(CLOCK_REALTIME, request) < 0) return FailErrno(what);
  return {};
}

int LeapStatus(uint8_t leap) { return leap == 1 ? STA_INS : leap == 2 ? STA_DEL : 0; }

}  // namespace

bool KernelClock::Allowed() { return HasCapability(CAP_SYS_TIME); }

double KernelClock::UnixSeconds(MonoTime) const {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Status KernelClock::SetFrequency(Ppm frequency, MonoTime) {
  timex request{};
  request.modes = ADJ_FREQUENCY;
  request.freq = std::lround(frequency.value * kFrequencyUnit);
  TRY_VOID(Adjust(&request, "set the frequency"));
  frequency_ = frequency;
  return {};
}

Status KernelClock::Slew(double seconds, MonoTime now) {
  const double wanted = seconds + microsecond_rest_;
  timex request{};
  request.modes = ADJ_OFFSET_SINGLESHOT;
  request.offset = static_cast<long>(wanted * 1e6);  // towards zero
  TRY_VOID(Adjust(&request, "slew"));
  microsecond_rest_ = wanted - static_cast<double>(request.offset) / 1e6;
  if (std::fabs(microsecond_rest_) > 1e-6) microsecond_rest_ = 0;
  slew_ = seconds;
  slew_since_ = now;
  return {};
}

Status KernelClock::Step(double seconds, MonoTime) {
  timex request{};
  request.modes = ADJ_SETOFFSET | ADJ_NANO;
  // tv_usec holds nanoseconds here and must be in 0..999999999 for negative steps too.
  const double whole = std::floor(seconds);
  request.time.tv_sec = static_cast<time_t>(whole);
  request.time.tv_usec = std::lround(std::fmin((seconds - whole) * 1e9, 999999999));
  TRY_VOID(Adjust(&request, "step"));
  slew_ = 0;
  microsecond_rest_ = 0;
  return {};
}

Status KernelClock::SetStatus(const msg::ClockAdjust& wanted, MonoTime) {
  timex request{};
  request.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR;
  request.status = (wanted.synchronised ? 0 : STA_UNSYNC) | LeapStatus(wanted.leap.value_or(0));
  request.maxerror = std::lround(std::fmin(wanted.maximum_error, 16) * 1e6);
  request.esterror = std::lround(std::fmin(wanted.estimated_error, 16) * 1e6);
  TRY_VOID(Adjust(&request, "set the clock's status"));
  if (!wanted.tai) return {};
  timex tai{};
  tai.modes = ADJ_TAI;
  tai.constant = *wanted.tai;
  return Adjust(&tai, "set the TAI offset");
}

msg::ClockState KernelClock::State(MonoTime now) const {
  msg::ClockState state;
  state.since = slew_since_;
  state.slew = slew_;
  state.slew -= msg::SlewDone(state, now);
  state.since = now;
  state.frequency = frequency_;
  return state;
}

}  // namespace ntpward::clock
