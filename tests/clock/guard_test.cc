// What a request may do to the clock: every limit has a refusal, and a refusal changes nothing.
#include "ntpd/clock/guard.h"

#include <vector>

#include "privsep/base/tai_offset.h"
#include "tests/clock/fake_device.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::clock {
namespace {

using msg::ClockAdjust;
using msg::ClockRefusal;
using msg::ClockStart;
using test::FakeDevice;

constexpr double kDay = 86400;
constexpr double kJan31 = 1801353600 + 3600;  // 2027-01-31 01:00 UTC

MonoTime At(double seconds) { return MonoTime::FromSeconds(1000 + seconds); }

// Applies to a guard and tells what it said.
ClockRefusal Ask(Guard& guard, FakeDevice& device, const ClockAdjust& request, double at = 0) {
  return guard.Apply(request, &device, At(at), test::Heard).refusal;
}

void AssertRefused(const ClockStart& start, const ClockAdjust& request, ClockRefusal why) {
  FakeDevice device;
  Guard guard(start);
  assert_true(Ask(guard, device, request) == why);
  // Nothing of it was applied, the harmless parts neither.
  assert_int_equal(device.steps + device.slews + device.status_calls, 0);
  assert_true(device.state.frequency == Ppm{0});
  assert_false(guard.Mirror(device, At(0)).tai.has_value());
  const msg::ClockBudget spent = guard.Mirror(device, At(0)).budget;
  assert_true(spent.steps == 0 && spent.seconds_hour == 0 && spent.seconds_day == 0);
}

void RefusesWhatIsOverALimitWhole(void**) {
  const ClockStart start{.step_limit = 1000};
  ClockAdjust harmless;
  harmless.frequency = Ppm{10};
  harmless.slew = 0.001;
  harmless.tai = int16_t{37};
  ClockAdjust bad = harmless;
  bad.frequency = Ppm{500.001};
  AssertRefused(start, bad, ClockRefusal::kFrequencyLimit);
  bad.frequency = Ppm{-500.001};
  AssertRefused(start, bad, ClockRefusal::kFrequencyLimit);
  bad = harmless;
  bad.slew = 1.001;
  AssertRefused(start, bad, ClockRefusal::kSlewLimit);
  bad.slew = -1.001;
  AssertRefused(start, bad, ClockRefusal::kSlewLimit);
  bad = harmless;
  bad.step = 1000.1;
  AssertRefused(start, bad, ClockRefusal::kStepLimit);
  bad.step = -1000.1;
  AssertRefused(start, bad, ClockRefusal::kStepLimit);
  bad = harmless;
  bad.leap = uint8_t{1};  // 2027-01-15
  AssertRefused(start, bad, ClockRefusal::kLeapDay);
  bad = harmless;
  bad.tai = int16_t{kLeastTaiOffset - 1};
  AssertRefused(start, bad, ClockRefusal::kTaiJump);
}

void AppliesWhatIsWithinTheLimits(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000});
  ClockAdjust request{.request = 7};
  request.frequency = Ppm{-500};
  request.slew = 1.0;
  request.step = -1000.0;
  const msg::ClockState state = guard.Apply(request, &device, At(0), test::Heard);
  assert_true(state.refusal == ClockRefusal::kNone);
  assert_int_equal(state.request, 7);
  assert_true(device.stepped == -1000);
  // A step ends a slew, so the slew comes after it.
  assert_true(state.slew == 1.0);
  assert_true(state.frequency == Ppm{-500});
}

void NeverStepsBeforeTheBuildDate(void**) {
  FakeDevice device;
  device.unix_seconds = kBuildDate + 100;
  Guard guard({.step_limit = 0});
  assert_true(Ask(guard, device, {.step = -100.5}) == ClockRefusal::kBeforeBuildDate);
  assert_true(Ask(guard, device, {.step = -99.5}) == ClockRefusal::kNone);
}

void ZeroStepLimitMeansNone(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 0});
  assert_true(Ask(guard, device, {.step = 1e6}) == ClockRefusal::kNone);
}

void SlewOnlyRefusesStepsEvenThroughTheGate(void**) {
  AssertRefused({.step_limit = 1000, .slew_only = true}, {.step = 0.2}, ClockRefusal::kStepLimit);
  AssertRefused({.step_limit = 1000, .first_step_free = true, .slew_only = true}, {.step = 0.2},
                ClockRefusal::kStepLimit);
}

