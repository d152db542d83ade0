// The budgets over time: an honest month fits, and what a hostile net gets out of a day is bounded.
#include "ntpd/clock/budget.h"

#include <cmath>
#include <utility>
#include <vector>

#include "ntpd/clock/guard.h"
#include "tests/clock/fake_device.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::clock {
namespace {

constexpr double kDay = 86400;

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

void LeaksWithTimeAndNeverBelowZero(void**) {
  Budget budget({});
  for (int i = 0; i < 8; ++i) assert_true(budget.TakeStep(At(0)));
  assert_false(budget.TakeStep(At(0)));
  assert_false(budget.TakeStep(At(kDay / 8 - 1)));
  assert_true(budget.TakeStep(At(kDay / 8 + 1)));
  assert_true(budget.TakeStep(At(40 * kDay)));
  assert_true(budget.spent().steps == 1);
  budget.ReturnSlew(5);
  assert_true(budget.spent().seconds_hour == 0 && budget.spent().seconds_day == 0);
}

void AClockThatRunsBackwardsLeaksNothing(void**) {
  Budget budget({.steps = 8, .seconds_hour = 0, .seconds_day = 0, .as_of = At(kDay)});
  assert_false(budget.TakeStep(At(0)));
  assert_true(budget.spent().steps == 8);
}

void BoundsTheHourAndTheDay(void**) {
  Budget hour({});
  assert_true(hour.TakeSlew(kSlewSecondsPerHour, At(0)));
  assert_false(hour.TakeSlew(0.01, At(0)));
  Budget day({.steps = 0, .seconds_hour = 0, .seconds_day = kSlewSecondsPerDay, .as_of = At(0)});
  assert_false(day.TakeSlew(0.01, At(1)));
  assert_true(day.TakeSlew(0.01, At(60)));
}

// What an honest net does in a month at its very worst: a step at the start and one a day (a host
// that is suspended each night), and a renewed slew at the full 500 ppm in every second of it.
void AnHonestMonthNeverExhaustsThem(void**) {
  test::FakeDevice device;
  Guard guard({.step_limit = 1000});
  for (int second = 0; second < 30 * 86400; ++second) {
    msg::ClockAdjust request;
    request.slew = second % 2 == 0 ? 500e-6 : 480e-6;
    request.frequency = Ppm{20};
    if (second % 86400 == 0) request.step = 3.0;
    // Ticks are late and early by some milliseconds.
    const double at = second + 0.004 * (second % 5);
    const msg::ClockState state = guard.Apply(request, &device, At(at), test::Heard);
    assert_true(state.refusal == msg::ClockRefusal::kNone);
  }
}

// One step of the limit and another, in whatever direction, then no further for a day.
void StepsOfADayTogetherAreBounded(void**) {
  Budget budget({});
  assert_true(budget.TakeStepDistance(1000, 1000, At(0)));
  assert_true(budget.TakeStepDistance(600, 1000, At(3600)));
  assert_false(budget.TakeStepDistance(401, 1000, At(3601)));
  assert_true(budget.TakeStepDistance(400, 1000, At(3602)));
  assert_false(budget.TakeStepDistance(0.1, 1000, At(kDay - 1)));
  // The first one is a day old: as much as it was is free again.
  assert_false(budget.TakeStepDistance(1000.1, 1000, At(kDay)));
  assert_true(budget.TakeStepDistance(1000, 1000, At(kDay)));
  // A clock that ran backwards forgives nothing.
  assert_false(budget.TakeStepDistance(0.1, 1000, At(0)));
}

void ASuccessorKnowsTheStepsOfTheDay(void**) {
  Budget first({});
  assert_true(first.TakeStepDistance(1500, 1000, At(0)));
  Budget second(first.spent());
  assert_false(second.TakeStepDistance(501, 1000, At(1)));
  assert_true(second.TakeStepDistance(500, 1000, At(1)));
}

// The worst that a taken-over ntpd-net gets out of ten days by steps alone.
void AHostileNetMovesTimeByTwiceTheLimitADay(void**) {
  test::FakeDevice device;
  Guard guard({.step_limit = 1000});
  std::vector<std::pair<double, double>> steps;
  for (int second = 0; second < 10 * 86400; second += 60) {
    for (double wanted = 1000; wanted > 1; wanted /= 2) {
      msg::ClockAdjust request;
      request.step = wanted;
      if (guard.Apply(request, &device, At(second), test::Heard).refusal !=
          msg::ClockRefusal::kNone)
        continue;
      steps.emplace_back(second, wanted);
      break;
    }
    double of_the_day = 0;
    for (const auto& [at, distance] : steps)
      if (second - at < kDay) of_the_day += distance;
    assert_true(of_the_day <= 2000);
  }
  assert_true(device.stepped >= 10 * 1900);
}

// A net that always asks for the most it can get: slews that end, slews that it replaces, steps.
void AHostileDayIsBounded(void**) {
  test::FakeDevice device;
  Guard guard({.step_limit = 10});
  double slewed = 0;
  double last_slew = 0;
  MonoTime last = At(0);
  for (int i = 0; i < 8640; ++i) {
    const MonoTime now = At(i * 10.0);
    msg::ClockState before = device.state;
    before.slew = last_slew;
    before.since = last;
    slewed += std::fabs(msg::SlewDone(before, now));
    msg::ClockAdjust request;
    request.slew = i % 3 == 0 ? 1.0 : 0.1;
    if (i % 7 == 0) request.step = 10.0;
    if (guard.Apply(request, &device, now, test::Heard).refusal != msg::ClockRefusal::kNone) {
      // A second try without the step.
      request.step.reset();
      (void)guard.Apply(request, &device, now, test::Heard);
    }
    last_slew = device.State(now).slew;
    last = now;
  }
  assert_true(device.steps <= 16);  // a full bucket and what leaks in a day
  assert_true(slewed <= kSlewSecondsPerDay);
}

}  // namespace
}  // namespace ntpward::clock

int main() {
  using namespace ntpward::clock;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LeaksWithTimeAndNeverBelowZero),
      cmocka_unit_test(AClockThatRunsBackwardsLeaksNothing),
      cmocka_unit_test(BoundsTheHourAndTheDay),
      cmocka_unit_test(AnHonestMonthNeverExhaustsThem),
      cmocka_unit_test(StepsOfADayTogetherAreBounded),
      cmocka_unit_test(ASuccessorKnowsTheStepsOfTheDay),
      cmocka_unit_test(AHostileNetMovesTimeByTwiceTheLimitADay),
      cmocka_unit_test(AHostileDayIsBounded),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
