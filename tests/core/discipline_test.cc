// The decisions of the discipline, and the estimators under it, one by one.
#include "ntpd/core/discipline.h"

#include <cmath>
#include <random>

#include "ntpd/core/measurement_noise.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using Kind = ClockAction::Kind;

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

// A discipline and offsets fed to it as one good source would.
struct Fixture {
  explicit Fixture(Parameters p = {}, DisciplineConfig config = {})
      : parameters(p), discipline(parameters, config, 1e-6) {}
  ClockAction Offer(double when, double offset) {
    discipline.Advance(At(when));
    const Measurement measurement{At(when), discipline.corrected(), offset, 1e-5, false};
    const ClockAction action = discipline.OnOffset({offset, {&measurement, 1}, 1, 4, 10}, At(when));
    if (action.kind == Kind::kStep) discipline.OnStepMade(At(when));
    return action;
  }
  Parameters parameters;
  Discipline discipline;
};

void FirstOffsetIsSlewedAtOnceAtTheFullRate(void**) {
  Fixture f;
  assert_true(f.Offer(0, 0.1).kind == Kind::kSlew);
  const ClockTick tick = f.discipline.Tick(At(0));
  assert_true(tick.slew == kMaxSlewRate);
  assert_true(f.discipline.Advance(At(1)) == kMaxSlewRate);
  assert_true(std::abs(f.discipline.residual() - (0.1 - kMaxSlewRate)) < 1e-12);
}

void SlewEndsWhenNobodyTicks(void**) {
  Fixture f;
  f.Offer(0, 0.1);
  f.discipline.Tick(At(0));
  assert_true(f.discipline.Advance(At(100)) == kMaxSlewRate);  // what one tick handed out, no more
}

// ntpd-clock has budgets. What it refused was not done, and must not count as done.
void ARefusedSlewIsNotCountedAndWaits(void**) {
  Fixture f;
  f.Offer(0, 0.1);
  const double before = f.discipline.corrected();
  assert_true(f.discipline.Tick(At(0)).slew == kMaxSlewRate);
  f.discipline.OnSlewRefused(At(0.5));
  assert_true(f.discipline.residual() == 0.1);
  assert_true(f.discipline.corrected() == before);
  for (const double when : {1.0, 30.0, 64.0}) {
    const ClockTick tick = f.discipline.Tick(At(when));
    assert_true(tick.slew == 0 && tick.frequency.value == 0);
    assert_true(f.discipline.residual() == 0.1);
  }
  // Offsets that are measured meanwhile count as ever; then it is tried again.
  assert_true(f.Offer(64, 0.1).kind == Kind::kSlew);
  assert_true(f.discipline.Tick(At(64.4)).slew == 0);
  assert_true(f.discipline.Tick(At(64.5)).slew > 0);
}

void SlewPerTickAndFrequencyStayWithinTheirBounds(void**) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> wild(-0.12, 0.12);
  Fixture f;
  for (int i = 0; i < 3000; ++i) {
    if (i % 16 == 0) f.Offer(i, wild(random));
    const ClockTick tick = f.discipline.Tick(At(i));
    assert_true(std::abs(tick.slew) <= kMaxSlewRate);
    assert_true(std::abs(tick.frequency.value) <= 500);
    assert_in_range(f.discipline.poll(), 4, 10);
  }
}

void FirstOffsetAboveTheThresholdSteps(void**) {
  for (double offset : {0.129, -0.129, 500.0}) {
    Fixture f;
    const ClockAction action = f.Offer(0, offset);
    assert_true(action.kind == Kind::kStep);
    assert_true(action.offset == offset);
    assert_true(f.discipline.residual() == 0);
  }
  Fixture below;
  assert_true(below.Offer(0, 0.127).kind == Kind::kSlew);
}

void LaterOffsetAboveTheThresholdWaitsForStepout(void**) {
  Fixture f;
  f.Offer(0, 0);
  assert_true(f.Offer(16, 1).kind == Kind::kIgnore);
  assert_true(f.discipline.state() == DisciplineState::kSpike);
  assert_true(f.Offer(300, 1).kind == Kind::kIgnore);
  assert_true(f.Offer(317, 1).kind == Kind::kStep);
}

void ASpikeThatEndsStartsTheWaitAnew(void**) {
  Fixture f;
  f.Offer(0, 0);
  f.Offer(16, 1);
  assert_true(f.Offer(200, 0).kind == Kind::kSlew);
  f.Offer(216, 1);
  assert_true(f.Offer(400, 1).kind == Kind::kIgnore);
}

