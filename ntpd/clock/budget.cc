#include "ntpd/clock/budget.h"

#include <algorithm>

namespace ntpward::clock {

namespace {

constexpr double kDay = 86400;

}  // namespace

void Budget::Leak(MonoTime now) {
  const double elapsed = std::max(0.0, now - spent_.as_of);
  spent_.steps = std::max(0.0, spent_.steps - elapsed * kStepsPerDay / kDay);
  spent_.seconds_hour = std::max(0.0, spent_.seconds_hour - elapsed * kSlewSecondsPerHour / 3600);
  spent_.seconds_day = std::max(0.0, spent_.seconds_day - elapsed * kSlewSecondsPerDay / kDay);
  spent_.as_of = now;
}

bool Budget::TakeStep(MonoTime now) {
  Leak(now);
  if (spent_.steps + 1 > kStepsPerDay) return false;
  spent_.steps += 1;
  return true;
}

bool Budget::TakeStepDistance(double seconds, double limit, MonoTime now) {
  decltype(spent_.day) day;
  double sum = seconds;
  for (const msg::ClockStep& step : spent_.day) {
    // A clock that ran backwards forgives nothing.
    if (now - step.at >= kDay) continue;
    sum += step.distance;
    (void)day.Push(step);
  }
  if (sum > kStepLimitsPerDay * limit || !day.Push({now, seconds})) return false;
  spent_.day = day;
  return true;
}

bool Budget::TakeSlew(double seconds, MonoTime now) {
  Leak(now);
  if (spent_.seconds_hour + seconds > kSlewSecondsPerHour ||
      spent_.seconds_day + seconds > kSlewSecondsPerDay)
    return false;
  spent_.seconds_hour += seconds;
  spent_.seconds_day += seconds;
  return true;
}

void Budget::ReturnSlew(double seconds) {
  spent_.seconds_hour = std::max(0.0, spent_.seconds_hour - seconds);
  spent_.seconds_day = std::max(0.0, spent_.seconds_day - seconds);
}

}  // namespace ntpward::clock