void GateLetsTheFirstStepThroughOnce(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000, .first_step_free = true});
  assert_false(guard.Mirror(device, At(0)).gate_shut);
  assert_true(Ask(guard, device, {.step = 50000.0}) == ClockRefusal::kNone);
  assert_true(Ask(guard, device, {.step = 50000.0}) == ClockRefusal::kStepLimit);
  assert_true(guard.Mirror(device, At(0)).gate_shut);
}

// A net that was taken over after its clock was right must not find the gate open.
void GateShutsAtTheFirstSlewToo(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000, .first_step_free = true});
  ClockAdjust idle;
  idle.frequency = Ppm{3};
  idle.slew = 0.0;
  assert_true(Ask(guard, device, idle) == ClockRefusal::kNone);
  assert_false(guard.Mirror(device, At(0)).gate_shut);
  assert_true(Ask(guard, device, {.slew = 0.01}) == ClockRefusal::kNone);
  assert_true(Ask(guard, device, {.step = 50000.0}) == ClockRefusal::kStepLimit);
}

// `ntpd -q -x` slews by all of the offset at once, and is gone.
void TheFirstSlewOfQMayBeLargeOnce(void**) {
  const ClockStart start{.step_limit = 1000, .first_slew_limit = 600};
  FakeDevice device;
  Guard guard(start);
  assert_true(Ask(guard, device, {.slew = 600.5}) == ClockRefusal::kSlewLimit);
  assert_true(Ask(guard, device, {.slew = -599.5}) == ClockRefusal::kNone);
  assert_true(device.state.slew == -599.5);
  assert_true(Ask(guard, device, {.slew = 1.5}) == ClockRefusal::kSlewLimit);
  // Whoever wants more than a daemon may ever ask for gets no more than -x gives.
  AssertRefused({.step_limit = 1e5, .first_slew_limit = 1e4}, {.slew = 601},
                ClockRefusal::kSlewLimit);
  // Nor is it a way round the panic limit, or more than one correction.
  AssertRefused({.step_limit = 10, .first_slew_limit = 600}, {.slew = 11},
                ClockRefusal::kSlewLimit);
  AssertRefused(start, {.slew = 2, .step = 1}, ClockRefusal::kSlewLimit);
}

void NoSlewIsLargeAfterAFirstCorrection(void**) {
  for (const ClockAdjust& first : {ClockAdjust{.slew = 0.001}, ClockAdjust{.step = 0.5}}) {
    FakeDevice device;
    Guard guard({.step_limit = 1000, .first_slew_limit = 600});
    // A course without a slew is none.
    assert_true(Ask(guard, device, {.frequency = Ppm{3}, .slew = 0.0}) == ClockRefusal::kNone);
    assert_true(Ask(guard, device, first) == ClockRefusal::kNone);
    assert_true(Ask(guard, device, {.slew = 2}) == ClockRefusal::kSlewLimit);
  }
}

void ARefusedStepLeavesTheGateAsItWas(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000, .first_step_free = true});
  assert_true(Ask(guard, device, {.step = -1e9}) == ClockRefusal::kBeforeBuildDate);
  assert_false(guard.Mirror(device, At(0)).gate_shut);
}

void ASuccessorKeepsGateBudgetAndTai(void**) {
  FakeDevice device;
  Guard first({.step_limit = 1000, .first_step_free = true});
  for (int i = 0; i < 8; ++i)
    assert_true(Ask(first, device, {.step = 1.0, .tai = int16_t{37}}) == ClockRefusal::kNone);
  assert_true(Ask(first, device, {.tai = int16_t{38}}) == ClockRefusal::kNone);
  const msg::ClockMirror mirror = first.Mirror(device, At(0));
  ClockStart start{.step_limit = 1000};
  start.first_step_free = !mirror.gate_shut;
  start.tai = mirror.tai;
  start.tai_changed = mirror.tai_changed;
  start.budget = mirror.budget;
  Guard second(start);
  assert_true(Ask(second, device, {.step = 2000.0}, 1) == ClockRefusal::kStepLimit);
  assert_true(Ask(second, device, {.step = 1.0}, 1) == ClockRefusal::kStepBudget);
  // One second a day, whoever was killed in between.
  assert_true(Ask(second, device, {.tai = int16_t{39}}, 1) == ClockRefusal::kTaiJump);
  assert_true(Ask(second, device, {.tai = int16_t{39}}, kDay + 1) == ClockRefusal::kNone);
}