void ForwardAndBackwardThresholdsAreSeparate(void**) {
  Parameters parameters;
  parameters.step_forward = 0;  // never
  parameters.step_backward = 0.5;
  Fixture f(parameters);
  assert_true(f.Offer(0, 100).kind == Kind::kSlew);
  Fixture g(parameters);
  assert_true(g.Offer(0, -0.4).kind == Kind::kSlew);
  Fixture h(parameters);
  assert_true(h.Offer(0, -0.6).kind == Kind::kStep);
}

void ChangedThresholdsHoldFromNowOn(void**) {
  for (const bool slew_only : {false, true}) {
    DisciplineConfig config;
    config.slew_only = slew_only;
    Fixture f({}, config);
    f.parameters.step_forward = 700;
    f.discipline.OnParametersChanged();
    assert_true(f.Offer(0, 650).kind == Kind::kSlew);
    f.parameters.step_forward = 0.01;
    f.parameters.stepout = 0;
    f.discipline.OnParametersChanged();
    assert_true(f.Offer(16, 0.02).kind == (slew_only ? Kind::kSlew : Kind::kStep));
  }
}

void PanicLeavesTheStateAlone(void**) {
  Fixture f;
  f.Offer(0, 0.001);
  const double residual = f.discipline.residual();
  assert_true(f.Offer(16, 1000.5).kind == Kind::kPanic);
  assert_true(f.discipline.state() != DisciplineState::kSpike);
  assert_true(std::abs(f.discipline.residual() - residual) < 1e-12);
}

// CVE-2015-5300.
void GateOpensOnce(void**) {
  DisciplineConfig config;
  config.panic_gate_open = true;
  Fixture f({}, config);
  assert_true(f.Offer(0, 5000).kind == Kind::kStep);
  assert_true(f.Offer(16, 5000).kind == Kind::kPanic);
  // A new process is told so by its supervisor: without the flag the gate is shut from the start.
  Fixture restarted;
  assert_true(restarted.Offer(0, 5000).kind == Kind::kPanic);
}

void OffsetsThatAreNoNumbersAreIgnored(void**) {
  Fixture f;
  assert_true(f.Offer(0, std::nan("")).kind == Kind::kNone);
  assert_true(f.Offer(1, INFINITY).kind == Kind::kNone);
  assert_true(f.Offer(2, 0.01).kind == Kind::kSlew);
}

void DriftOutOfBoundsIsNotBelieved(void**) {
  DisciplineConfig config;
  config.drift = Ppm{501};
  Fixture f({}, config);
  assert_true(f.discipline.state() == DisciplineState::kNoFrequency);
  assert_true(f.discipline.frequency().value == 0);
  config.drift = Ppm{std::nan("")};
  Fixture g({}, config);
  assert_true(g.discipline.frequency().value == 0);
}

void FrequencyIsKnownOnlyOnceMeasured(void**) {
  DisciplineConfig config;
  config.drift = Ppm{20};
  Fixture f({}, config);
  assert_false(f.discipline.frequency_known());
  for (int i = 0; i < 40; ++i) f.Offer(16.0 * i, 0);
  assert_true(f.discipline.frequency_known());
  assert_true(f.discipline.state() == DisciplineState::kSynchronised);
}

void RunningFrequencyIsKeptUntilSomethingBetterIsMeasured(void**) {
  DisciplineConfig config;
  config.running = Ppm{33};
  Fixture f({}, config);
  assert_true(std::abs(f.discipline.Tick(At(0)).frequency.value - 33) < 1e-9);
  assert_true(f.discipline.state() == DisciplineState::kNoFrequency);
  assert_false(f.discipline.frequency_known());
}

void MeasureOnlyAsksNothingOfTheClock(void**) {
  Fixture f;
  f.discipline.SetMeasureOnly(true);
  for (int i = 0; i < 20; ++i) {
    assert_true(f.Offer(16.0 * i, i % 3 == 0 ? 5000 : 0.01).kind == Kind::kSlew);
    const ClockTick tick = f.discipline.Tick(At(16.0 * i));
    assert_true(tick.slew == 0 && tick.frequency.value == 0);
  }
  assert_false(f.discipline.frequency_known());
}

// --- the model ----------------------------------------------------------------------------------

void ModelFindsPhaseAndFrequency(void**) {
  std::mt19937 random(5);
  std::normal_distribution<double> noise(0, 1e-4);
  ClockModel model;
  model.Start(0.02, 1e-4, 0, {100e-6, 100e-6});
  for (int i = 1; i <= 60; ++i)
    model.Measure(64, 0, 0.02 + 30e-6 * 64 * i + noise(random), 1e-4, false);
  assert_true(std::abs(model.phase() - (0.02 + 30e-6 * 64 * 60)) < 2e-4);
  assert_true(std::abs(model.frequency() - 30e-6) < 1e-7);
}

