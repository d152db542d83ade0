// A clock beside the system's: system time plus a correction that follows the same rules as the
// kernel's clock would. Nothing on the machine is changed.
#pragma once

#include "ntpd/clock/device.h"

namespace ntpward::clock {

class VirtualClock : public Device {
 public:
  // `system_unix_seconds` reads the system's clock; tests pass their own.
  using SystemTime = double (*)();
  VirtualClock(const msg::ClockStart& start, MonoTime now, SystemTime system_unix_seconds);

  double UnixSeconds(MonoTime now) const override;
  Status SetFrequency(Ppm frequency, MonoTime now) override;
  Status Slew(double seconds, MonoTime now) override;
  Status Step(double seconds, MonoTime now) override;
  Status SetStatus(const msg::ClockAdjust& request) override;
  msg::ClockState State(MonoTime now) const override;

 private:
  // Restates the same course of time as of `now`.
  void Rebase(MonoTime now);

  msg::ClockState state_;
  SystemTime system_unix_seconds_;
};

}  // namespace ntpward::clock