// Killed at any moment, it must not have moved the clock by what nobody knows it has spent.
void WhatCountsIsToldBeforeTheClockMoves(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000, .first_step_free = true});
  std::vector<msg::ClockMirror> told;
  const auto tell = [&](const msg::ClockMirror& mirror) {
    assert_int_equal(device.steps, 0);
    told.push_back(mirror);
    return true;
  };
  (void)guard.Apply({.frequency = Ppm{5}}, &device, At(0), tell);
  assert_int_equal(told.size(), 0);
  (void)guard.Apply({.slew = 0.75}, &device, At(0), tell);
  assert_true(told.at(0).gate_shut && told.at(0).budget.seconds_day == 0.75);
  // The running slew counts until it has ended.
  (void)guard.Apply({.slew = 0.25}, &device, At(0), tell);
  assert_true(told.at(1).budget.seconds_day == 1 && told.at(1).slew == 0.75);
  assert_true(guard.Mirror(device, At(0)).budget.seconds_day == 0.25);
  (void)guard.Apply({.step = 900.0}, &device, At(0), tell);
  assert_true(told.at(2).budget.steps == 1 && told.at(2).budget.day.size() == 1);
  assert_true(told.at(2).correction == 0);
  assert_int_equal(device.steps, 1);
}

void WhatCannotBeToldIsRefusedWhole(void**) {
  const auto unheard = [](const msg::ClockMirror&) { return false; };
  const ClockAdjust requests[] = {{.slew = 0.5}, {.step = 3.0}, {.tai = int16_t{37}}};
  for (const ClockAdjust& request : requests) {
    FakeDevice device;
    Guard guard({.step_limit = 1000, .first_step_free = true});
    const msg::ClockState state = guard.Apply(request, &device, At(0), unheard);
    assert_true(state.refusal == ClockRefusal::kUnheard);
    assert_int_equal(device.steps + device.slews + device.status_calls, 0);
    const msg::ClockMirror mirror = guard.Mirror(device, At(0));
    assert_true(mirror.budget.steps == 0 && mirror.budget.seconds_day == 0);
    assert_true(!mirror.gate_shut && !mirror.tai);
  }
}

// What then fails stays spent: the supervisor was told so.
void AFailedStepStaysSpent(void**) {
  FakeDevice device;
  device.fail_step = true;
  Guard guard({.step_limit = 1000});
  assert_true(Ask(guard, device, {.step = 1.0}) == ClockRefusal::kSystemError);
  assert_true(guard.Mirror(device, At(0)).budget.steps == 1);
}

void TheFirstStepThroughTheGateLeavesTheDaysDistanceAlone(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000, .first_step_free = true});
  assert_true(Ask(guard, device, {.step = 1e6}) == ClockRefusal::kNone);
  assert_true(Ask(guard, device, {.step = -1000.0}, 1) == ClockRefusal::kNone);
  assert_true(Ask(guard, device, {.step = 1000.0}, 2) == ClockRefusal::kNone);
  assert_true(Ask(guard, device, {.step = 0.5}, 3) == ClockRefusal::kStepDistance);
  assert_true(Ask(guard, device, {.step = 0.5}, kDay + 2) == ClockRefusal::kNone);
}

void RefusesTheNinthStepOfADay(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000});
  for (int i = 0; i < 8; ++i) assert_true(Ask(guard, device, {.step = 1.0}) == ClockRefusal::kNone);
  ClockAdjust ninth{.frequency = Ppm{5}, .step = 1.0};
  assert_true(Ask(guard, device, ninth) == ClockRefusal::kStepBudget);
  assert_true(device.state.frequency == Ppm{0});
  assert_true(Ask(guard, device, ninth, kDay / 8 + 1) == ClockRefusal::kNone);
}

void RefusesASlewOverTheHoursBudget(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000});
  // Each of these has run to its end when the next comes, so nothing is given back.
  assert_true(Ask(guard, device, {.slew = 1.0}) == ClockRefusal::kNone);
  device.state.slew = 0;
  assert_true(Ask(guard, device, {.slew = 1.0}) == ClockRefusal::kNone);
  device.state.slew = 0;
  assert_true(Ask(guard, device, {.slew = 0.5}) == ClockRefusal::kSlewBudget);
  assert_true(Ask(guard, device, {.slew = 0.5}, 1000) == ClockRefusal::kNone);
}

