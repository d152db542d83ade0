// The system's clock, through clock_adjtime(2) alone. Needs CAP_SYS_TIME.
#pragma once

#include "ntpd/clock/device.h"

namespace ntpward::clock {

class KernelClock : public Device {
 public:
  double UnixSeconds(MonoTime now) const override;
  Status SetFrequency(Ppm frequency, MonoTime now) override;
  // adjtime's mode: 500 ppm, whole microseconds; the rest below one is kept for the next slew.
  Status Slew(double seconds, MonoTime now) override;
  Status Step(double seconds, MonoTime now) override;
  Status SetStatus(const msg::ClockAdjust& request, MonoTime now) override;
  msg::ClockState State(MonoTime now) const override;

  // True when this process may move the clock; changes nothing.
  static bool Allowed();

 private:
  Ppm frequency_;
  double slew_ = 0;
  MonoTime slew_since_;
  double microsecond_rest_ = 0;  // seconds
};

}  // namespace ntpward::clock
