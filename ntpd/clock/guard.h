// Decides what a request may do to the clock. Trusts nobody: ntpd-net may have been taken over.
//
// A request is applied whole or refused whole. What is over a limit is refused, never trimmed, so
// that net's own idea of the clock stays right.
#pragma once

#include <cmath>
#include <functional>
#include <optional>

#include "ntpd/clock/budget.h"
#include "ntpd/clock/device.h"
#include "privsep/msg/control.h"

namespace ntpward::clock {

inline constexpr double kMaxFrequencyPpm = 500;  // the kernel's own limit (MAXFREQ)
inline constexpr double kMaxSlewSeconds = 1;     // one request; at 500 ppm it lasts 2000 s
// The first slew of -q, which nobody will be here to renew; at 500 ppm it lasts 14 days.
inline constexpr double kMaxFirstSlewSeconds = 600;
inline constexpr double kTaiInterval = 86400;  // least seconds between changes of the TAI offset
inline constexpr double kTaiTolerance =
    5;  // seconds that a change of the operator's table may be off
// The clock is never set before this program was made (seconds since 1970: 2026-11-22).
inline constexpr double kBuildDate = 1795305600;

class Guard {
 public:
  explicit Guard(const msg::ClockStart& start)
      : start_(start),
        gate_open_(start.first_step_free),
        first_slew_limit_(std::fmin(start.first_slew_limit, kMaxFirstSlewSeconds)),
        tai_(start.tai),
        tai_changed_(start.tai_changed),
        budget_(start.budget) {}

  // The operator's table: while it lasts only its own offset is taken, whatever the one before.
  // Empty: there is none. An offset has to be possible then, and to move by one second a day.
  void SetLeapTable(const msg::LeapTable& table) { leap_table_ = table; }

  // Tells the supervisor; false when that cannot be done now.
  using Tell = std::function<bool(const msg::ClockMirror&)>;

  // Applies all of `request` to the device or nothing of it. The state says which, and why not.
  // Whatever counts against a budget or shuts the gate is told by `tell` first, and refused when
  // that fails: this process may be killed at any moment, and a successor must know what was spent.
  msg::ClockState Apply(const msg::ClockAdjust& request, Device* device, MonoTime now,
                        const Tell& tell);

  // What a successor must be told.
  msg::ClockMirror Mirror(const Device& device, MonoTime now) const;

 private:
  msg::ClockRefusal Judge(const msg::ClockAdjust& request, double unix_seconds, MonoTime now) const;
  msg::ClockRefusal JudgeStep(double seconds, double unix_seconds) const;
  msg::ClockRefusal JudgeTai(int16_t tai, double unix_seconds, MonoTime now) const;
  // What is left of the budgets after `request`, or which of them it exceeds.
  Result<Budget, msg::ClockRefusal> Spend(const msg::ClockAdjust& request, const Device& device,
                                          MonoTime now) const;
  msg::ClockRefusal CarryOut(const msg::ClockAdjust& request, Device* device, MonoTime now,
                             const Tell& tell);
  Status Move(const msg::ClockAdjust& request, Device* device, MonoTime now);
  void Remember(const msg::ClockAdjust& request, MonoTime now);
  // Slews by more than any other request may, and no more than the first correction of -q may.
  bool IsLargeFirstSlew(const msg::ClockAdjust& request) const;

  msg::ClockStart start_;
  bool gate_open_;           // -g: shuts for good at the first correction
  double first_slew_limit_;  // -q: the same, then 0
  uint8_t leap_ = 0;         // announced until the day is over or a step makes it another day
  std::optional<int16_t> tai_;
  std::optional<MonoTime> tai_changed_;
  msg::LeapTable leap_table_;
  Budget budget_;
};

}  // namespace ntpward::clock
