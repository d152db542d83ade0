#include "ntpd/clock/virtual_clock.h"

namespace ntpward::clock {

VirtualClock::VirtualClock(const msg::ClockStart& start, MonoTime now,
                           SystemTime system_unix_seconds)
    : system_unix_seconds_(system_unix_seconds) {
  state_.is_virtual = true;
  state_.since = now;
  state_.correction = start.initial_correction;
  state_.frequency = start.frequency;
  state_.simulated_error = start.simulated_error;
}

void VirtualClock::Rebase(MonoTime now) {
  const double correction = msg::CorrectionAt(state_, now);
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

Status VirtualClock::SetStatus(const msg::ClockAdjust&) { return {}; }

msg::ClockState VirtualClock::State(MonoTime now) const {
  VirtualClock copy = *this;
  copy.Rebase(now);
  return copy.state_;
}

}  // namespace ntpward::clock