// What a refused request would have replaced still runs, so it still counts.
void ARefusalGivesNothingBack(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000});
  assert_true(Ask(guard, device, {.slew = 1.0}) == ClockRefusal::kNone);
  device.state.slew = 0;
  assert_true(Ask(guard, device, {.slew = 0.9}) == ClockRefusal::kNone);
  for (int i = 0; i < 8; ++i) {
    ClockAdjust steps{.step = 1.0};
    assert_true(Ask(guard, device, steps) == ClockRefusal::kNone);
    device.state.slew = 0.9;
    device.state.since = At(0);
  }
  const msg::ClockBudget before = guard.Mirror(device, At(0)).budget;
  ClockAdjust refused{.slew = 0.1, .step = 1.0};
  for (int i = 0; i < 5; ++i) assert_true(Ask(guard, device, refused) == ClockRefusal::kStepBudget);
  const msg::ClockBudget after = guard.Mirror(device, At(0)).budget;
  assert_true(before.seconds_hour == after.seconds_hour && before.steps == after.steps);
}

void AReplacedSlewGivesBackItsRest(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000});
  for (int i = 0; i < 1000; ++i)
    assert_true(Ask(guard, device, {.slew = i % 2 == 0 ? 1.0 : -1.0}, i * 0.001) ==
                ClockRefusal::kNone);
}

void AnnouncesALeapOnTheLastDayOfAMonthOnly(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 0});
  device.unix_seconds = kJan31 - kDay;
  assert_true(Ask(guard, device, {.leap = uint8_t{1}}) == ClockRefusal::kLeapDay);
  device.unix_seconds = kJan31;
  assert_true(Ask(guard, device, {.leap = uint8_t{1}}) == ClockRefusal::kNone);
  assert_int_equal(*device.last_status.leap, 1);
  device.unix_seconds = 1803772800 + 5;  // 2027-02-28, 28 days later
  assert_true(Ask(guard, device, {.leap = uint8_t{2}}) == ClockRefusal::kNone);
  device.unix_seconds = 1803772800 + kDay;
  assert_true(Ask(guard, device, {.leap = uint8_t{2}}) == ClockRefusal::kLeapDay);
}

// The day that counts is the one that a step leads to.
void JudgesTheLeapDayAfterTheStep(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 0});
  device.unix_seconds = kJan31;
  ClockAdjust request{.step = -2 * kDay, .leap = uint8_t{1}};
  assert_true(Ask(guard, device, request) == ClockRefusal::kLeapDay);
  device.unix_seconds = kJan31 - 2 * kDay;
  request.step = 2 * kDay;
  assert_true(Ask(guard, device, request) == ClockRefusal::kNone);
}

void KeepsTheLeapUntilTheDayIsOverOrAStep(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 0});
  device.unix_seconds = kJan31;
  assert_true(Ask(guard, device, {.leap = uint8_t{1}}) == ClockRefusal::kNone);
  assert_true(Ask(guard, device, {.slew = 0.001}) == ClockRefusal::kNone);
  assert_int_equal(*device.last_status.leap, 1);
  device.unix_seconds = kJan31 + kDay;
  assert_true(Ask(guard, device, {.slew = 0.001}) == ClockRefusal::kNone);
  assert_int_equal(*device.last_status.leap, 0);
  device.unix_seconds = kJan31;
  assert_true(Ask(guard, device, {.leap = uint8_t{1}}) == ClockRefusal::kNone);
  assert_true(Ask(guard, device, {.step = -kDay * 3}) == ClockRefusal::kNone);
  assert_int_equal(*device.last_status.leap, 0);
}

void TaiMovesByOneSecondADayAtMost(void**) {
  FakeDevice device;
  Guard guard({.step_limit = 1000});
  const auto tai = [&](int16_t value, double at) { return Ask(guard, device, {.tai = value}, at); };
  assert_true(tai(kMostTaiOffset + 1, 0) == ClockRefusal::kTaiJump);
  assert_true(tai(37, 0) == ClockRefusal::kNone);
  assert_true(tai(39, 1) == ClockRefusal::kTaiJump);
  assert_true(tai(38, 2) == ClockRefusal::kNone);
  assert_true(tai(38, 3) == ClockRefusal::kNone);
  assert_true(tai(39, 4) == ClockRefusal::kTaiJump);
  assert_true(tai(37, 5) == ClockRefusal::kTaiJump);
  assert_true(tai(39, kDay + 3) == ClockRefusal::kNone);
}