void ModelCountsCorrectionsAsGone(void**) {
  ClockModel model;
  model.Start(0.02, 1e-5, 0, {1e-9, 1e-9});
  model.Measure(64, 0.015, 0.005, 1e-5, false);
  assert_true(std::abs(model.phase() - 0.005) < 1e-5);
  assert_true(std::abs(model.innovation()) < 1e-5);
}

void OutlierWithALongDelayIsSkipped(void**) {
  ClockModel model;
  model.Start(0, 1e-5, 0, {1e-7, 1e-7});
  for (int i = 0; i < 20; ++i) model.Measure(64, 0, 0, 1e-5, false);
  const double before = model.phase();
  assert_true(model.Measure(64, 0, 0.01, 1e-5, true) == ClockModel::Outcome::kOutlier);
  assert_true(std::abs(model.phase() - before) < 1e-6);
}

// A model that has heard that the clock is right, 50 times.
ClockModel QuietModel() {
  ClockModel model;
  model.Start(0, 1e-5, 0, {1e-7, 1e-7});
  for (int i = 0; i < 50; ++i) model.Measure(64, 0, 0, 1e-5, false);
  return model;
}

void OneSurpriseMovesNothing(void**) {
  ClockModel model = QuietModel();
  const double frequency = model.frequency();
  assert_true(model.Measure(64, 0, 0.05, 1e-5, false) == ClockModel::Outcome::kOutlier);
  assert_true(std::abs(model.phase()) < 1e-5);
  assert_true(model.Measure(64, 0, -0.05, 1e-5, false) == ClockModel::Outcome::kOutlier);
  assert_true(model.Measure(64, 0, 0, 1e-5, false) == ClockModel::Outcome::kTaken);
  assert_true(std::abs(model.phase()) < 1e-5);
  assert_true(std::abs(model.frequency() - frequency) < 1e-8);
}

void AJumpIsFollowedOnceASecondTellsIt(void**) {
  ClockModel model = QuietModel();
  const double frequency = model.frequency();
  model.Measure(64, 0, 0.05, 1e-5, false);
  assert_true(model.Measure(64, 0, 0.05, 1e-5, false) == ClockModel::Outcome::kTaken);
  assert_true(std::abs(model.phase() - 0.05) < 1e-4);
  // The jump is not taken for drift.
  for (int i = 0; i < 30; ++i) {
    model.Measure(64, 0, 0.05, 1e-5, false);
    assert_true(std::abs(model.frequency() - frequency) < 1e-6);
  }
}

void SurprisesThatContradictEachOtherAreFollowedInTheEnd(void**) {
  ClockModel model = QuietModel();
  model.Measure(64, 0, 0.05, 1e-5, false);
  model.Measure(64, 0, -0.05, 1e-5, false);
  assert_true(model.Measure(64, 0, 0.05, 1e-5, false) == ClockModel::Outcome::kTaken);
  assert_true(std::abs(model.phase() - 0.05) < 1e-4);
}

void SurprisesOfDifferentSizesAreNoJump(void**) {
  ClockModel model = QuietModel();
  assert_true(model.Measure(64, 0, 0.0007, 1e-5, false) == ClockModel::Outcome::kOutlier);
  assert_true(model.Measure(64, 0, 0.05, 1e-5, false) == ClockModel::Outcome::kOutlier);
  assert_true(model.Measure(64, 0, 0, 1e-5, false) == ClockModel::Outcome::kTaken);
  assert_true(std::abs(model.phase()) < 1e-5);
}

// Just before it was measured: the second surprise is many times the first.
void ABentFrequencyIsFollowedAtTheSecondSurprise(void**) {
  ClockModel model = QuietModel();
  assert_true(model.Measure(64, 0, 2e-4, 1e-5, false) == ClockModel::Outcome::kOutlier);
  assert_true(model.Measure(64, 0, 2e-4 + 64 * 50e-6, 1e-5, false) == ClockModel::Outcome::kTaken);
}

// Ten deviations off what is likely, and the first thing that is measured.
void APossibleFrequencyIsNoSurprise(void**) {
  ClockModel model;
  model.Start(0, 1e-5, 0, {2e-6, 100e-6});
  for (int i = 1; i <= 10; ++i)
    assert_true(model.Measure(64, 0, 64 * i * 100e-6, 1e-5, false) == ClockModel::Outcome::kTaken);
  assert_true(std::abs(model.frequency() - 100e-6) < 1e-6);
}

