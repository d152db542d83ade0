// The engine against simulated servers: it finds the time, keeps it, and loses it gracefully.
#include "tests/core/sim_world.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::Iburst;
using test::SimClock;
using test::SimServer;
using test::SimWorld;

void ChoosesAServerAfterItsSecondSample(void**) {
  SimWorld world({}, {0.01, -20e-6, 0}, 1);
  const AssocId id = world.AddServer({}, Iburst());
  world.RunUntil(1.9);
  assert_int_equal(world.engine().system().system_peer.value, 0);
  world.RunUntil(2.5);
  assert_int_equal(world.engine().system().system_peer.value, id.value);
  assert_int_equal(world.engine().system().stratum, 2);
  assert_true(world.engine().system().synchronised());
}

void ConvergesFromATenthOfASecondWithoutAStep(void**) {
  SimWorld world({}, {-0.1, -50e-6, 0}, 2);
  world.AddServer({}, Iburst());
  world.RunUntil(600);
  const auto statistics = world.RunUntil(3600);
  assert_int_equal(world.steps, 0);
  assert_true(statistics.max < 0.0005);
}

void StepsAnErrorAboveTheThresholdOnce(void**) {
  SimWorld world({}, {-100, -50e-6, 0}, 3);
  world.AddServer({}, Iburst());
  world.RunUntil(600);
  const auto statistics = world.RunUntil(3600);
  assert_int_equal(world.steps, 1);
  assert_true(statistics.max < 0.0005);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ChoosesAServerAfterItsSecondSample),
      cmocka_unit_test(ConvergesFromATenthOfASecondWithoutAStep),
      cmocka_unit_test(StepsAnErrorAboveTheThresholdOnce),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
