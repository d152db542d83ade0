// Steps and panics of a simulated host: when its clock is set at once, and when it must not be.
#include <cmath>

#include "tests/core/sim_world.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::Iburst;
using test::kHour;
using test::kOrdinary;
using test::SimWorld;
using wire::SystemEvent;

void SpikeThatPassesIsNotFollowed(void**) {
  SimWorld world({}, kOrdinary, 17);
  const AssocId id = world.AddServer({}, Iburst(6, 6));
  world.RunUntil(2 * kHour);
  world.server(id).clock_error = 5;
  world.RunUntil(2 * kHour + 150);
  world.server(id).clock_error = 0;
  assert_true(world.RunUntil(6 * kHour).max < 0.01);
  assert_int_equal(world.steps, 0);
}

void LastingOffsetIsSteppedAfterStepout(void**) {
  SimWorld world({}, kOrdinary, 18);
  const AssocId id = world.AddServer({}, Iburst(6, 6));
  world.RunUntil(2 * kHour);
  world.server(id).clock_error = 5;
  world.RunUntil(3 * kHour);
  assert_int_equal(world.steps, 1);
  assert_true(world.HasEvent(AssocId{}, static_cast<int>(SystemEvent::kSpikeDetect)));
  assert_true(world.HasEvent(AssocId{}, static_cast<int>(SystemEvent::kClockStep)));
  assert_true(std::abs(world.clock().error - 5) < 1e-3);
}

void AfterAStepWeAreUnsynchronisedUntilItIsConfirmed(void**) {
  SimWorld world({}, {-100, 0, 0}, 19);
  world.AddServer({}, Iburst());
  world.RunUntil(3);
  assert_int_equal(world.steps, 1);
  assert_false(world.engine().system().synchronised());
  assert_int_equal(world.engine().system().refid, wire::RefidCode("STEP"));
  assert_int_equal(world.engine().system().stratum, 16);
  world.RunUntil(7);
  assert_true(world.engine().system().synchronised());
  assert_true(std::abs(world.clock().error) < 1e-3);
}

void ARefusedStepChangesNothingAndIsTriedAgainLater(void**) {
  SimWorld world({}, {-5, 0, 0}, 19);
  const AssocId id = world.AddServer({}, Iburst(4, 4));
  world.refuses_steps = true;
  world.RunUntil(60);
  assert_int_equal(world.refused_steps, 1);
  assert_true(world.clock().error == -5);
  assert_false(world.engine().system().synchronised());
  // What was measured is still true, and shown.
  assert_true(std::abs(world.engine().Snapshot(id, world.mono())->offset - 5) < 1e-3);
  assert_true(std::abs(world.engine().system().offset - 5) < 1e-3);
  assert_false(world.HasEvent(AssocId{}, static_cast<int>(SystemEvent::kClockStep)));
  world.RunUntil(4 * kHour);
  assert_in_range(world.refused_steps, 6, 10);
  const auto said = std::count_if(world.events.begin(), world.events.end(), [](const auto& event) {
    return event.detail.find("refused") != std::string::npos;
  });
  assert_int_equal(said, world.refused_steps);
  world.refuses_steps = false;
  world.RunUntil(6 * kHour);
  assert_int_equal(world.steps, 1);
  assert_true(world.engine().system().synchronised());
  assert_true(std::abs(world.clock().error) < 1e-3);
}

void AnOffsetThatShrinksEndsTheWaitForAStep(void**) {
  SimWorld world({}, {-5, 0, 0}, 20);
  world.AddServer({}, Iburst(4, 4));
  world.refuses_steps = true;
  world.RunUntil(600);
  world.clock().error = 0.01;  // somebody else set it
  world.RunUntil(900);
  assert_true(world.engine().system().synchronised());
}

void PanicChangesNothing(void**) {
  SimWorld world({}, {-5000, 0, 0}, 20);
  world.AddServer({}, Iburst());
  world.RunUntil(60);
  assert_true(world.panics > 0);
  assert_int_equal(world.steps, 0);
  assert_true(world.clock().error == -5000);
  assert_false(world.engine().system().synchronised());
  assert_true(world.HasEvent(AssocId{}, static_cast<int>(SystemEvent::kPanicStop)));
}

// CVE-2015-5300: -g allows the first correction and no other.
void PanicGateShutsAfterTheFirstCorrection(void**) {
  EngineConfig config;
  config.discipline.panic_gate_open = true;
  SimWorld world(config, {-5000, 0, 0}, 21);
  const AssocId id = world.AddServer({}, Iburst(4, 4));
  world.RunUntil(kHour);
  assert_int_equal(world.steps, 1);
  assert_int_equal(world.panics, 0);
  assert_true(std::abs(world.clock().error) < 1e-3);
  assert_false(world.engine().discipline().panic_gate_open());
  world.server(id).clock_error = 5000;
  world.RunUntil(2 * kHour);
  assert_true(world.panics > 0);
  assert_int_equal(world.steps, 1);
}

void SmallFirstCorrectionShutsTheGateToo(void**) {
  EngineConfig config;
  config.discipline.panic_gate_open = true;
  SimWorld world(config, {0.01, 0, 0}, 22);
  world.AddServer({}, Iburst(4, 4));
  world.RunUntil(60);
  assert_false(world.engine().discipline().panic_gate_open());
}

void PanicZeroNeverPanics(void**) {
  EngineConfig config;
  config.parameters.panic = 0;
  SimWorld world(config, {-1e6, 0, 0}, 23);
  world.AddServer({}, Iburst(4, 4));
  world.RunUntil(kHour);
  assert_int_equal(world.steps, 1);
  assert_true(std::abs(world.clock().error) < 1e-3);
}

void SlewOnlyNeverSteps(void**) {
  EngineConfig config;
  config.discipline.slew_only = true;
  SimWorld world(config, {-2, 50e-6, 0}, 24);
  world.AddServer({}, Iburst(4, 4));
  world.RunUntil(4 * kHour);  // 2 s at 500 ppm take 4000 s
  assert_int_equal(world.steps, 0);
  assert_true(std::abs(world.clock().error) < 1e-3);
  assert_true(std::abs(world.engine().discipline().frequency().value + 50) < 1);
}

void StepZeroNeverSteps(void**) {
  EngineConfig config;
  config.parameters.step_forward = config.parameters.step_backward = 0;
  SimWorld world(config, {3, -50e-6, 0}, 25);
  world.AddServer({}, Iburst(4, 4));
  world.RunUntil(5 * kHour);
  assert_int_equal(world.steps, 0);
  assert_true(std::abs(world.clock().error) < 1e-3);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SpikeThatPassesIsNotFollowed),
      cmocka_unit_test(LastingOffsetIsSteppedAfterStepout),
      cmocka_unit_test(AfterAStepWeAreUnsynchronisedUntilItIsConfirmed),
      cmocka_unit_test(ARefusedStepChangesNothingAndIsTriedAgainLater),
      cmocka_unit_test(AnOffsetThatShrinksEndsTheWaitForAStep),
      cmocka_unit_test(PanicChangesNothing),
      cmocka_unit_test(PanicGateShutsAfterTheFirstCorrection),
      cmocka_unit_test(SmallFirstCorrectionShutsTheGateToo),
      cmocka_unit_test(PanicZeroNeverPanics),
      cmocka_unit_test(SlewOnlyNeverSteps),
      cmocka_unit_test(StepZeroNeverSteps),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
