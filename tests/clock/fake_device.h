// A clock that does as it is told, counts what it was told, and fails on demand.
#pragma once

#include "ntpd/clock/device.h"

namespace ntpward::test {

// A supervisor that listens.
inline bool Heard(const msg::ClockMirror&) { return true; }

class FakeDevice : public clock::Device {
 public:
  double unix_seconds = 1800000000;  // 2027-01-15
  double stepped = 0;
  int steps = 0, slews = 0, status_calls = 0;
  bool fail_step = false;
  msg::ClockState state;
  msg::ClockAdjust last_status;

  double UnixSeconds(MonoTime) const override { return unix_seconds; }
  Status SetFrequency(Ppm frequency, MonoTime) override {
    state.frequency = frequency;
    return {};
  }
  Status Slew(double seconds, MonoTime now) override {
    ++slews;
    state.slew = seconds;
    state.since = now;
    return {};
  }
  Status Step(double seconds, MonoTime) override {
    if (fail_step) return Fail("no");
    ++steps;
    stepped += seconds;
    unix_seconds += seconds;
    state.slew = 0;
    return {};
  }
  Status SetStatus(const msg::ClockAdjust& request, MonoTime) override {
    ++status_calls;
    last_status = request;
    return {};
  }
  msg::ClockState State(MonoTime now) const override {
    msg::ClockState current = state;
    current.slew -= msg::SlewDone(state, now);
    current.since = now;
    return current;
  }
};

}  // namespace ntpward::test
