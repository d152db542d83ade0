// How much the clock may be moved over time, so that an honest month never exhausts it and a
// taken-over net cannot move the clock far: leaky buckets, and for steps their sum over any 24
// hours.
#pragma once

#include "privsep/msg/clock.h"

namespace ntpward::clock {

// An honest daemon steps once at start, and then when its host was suspended or its server jumped.
inline constexpr double kStepsPerDay = 8;
// All steps of any 24 hours together, forwards and backwards, as a multiple of the limit of one:
// room for a step and for its correction when the server was wrong.
inline constexpr double kStepLimitsPerDay = 2;
// What adjtime can do at its 500 ppm, and a little.
inline constexpr double kSlewSecondsPerHour = 2.0;
inline constexpr double kSlewSecondsPerDay = 45.0;

class Budget {
 public:
  // `spent` is what a predecessor had spent.
  explicit Budget(const msg::ClockBudget& spent) : spent_(spent) {}

  // True when one more step is allowed; it is then counted.
  bool TakeStep(MonoTime now);
  // True when a step of `seconds` (absolute) keeps the sum of 24 hours within kStepLimitsPerDay
  // times `limit`; it is then counted.
  bool TakeStepDistance(double seconds, double limit, MonoTime now);
  // True when `seconds` (absolute) may be slewed; it is then counted.
  bool TakeSlew(double seconds, MonoTime now);
  // Gives back what a replaced slew did not use; counts it again when negative.
  void ReturnSlew(double seconds);

  const msg::ClockBudget& spent() const { return spent_; }

 private:
  void Leak(MonoTime now);

  msg::ClockBudget spent_;
};

}  // namespace ntpward::clock
