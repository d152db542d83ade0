// The virtual clock: its course is continuous, a slew ends by itself, nothing real is touched.
#include "ntpd/clock/virtual_clock.h"

#include <cmath>

#include "tests/support/cmocka_cc.h"

namespace ntpward::clock {
namespace {

double SystemSeconds() { return 1800000000; }
bool SystemLeaps() { return true; }
bool SystemDoesNotLeap() { return false; }
MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

void AssertNear(double a, double b) { assert_true(std::fabs(a - b) < 1e-9); }

VirtualClock NewClock(double correction = 0, double error_ppm = 0) {
  msg::ClockStart start;
  start.is_virtual = true;
  start.initial_correction = correction;
  start.simulated_error = Ppm{error_ppm};
  return VirtualClock(start, At(100), SystemSeconds, SystemDoesNotLeap);
}

double CorrectionOf(const VirtualClock& clock, double at) {
  return msg::CorrectionAt(clock.State(At(at)), At(at));
}

void StartsWhereItIsTold(void**) {
  const VirtualClock clock = NewClock(-2.5, 30);
  const msg::ClockState state = clock.State(At(100));
  assert_true(state.is_virtual);
  AssertNear(msg::CorrectionAt(state, At(100)), -2.5);
  // A double of seconds since 1970 resolves a quarter of a microsecond.
  assert_true(std::fabs(clock.UnixSeconds(At(200)) - SystemSeconds() - (-2.5 + 100 * 30e-6)) <
              1e-6);
}

void SlewRunsAt500PpmAndEndsByItself(void**) {
  VirtualClock clock = NewClock();
  assert_true(clock.Slew(0.001, At(100)).ok());
  AssertNear(CorrectionOf(clock, 101), 500e-6);
  AssertNear(CorrectionOf(clock, 102), 0.001);
  AssertNear(CorrectionOf(clock, 5000), 0.001);
  AssertNear(clock.State(At(5000)).slew, 0);
  assert_true(clock.Slew(-0.001, At(5000)).ok());
  AssertNear(CorrectionOf(clock, 5001), 500e-6);
  AssertNear(CorrectionOf(clock, 9000), 0);
}

// Whoever holds an old state and whoever asks anew see the same clock.
void AStateStaysTrueUntilTheNextRequest(void**) {
  VirtualClock clock = NewClock(0.25, -12);
  assert_true(clock.SetFrequency(Ppm{40}, At(110)).ok());
  assert_true(clock.Slew(0.01, At(120)).ok());
  const msg::ClockState old = clock.State(At(120));
  for (const double at : {120.0, 121.5, 133.0, 140.0, 141.0, 1000.0})
    AssertNear(msg::CorrectionAt(old, At(at)), CorrectionOf(clock, at));
}

void FrequencyAndSlewChangesAreContinuous(void**) {
  VirtualClock clock = NewClock(1);
  double before = CorrectionOf(clock, 150);
  assert_true(clock.SetFrequency(Ppm{-300}, At(150)).ok());
  AssertNear(CorrectionOf(clock, 150), before);
  before = CorrectionOf(clock, 160);
  assert_true(clock.Slew(0.5, At(160)).ok());
  AssertNear(CorrectionOf(clock, 160), before);
  before = CorrectionOf(clock, 170);
  assert_true(clock.Slew(-0.5, At(170)).ok());
  AssertNear(CorrectionOf(clock, 170), before);
}

void AStepIsWholeAndEndsTheSlew(void**) {
  VirtualClock clock = NewClock();
  assert_true(clock.Slew(0.5, At(100)).ok());
  assert_true(clock.Step(-3600, At(110)).ok());
  AssertNear(CorrectionOf(clock, 110), -3600 + 0.005);
  AssertNear(CorrectionOf(clock, 5000), -3600 + 0.005);
}

// 1800000000 is 08:00, so that midnight is 57600 s away: the test's system clock stands still, and
// the correction is the time that passes.
VirtualClock RunningClock(VirtualClock::SystemLeaps system_leaps = SystemDoesNotLeap) {
  msg::ClockStart start;
  start.is_virtual = true;
  start.simulated_error = Ppm{1e6};
  return VirtualClock(start, At(100), SystemSeconds, system_leaps);
}
constexpr double kMidnight = 100 + 57600;
double TimeOfDay(const VirtualClock& clock, double at) { return CorrectionOf(clock, at) - 57600; }

void AnInsertedSecondIsTheLastOneTwice(void**) {
  VirtualClock clock = RunningClock();
  assert_true(clock.SetStatus({.leap = uint8_t{1}}, At(100)).ok());
  const msg::ClockState told = clock.State(At(100));
  AssertNear(TimeOfDay(clock, kMidnight - 0.5), -0.5);
  AssertNear(TimeOfDay(clock, kMidnight + 0.5), -0.5);
  AssertNear(TimeOfDay(clock, kMidnight + 1), 0);
  // Whoever was told beforehand sees the same clock.
  for (const double at : {kMidnight - 0.5, kMidnight + 0.5, kMidnight + 90})
    AssertNear(msg::CorrectionAt(told, At(at)), CorrectionOf(clock, at));
  // The announcement still stands in the second that is repeated, and must not repeat it again.
  assert_true(clock.SetStatus({.leap = uint8_t{1}}, At(kMidnight + 0.5)).ok());
  AssertNear(TimeOfDay(clock, kMidnight + 90), 89);
  assert_true(clock.SetStatus({.leap = uint8_t{0}}, At(kMidnight + 90)).ok());
  AssertNear(TimeOfDay(clock, kMidnight + 90000), 89999);
}

void ADeletedSecondIsLeftOut(void**) {
  VirtualClock clock = RunningClock();
  assert_true(clock.SetStatus({.leap = uint8_t{2}}, At(100)).ok());
  AssertNear(TimeOfDay(clock, kMidnight - 1.5), -1.5);
  AssertNear(TimeOfDay(clock, kMidnight - 1), 0);
  AssertNear(TimeOfDay(clock, kMidnight), 1);
}

void AnAnnouncementThatIsTakenBackIsNoLeapSecond(void**) {
  VirtualClock clock = RunningClock();
  assert_true(clock.SetStatus({.leap = uint8_t{1}}, At(100)).ok());
  assert_true(clock.SetStatus({.leap = uint8_t{0}}, At(kMidnight - 5)).ok());
  AssertNear(TimeOfDay(clock, kMidnight + 90), 90);
  // Nor is a deletion in the very second that it would have left out.
  VirtualClock late = RunningClock();
  assert_true(late.SetStatus({.leap = uint8_t{2}}, At(kMidnight - 0.5)).ok());
  AssertNear(TimeOfDay(late, kMidnight + 90), 90);
}

void ASystemThatLeapsByItselfIsLeftToIt(void**) {
  VirtualClock clock = RunningClock(SystemLeaps);
  assert_true(clock.SetStatus({.leap = uint8_t{1}}, At(100)).ok());
  AssertNear(TimeOfDay(clock, kMidnight + 90), 90);
}

void CorrectionIsZeroForARealClock(void**) {
  msg::ClockState state;
  state.correction = 5;
  state.slew = 1;
  assert_true(msg::CorrectionAt(state, At(1000)) == 0);
}

void ATimeBeforeTheStateDoesNoSlew(void**) {
  msg::ClockState state;
  state.is_virtual = true;
  state.since = At(100);
  state.slew = 1;
  AssertNear(msg::CorrectionAt(state, At(50)), 0);
  // The difference of two arbitrary times wraps: another process may send any number.
  state.since = MonoTime::FromNanoseconds(INT64_MIN);
  assert_true(std::isfinite(msg::CorrectionAt(state, MonoTime::FromNanoseconds(INT64_MAX))));
}

}  // namespace
}  // namespace ntpward::clock

int main() {
  using namespace ntpward::clock;
  const CMUnitTest tests[] = {
      cmocka_unit_test(StartsWhereItIsTold),
      cmocka_unit_test(SlewRunsAt500PpmAndEndsByItself),
      cmocka_unit_test(AStateStaysTrueUntilTheNextRequest),
      cmocka_unit_test(FrequencyAndSlewChangesAreContinuous),
      cmocka_unit_test(AStepIsWholeAndEndsTheSlew),
      cmocka_unit_test(AnInsertedSecondIsTheLastOneTwice),
      cmocka_unit_test(ADeletedSecondIsLeftOut),
      cmocka_unit_test(AnAnnouncementThatIsTakenBackIsNoLeapSecond),
      cmocka_unit_test(ASystemThatLeapsByItselfIsLeftToIt),
      cmocka_unit_test(CorrectionIsZeroForARealClock),
      cmocka_unit_test(ATimeBeforeTheStateDoesNoSlew),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
