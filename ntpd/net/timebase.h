// The time that this host serves and measures with: the system's, plus the virtual clock's
// correction where there is one.
#pragma once

#include <time.h>

#include "privsep/base/types.h"
#include "privsep/msg/clock.h"

namespace ntpward::net {

class Timebase {
 public:
  // What ntpd-clock said last.
  void SetState(const msg::ClockState& state) { state_ = state; }
  const msg::ClockState& state() const { return state_; }

  static MonoTime Mono();
  NtpTimestamp Now() const;
  // Served time of a kernel timestamp (CLOCK_REALTIME) taken about now.
  NtpTimestamp FromSystem(const timespec& system_time) const;
  // Served time minus system time, now.
  NtpDuration Correction() const;
  // Seconds since 1900 for Autokey; 0 is never returned for a time that is known.
  NtpSeconds Seconds() const { return {Now().seconds()}; }

  // log2 s: how finely the clock can be read, measured once at start (RFC 5905 "precision").
  static int8_t MeasurePrecision();

 private:
  msg::ClockState state_;
};

}  // namespace ntpward::net
