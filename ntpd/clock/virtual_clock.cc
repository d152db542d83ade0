#include "ntpd/clock/virtual_clock.h"

#include <cmath>

namespace ntpward::clock {

VirtualClock::VirtualClock(const msg::ClockStart& start, MonoTime now,
                           SystemTime system_unix_seconds, SystemLeaps system_leaps)
    : system_unix_seconds_(system_unix_seconds), system_leaps_(system_leaps) {
  state_.is_virtual = true;
  state_.since = now;
  state_.correction = start.initial_correction;
  state_.frequency = start.frequency;
  state_.simulated_error = start.simulated_error;
}

void VirtualClock::Rebase(MonoTime now) {
  const double correction = msg::CorrectionAt(state_, now);
  if (msg::LeapDone(state_, now) != 0) {
    state_.leap = 0;
    leap_done_ = true;
  }
  state_.slew -= msg::SlewDone(state_, now);
  state_.correction = correction;
  state_.since = now;
}

double VirtualClock::UnixSeconds(MonoTime now) const {
  return system_unix_seconds_() + msg::CorrectionAt(state_, now);
}

Status VirtualClock::SetFrequency(Ppm frequency, MonoTime now) {
  Rebase(now);
  state_.frequency = frequency;
  return {};
}

Status VirtualClock::Slew(double seconds, MonoTime now) {
  Rebase(now);
  state_.slew = seconds;
  return {};
}

Status VirtualClock::Step(double seconds, MonoTime now) {
  Rebase(now);
  state_.correction += seconds;
  state_.slew = 0;
  return {};
}

Status VirtualClock::SetStatus(const msg::ClockAdjust& request, MonoTime now) {
  Rebase(now);
  ArmLeap(request.leap.value_or(0), now);
  return {};
}

// As the kernel does: at midnight a second is inserted by going back to its start, and the last
// second of the day is left out to delete one. Once for each announcement.
void VirtualClock::ArmLeap(uint8_t leap, MonoTime now) {
  state_.leap = 0;
  if (leap == 0) leap_done_ = false;
  if (leap == 0 || leap_done_ || system_leaps_()) return;
  constexpr double kDay = 86400;
  const double time = UnixSeconds(now);
  const double left = (std::floor(time / kDay) + 1) * kDay - time - (leap == 2 ? 1 : 0);
  if (left <= 0) return;
  state_.leap = leap;
  state_.leap_at = now + left;
}

msg::ClockState VirtualClock::State(MonoTime now) const {
  VirtualClock copy = *this;
  copy.Rebase(now);
  return copy.state_;
}

}  // namespace ntpward::clock