// Whoever told an offset before, the operator's own is not refused as a jump.
void TheOperatorsLeapTableDecidesWhileItLasts(void**) {
  constexpr uint64_t k2027 = 4007750400, kExpiry = 4023388800;
  FakeDevice device;
  Guard guard({.step_limit = 1000});
  const auto tai = [&](int16_t value) { return Ask(guard, device, {.tai = value}); };
  const auto at = [&](uint64_t ntp_seconds) {
    device.unix_seconds = static_cast<double>(ntp_seconds) - kUnixToNtpSeconds;
  };
  at(k2027 + 86400);
  assert_true(tai(58) == ClockRefusal::kNone);
  msg::LeapTable table{.expiry = kExpiry};
  assert_true(table.seconds.Push({3692217600, 37}) && table.seconds.Push({k2027, 38}));
  guard.SetLeapTable(table);
  assert_true(tai(59) == ClockRefusal::kTaiJump);
  assert_true(tai(37) == ClockRefusal::kTaiJump);
  assert_true(tai(38) == ClockRefusal::kNone);
  // Who asks has another clock, by a little.
  at(k2027 + 4);
  assert_true(tai(37) == ClockRefusal::kNone);
  at(k2027 - 6);
  assert_true(tai(38) == ClockRefusal::kTaiJump);
  // Without a table, one that has expired or tells nothing of this time the old rules hold.
  at(kExpiry);
  assert_true(tai(38) == ClockRefusal::kTaiJump);
  at(3692217600 - 86400);
  assert_true(tai(37) == ClockRefusal::kNone);
  guard.SetLeapTable({});
  at(k2027 + 86400);
  assert_true(tai(59) == ClockRefusal::kTaiJump);
}

void PutsTheFrequencyBackWhenTheSystemRefusesTheStep(void**) {
  FakeDevice device;
  device.state.frequency = Ppm{4};
  device.fail_step = true;
  Guard guard({.step_limit = 1000});
  ClockAdjust request{.frequency = Ppm{90}, .slew = 0.5, .step = 1.0};
  assert_true(Ask(guard, device, request) == ClockRefusal::kSystemError);
  assert_true(device.state.frequency == Ppm{4});
  assert_int_equal(device.slews, 0);
  assert_int_equal(device.status_calls, 0);
}

}  // namespace
}  // namespace ntpward::clock

int main() {
  using namespace ntpward::clock;
  const CMUnitTest tests[] = {
      cmocka_unit_test(RefusesWhatIsOverALimitWhole),
      cmocka_unit_test(AppliesWhatIsWithinTheLimits),
      cmocka_unit_test(NeverStepsBeforeTheBuildDate),
      cmocka_unit_test(ZeroStepLimitMeansNone),
      cmocka_unit_test(SlewOnlyRefusesStepsEvenThroughTheGate),
      cmocka_unit_test(GateLetsTheFirstStepThroughOnce),
      cmocka_unit_test(GateShutsAtTheFirstSlewToo),
      cmocka_unit_test(TheFirstSlewOfQMayBeLargeOnce),
      cmocka_unit_test(NoSlewIsLargeAfterAFirstCorrection),
      cmocka_unit_test(ARefusedStepLeavesTheGateAsItWas),
      cmocka_unit_test(ASuccessorKeepsGateBudgetAndTai),
      cmocka_unit_test(WhatCountsIsToldBeforeTheClockMoves),
      cmocka_unit_test(WhatCannotBeToldIsRefusedWhole),
      cmocka_unit_test(AFailedStepStaysSpent),
      cmocka_unit_test(TheFirstStepThroughTheGateLeavesTheDaysDistanceAlone),
      cmocka_unit_test(RefusesTheNinthStepOfADay),
      cmocka_unit_test(RefusesASlewOverTheHoursBudget),
      cmocka_unit_test(ARefusalGivesNothingBack),
      cmocka_unit_test(AReplacedSlewGivesBackItsRest),
      cmocka_unit_test(AnnouncesALeapOnTheLastDayOfAMonthOnly),
      cmocka_unit_test(JudgesTheLeapDayAfterTheStep),
      cmocka_unit_test(KeepsTheLeapUntilTheDayIsOverOrAStep),
      cmocka_unit_test(TaiMovesByOneSecondADayAtMost),
      cmocka_unit_test(TheOperatorsLeapTableDecidesWhileItLasts),
      cmocka_unit_test(PutsTheFrequencyBackWhenTheSystemRefusesTheStep),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
