// A clock that can be moved: the kernel's or a virtual one. Nothing here judges; guard.h does.
#pragma once

#include "privsep/base/result.h"
#include "privsep/msg/clock.h"

namespace ntpward::clock {

class Device {
 public:
  virtual ~Device() = default;

  // Seconds since 1970 that the clock shows.
  virtual double UnixSeconds(MonoTime now) const = 0;

  // ppm, -500..500; holds until changed.
  virtual Status SetFrequency(Ppm frequency, MonoTime now) = 0;
  // Replaces what is left of the last slew. Ends by itself, whatever becomes of this process.
  virtual Status Slew(double seconds, MonoTime now) = 0;
  virtual Status Step(double seconds, MonoTime now) = 0;
  // What others on this machine read with adjtimex: synchronised or not, errors in seconds, leap
  // (0 none, 1 insert, 2 delete), TAI offset where given.
  virtual Status SetStatus(const msg::ClockAdjust& request, MonoTime now) = 0;

  // Everything but `request` and `refusal`.
  virtual msg::ClockState State(MonoTime now) const = 0;
};

}  // namespace ntpward::clock