// What some minutes say moves it little; what lasts does.
void TheSettledFrequencyLastsLonger(void**) {
  constexpr double kNoise = 1e-4, kBent = 3e-6;
  ClockModel model;
  model.Start(0, kNoise, 0, {1e-7, 1e-7});
  for (int i = 0; i < 50; ++i) model.Measure(64, 0, 0, kNoise, false);
  double phase = 0;
  for (int i = 0; i < 8; ++i) model.Measure(64, 0, phase += 64 * kBent, kNoise, false);
  assert_true(std::abs(model.frequency() - kBent) < 0.1 * kBent);
  assert_true(std::abs(model.settled_frequency()) < 0.5 * kBent);
  for (int i = 0; i < 200; ++i) model.Measure(64, 0, phase += 64 * kBent, kNoise, false);
  assert_true(std::abs(model.settled_frequency() - kBent) < 0.1 * kBent);
}

// --- the noise of a path ------------------------------------------------------------------------

void ExcessDelayWidensTheDeviation(void**) {
  MeasurementNoise noise;
  for (int i = 0; i < 20; ++i) noise.Add(0.010 + 0.0001 * (i % 3), 1e-6);
  const auto good = noise.Add(0.010, 1e-6);
  const auto bad = noise.Add(0.110, 1e-6);
  assert_true(good.deviation < 1e-4 && !good.suspicious);
  assert_true(bad.suspicious);
  assert_true(std::abs(bad.deviation - 0.1 / std::sqrt(12)) < 1e-4);
}

void DeviationIsAlwaysPositive(void**) {
  MeasurementNoise noise;
  for (int i = 0; i < 100; ++i) assert_true(noise.Add(0, 1e-9).deviation > 0);
}

void LongerPathIsRebasedAndCongestionIsNot(void**) {
  MeasurementNoise longer, congested;
  for (int i = 0; i < 40; ++i) {
    longer.Add(0.010 + 1e-5 * (i % 4), 1e-6);
    congested.Add(0.010 + 1e-5 * (i % 4), 1e-6);
  }
  double last_longer = 0, last_congested = 0;
  for (int i = 0; i < 8; ++i) {
    last_longer = longer.Add(0.050 + 1e-5 * (i % 4), 1e-6).deviation;
    last_congested = congested.Add(0.030 + 0.01 * (i % 4), 1e-6).deviation;
  }
  assert_true(last_longer < 1e-3);
  assert_true(last_congested > 5e-3);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(FirstOffsetIsSlewedAtOnceAtTheFullRate),
      cmocka_unit_test(SlewEndsWhenNobodyTicks),
      cmocka_unit_test(ARefusedSlewIsNotCountedAndWaits),
      cmocka_unit_test(SlewPerTickAndFrequencyStayWithinTheirBounds),
      cmocka_unit_test(FirstOffsetAboveTheThresholdSteps),
      cmocka_unit_test(LaterOffsetAboveTheThresholdWaitsForStepout),
      cmocka_unit_test(ASpikeThatEndsStartsTheWaitAnew),
      cmocka_unit_test(ForwardAndBackwardThresholdsAreSeparate),
      cmocka_unit_test(ChangedThresholdsHoldFromNowOn),
      cmocka_unit_test(PanicLeavesTheStateAlone),
      cmocka_unit_test(GateOpensOnce),
      cmocka_unit_test(OffsetsThatAreNoNumbersAreIgnored),
      cmocka_unit_test(DriftOutOfBoundsIsNotBelieved),
      cmocka_unit_test(FrequencyIsKnownOnlyOnceMeasured),
      cmocka_unit_test(RunningFrequencyIsKeptUntilSomethingBetterIsMeasured),
      cmocka_unit_test(MeasureOnlyAsksNothingOfTheClock),
      cmocka_unit_test(ModelFindsPhaseAndFrequency),
      cmocka_unit_test(ModelCountsCorrectionsAsGone),
      cmocka_unit_test(OutlierWithALongDelayIsSkipped),
      cmocka_unit_test(OneSurpriseMovesNothing),
      cmocka_unit_test(AJumpIsFollowedOnceASecondTellsIt),
      cmocka_unit_test(SurprisesThatContradictEachOtherAreFollowedInTheEnd),
      cmocka_unit_test(SurprisesOfDifferentSizesAreNoJump),
      cmocka_unit_test(ABentFrequencyIsFollowedAtTheSecondSurprise),
      cmocka_unit_test(APossibleFrequencyIsNoSurprise),
      cmocka_unit_test(TheSettledFrequencyLastsLonger),
      cmocka_unit_test(ExcessDelayWidensTheDeviation),
      cmocka_unit_test(DeviationIsAlwaysPositive),
      cmocka_unit_test(LongerPathIsRebasedAndCongestionIsNot),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
