// Leap seconds of a simulated host: what it passes on, and how it goes through one.
#include <cmath>

#include "ntpd/core/leap_schedule.h"
#include "tests/core/sim_world.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::Iburst;
using test::kHour;
using test::kOrdinary;
using test::SimWorld;
using wire::SystemEvent;

void LeapOfTheSourcesIsPassedOnAndTakenBack(void**) {
  SimWorld world({}, kOrdinary, 26);
  for (int i = 0; i < 3; ++i) world.AddServer({}, Iburst(4, 4));
  world.RunUntil(kHour);
  assert_true(world.engine().system().leap == wire::Leap::kNone);
  world.server(AssocId{1}).leap = wire::Leap::kAddSecond;
  world.RunUntil(kHour + 100);
  assert_true(world.engine().system().leap == wire::Leap::kNone);
  world.server(AssocId{2}).leap = wire::Leap::kAddSecond;
  world.RunUntil(kHour + 200);
  assert_true(world.engine().system().leap == wire::Leap::kAddSecond);
  assert_true(world.HasEvent(AssocId{}, static_cast<int>(SystemEvent::kLeapArmed)));
  world.server(AssocId{1}).leap = world.server(AssocId{2}).leap = wire::Leap::kNone;
  world.RunUntil(kHour + 300);
  assert_true(world.engine().system().leap == wire::Leap::kNone);
  assert_true(world.HasEvent(AssocId{}, static_cast<int>(SystemEvent::kLeapDisarmed)));
}

void VerifiedLeapTableOutvotesTheSources(void**) {
  SimWorld world({}, kOrdinary, 27);
  world.AddServer({}, Iburst(4, 4));
  world.engine().SetLeapNotice(wire::Leap::kDeleteSecond);
  world.RunUntil(60);
  assert_true(world.engine().system().leap == wire::Leap::kDeleteSecond);
}

// The end of 29 February 2036, 23 days after the simulation's start.
constexpr LeapSchedule::Seconds kMarch = 4296931200;
constexpr double kMidnight = static_cast<double>(kMarch - 0xffffff00);

enum class LeapFrom : uint8_t { kTable, kSources };

// With a table, or by what the sources say, through the midnight of a leap second and on.
void LeapThroughMidnight(bool inserted, LeapFrom from) {
  const wire::Leap leap = inserted ? wire::Leap::kAddSecond : wire::Leap::kDeleteSecond;
  const LeapSchedule table({{3692217600, 37}, {kMarch, static_cast<uint8_t>(inserted ? 38 : 36)}},
                           kMarch + 86400 * 100);
  SimWorld world({}, kOrdinary, 40);
  for (int i = 0; i < 3; ++i) world.AddServer({}, Iburst(4, 6));
  const auto run_until = [&](double until, double step) {
    while (world.now() < until) {
      world.RunUntil(std::min(until, world.now() + step));
      if (from == LeapFrom::kTable)
        world.engine().SetLeapNotice(table.NoticeAt(world.system_time()));
    }
  };
  const auto announce = [&](wire::Leap said) {
    if (from == LeapFrom::kTable) return;
    for (uint16_t i = 1; i <= 3; ++i) world.server(AssocId{i}).leap = said;
  };
  // UTC less the servers' clocks.
  const auto offset = [&] {
    return std::abs(world.clock().error - world.server(AssocId{1}).clock_error);
  };

  run_until(kMidnight - 86400 - 3600, 600);
  run_until(kMidnight - 86400 - 2, 1);
  assert_true(world.engine().system().leap == wire::Leap::kNone);
  announce(leap);
  run_until(kMidnight - 86400 + 300, 1);
  assert_true(world.engine().system().leap == leap);
  run_until(kMidnight - 10, 600);
  run_until(inserted ? kMidnight : kMidnight - 1, 0.1);
  assert_true(world.engine().system().leap == leap);
  const int steps = world.steps;
  world.Leap(inserted);
  announce(wire::Leap::kNone);
  assert_true(offset() < 0.005);
  run_until(kMidnight + 3, 0.1);
  if (from == LeapFrom::kTable) assert_true(world.engine().system().leap == wire::Leap::kNone);
  run_until(kMidnight + 300, 1);
  assert_true(world.engine().system().leap == wire::Leap::kNone);
  run_until(kMidnight + 3 * kHour, 60);
  assert_int_equal(world.steps, steps);
  assert_int_equal(world.panics, 0);
  assert_true(world.engine().system().synchronised());
  assert_true(offset() < 0.005);
}

void AnInsertedSecondOfTheTableIsNoError(void**) { LeapThroughMidnight(true, LeapFrom::kTable); }
void ADeletedSecondOfTheTableIsNoError(void**) { LeapThroughMidnight(false, LeapFrom::kTable); }
void AnInsertedSecondOfTheSourcesIsNoError(void**) {
  LeapThroughMidnight(true, LeapFrom::kSources);
}
void ADeletedSecondOfTheSourcesIsNoError(void**) { LeapThroughMidnight(false, LeapFrom::kSources); }

void ANoticeCountsAtOnceAndItsEndToo(void**) {
  SimWorld world({}, kOrdinary, 41);
  for (int i = 0; i < 3; ++i) world.AddServer({}, Iburst(4, 4));
  world.engine().SetLeapNotice(wire::Leap::kAddSecond);
  assert_true(world.engine().system().leap == wire::Leap::kAlarm);
  world.RunUntil(kHour);
  world.engine().SetLeapNotice(wire::Leap::kNone);
  assert_true(world.engine().system().leap == wire::Leap::kNone);
  for (uint16_t i = 1; i <= 3; ++i) world.server(AssocId{i}).leap = wire::Leap::kDeleteSecond;
  world.RunUntil(kHour + 300);
  assert_true(world.engine().system().leap == wire::Leap::kNone);
  world.engine().SetLeapNotice(std::nullopt);
  assert_true(world.engine().system().leap == wire::Leap::kDeleteSecond);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LeapOfTheSourcesIsPassedOnAndTakenBack),
      cmocka_unit_test(VerifiedLeapTableOutvotesTheSources),
      cmocka_unit_test(AnInsertedSecondOfTheTableIsNoError),
      cmocka_unit_test(ADeletedSecondOfTheTableIsNoError),
      cmocka_unit_test(AnInsertedSecondOfTheSourcesIsNoError),
      cmocka_unit_test(ADeletedSecondOfTheSourcesIsNoError),
      cmocka_unit_test(ANoticeCountsAtOnceAndItsEndToo),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
