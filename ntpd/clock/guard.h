// Decides what a request may do to the clock. Trusts nobody: ntpd-net may have been taken over.
//
// A request is applied whole or refused whole. What is over a limit is refused, never trimmed, so
// that net's own idea of the clock stays right.
#pragma once

#include <optional>

#include "ntpd/clock/budget.h"
#include "ntpd/clock/device.h"

namespace ntpward::clock {

inline constexpr double kMaxFrequencyPpm = 500;  // the kernel's own limit (MAXFREQ)
inline constexpr double kMaxSlewSeconds = 1;     // one request; at 500 ppm it lasts 2000 s
// The clock is never set before this program was made (seconds since 1970: 2026-11-22).
inline constexpr double kBuildDate = 1795305600;

class Guard {
 public:
  explicit Guard(const msg::ClockStart& start)
      : start_(start), first_step_free_(start.first_step_free), budget_(start.budget) {}

  // Applies all of `request` to the device or nothing of it. The state says which, and why not.
  msg::ClockState Apply(const msg::ClockAdjust& request, Device* device, MonoTime now);

  // What a successor must be told.
  msg::ClockMirror Mirror(const Device& device, MonoTime now) const;

 private:
  msg::ClockRefusal Judge(const msg::ClockAdjust& request, const Device& device, MonoTime now);
  msg::ClockRefusal JudgeStep(double seconds, double unix_seconds) const;
  msg::ClockRefusal JudgeLeap(const msg::ClockAdjust& request, double unix_seconds) const;
  // Spends from the budgets; only after everything else was found good.
  msg::ClockRefusal Spend(const msg::ClockAdjust& request, const Device& device, MonoTime now);
  static Status Move(const msg::ClockAdjust& request, Device* device, MonoTime now);

  msg::ClockStart start_;
  bool first_step_free_;  // -g's gate: shuts for good after the first step
  bool first_step_used_ = false;
  std::optional<int16_t> tai_;
  Budget budget_;
};

}  // namespace ntpward::clock
