// The virtual clock: its course is continuous, a slew ends by itself, nothing real is touched.
#include "ntpd/clock/virtual_clock.h"

#include <cmath>

#include "tests/support/cmocka_cc.h"

namespace ntpward::clock {
namespace {

double SystemSeconds() { return 1800000000; }
MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

void AssertNear(double a, double b) { assert_true(std::fabs(a - b) < 1e-9); }

VirtualClock NewClock(double correction = 0, double error_ppm = 0) {
  msg::ClockStart start;
  start.is_virtual = true;
  start.initial_correction = correction;
  start.simulated_error = Ppm{error_ppm};
  return VirtualClock(start, At(100), SystemSeconds);
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
  assert_true(std::fabs(clock.UnixSeconds(At(200)) - SystemSeconds() - (-2.5 + 100 * 30e-6)) < 1e-6);
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
      cmocka_unit_test(CorrectionIsZeroForARealClock),
      cmocka_unit_test(ATimeBeforeTheStateDoesNoSlew),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
