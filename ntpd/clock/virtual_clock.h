// A clock beside the system's: system time plus a correction that follows the same rules as the
// kernel's clock would. Nothing on the machine is changed.
#pragma once

#include "ntpd/clock/device.h"

namespace ntpward::clock {

class VirtualClock : public Device {
 public:
  // `system_unix_seconds` reads the system's clock, `system_leaps` says whether somebody told it of
  // the leap second of this day, so that it will take it by itself; tests pass their own.
  using SystemTime = double (*)();
  using SystemLeaps = bool (*)();
  VirtualClock(const msg::ClockStart& start, MonoTime now, SystemTime system_unix_seconds,
               SystemLeaps system_leaps);

  double UnixSeconds(MonoTime now) const override;
  Status SetFrequency(Ppm frequency, MonoTime now) override;
  Status Slew(double seconds, MonoTime now) override;
  Status Step(double seconds, MonoTime now) override;
  Status SetStatus(const msg::ClockAdjust& request, MonoTime now) override;
  msg::ClockState State(MonoTime now) const override;

 private:
  // Restates the same course of time as of `now`.
  void Rebase(MonoTime now);
  void ArmLeap(uint8_t leap, MonoTime now);

  msg::ClockState state_;
  bool leap_done_ = false;  // the announced leap second is over; the announcement may last a little
  SystemTime system_unix_seconds_;
  SystemLeaps system_leaps_;
};

}  // namespace ntpward::clock
