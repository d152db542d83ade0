// Virtual days: the engine holds the time through what happens to servers, networks and
// oscillators.
#include <cmath>

#include "ntpd/core/leap_schedule.h"
#include "tests/core/sim_world.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::SimClock;
using test::SimServer;
using test::SimWorld;
using wire::SystemEvent;

constexpr double kHour = 3600, kDay = 86400;

AssociationConfig Iburst(int minpoll = 6, int maxpoll = 10) {
  AssociationConfig config;
  config.poll = {minpoll, maxpoll, true, false};
  return config;
}
SimServer WithError(double clock_error) {
  SimServer server;
  server.clock_error = clock_error;
  return server;
}
constexpr SimClock kOrdinary = {-0.05, 50e-6, 1e-8};

void HoldsAnOrdinaryClockForAWeek(void**) {
  SimWorld world({}, kOrdinary, 1);
  world.AddServer({}, Iburst());
  world.RunUntil(kHour);
  const auto statistics = world.RunUntil(7 * kDay);
  assert_true(statistics.rms < 100e-6);
  assert_true(statistics.max < 1e-3);
  assert_int_equal(world.steps, 0);
}

void PollRisesToMaxpollOnAQuietClockAndFallsOnARestlessOne(void**) {
  SimWorld quiet({}, {0, 20e-6, 1e-10}, 2);
  quiet.AddServer({}, Iburst());
  quiet.RunUntil(kDay);
  assert_int_equal(quiet.engine().discipline().poll(), 10);
  assert_true(quiet.server(AssocId{1}).requests < 300);
  quiet.clock().wander = 1e-6;
  quiet.RunUntil(2 * kDay);
  assert_int_equal(quiet.engine().discipline().poll(), 6);
}

void FindsTheFrequencyFromOneVolley(void**) {
  SimWorld world({}, {0.001, -80e-6, 0}, 3);
  SimServer near;
  near.jitter = 20e-6;
  world.AddServer(near, Iburst());
  world.RunUntil(90);
  assert_true(std::abs(world.engine().discipline().frequency().value - 80) < 3);
  assert_true(std::abs(world.clock().error) < 200e-6);
}

void DriftFileMakesTheStartSmooth(void**) {
  EngineConfig config;
  config.discipline.drift = Ppm{42};
  SimWorld world(config, {0, -42e-6, 0}, 4);
  world.AddServer({}, Iburst());
  const auto statistics = world.RunUntil(kHour);
  assert_true(statistics.max < 300e-6);
  assert_true(world.HasEvent(AssocId{}, static_cast<int>(SystemEvent::kFrequencySet)));
}

void SurvivesTheEndOfTheEra(void**) {
  SimWorld world({}, kOrdinary, 5);  // the simulation starts 256 s before it
  world.AddServer({}, Iburst());
  assert_true(world.system_time().seconds() > 0xfffffe00U);
  world.RunUntil(400);
  assert_true(world.system_time().seconds() < 1000);
  const auto statistics = world.RunUntil(kHour);
  assert_true(statistics.max < 1e-3);
  assert_int_equal(world.steps, 0);
}

void RejectsAFalseticker(void**) {
  SimWorld world({}, kOrdinary, 6);
  world.AddServer({}, Iburst());
  world.AddServer({}, Iburst());
  const AssocId liar = world.AddServer(WithError(0.3), Iburst());
  world.RunUntil(kHour);
  const auto statistics = world.RunUntil(kDay);
  assert_true(statistics.max < 1e-3);
  assert_int_equal(world.steps, 0);
  assert_true(world.engine().Find(liar)->selection() == wire::Selection::kFalsetick);
}

// The one that answers first must not step the clock before the others were heard.
void LiarThatAnswersFirstDoesNotStepTheClock(void**) {
  SimWorld world({}, {0, 0, 0}, 7);
  SimServer liar = WithError(50);
  liar.delay_out = liar.delay_back = 1e-4;
  SimServer far;
  far.delay_out = far.delay_back = 0.15;
  world.AddServer(liar, Iburst());
  world.AddServer(far, Iburst());
  world.AddServer(far, Iburst());
  const auto statistics = world.RunUntil(kHour);
  assert_int_equal(world.steps, 0);
  assert_true(statistics.max < 0.02);
}

void SilentServersDoNotHoldUpTheStart(void**) {
  SimWorld world({}, {0.01, 0, 0}, 8);
  SimServer down;
  down.up = false;
  world.AddServer(down, Iburst());
  world.AddServer({}, Iburst());
  world.RunUntil(5);
  assert_int_equal(world.engine().system().system_peer.value, 2);
}

void ServerThatTurnsFalseIsDropped(void**) {
  SimWorld world({}, kOrdinary, 9);
  for (int i = 0; i < 4; ++i) world.AddServer({}, Iburst());
  world.RunUntil(6 * kHour);
  world.server(AssocId{1}).clock_error = 0.05;
  const auto statistics = world.RunUntil(kDay);
  assert_true(statistics.max < 5e-3);
  assert_int_equal(world.steps, 0);
}

void LostServerLeavesADriftingClockAndIsTakenBack(void**) {
  SimWorld world({}, kOrdinary, 10);
  const AssocId id = world.AddServer({}, Iburst());
  world.RunUntil(6 * kHour);
  world.server(id).up = false;
  const auto alone = world.RunUntil(18 * kHour);
  assert_int_equal(world.engine().system().system_peer.value, 0);
  assert_int_equal(world.engine().Find(id)->schedule().reach(), 0);
  assert_true(world.HasEvent(AssocId{}, static_cast<int>(SystemEvent::kNoSystemPeer)));
  // What we serve says how bad it may have become.
  assert_true(world.engine().system().RootDispersionAt(world.mono()) > alone.max);
  world.server(id).up = true;
  world.RunUntil(18.5 * kHour);
  assert_int_equal(world.engine().system().system_peer.value, id.value);
  assert_true(std::abs(world.clock().error) < 1e-3);
}

void ServerIsBackInSecondsAtMinpollFour(void**) {
  SimWorld world({}, kOrdinary, 11);
  const AssocId id = world.AddServer({}, Iburst(4, 4));
  world.RunUntil(kHour);
  world.server(id).up = false;
  world.RunUntil(kHour + 300);
  assert_int_equal(world.engine().Find(id)->schedule().reach(), 0);
  world.server(id).up = true;
  world.RunUntil(kHour + 330);
  assert_int_equal(world.engine().system().system_peer.value, id.value);
}

void LossAndReorderingAreHarmless(void**) {
  SimWorld world({}, kOrdinary, 12);
  SimServer lossy;
  lossy.loss = 0.3;
  lossy.jitter = 0.005;
  world.AddServer(lossy, Iburst());
  world.RunUntil(6 * kHour);
  assert_true(world.RunUntil(2 * kDay).max < 0.02);
}

void LongerPathIsLearned(void**) {
  SimWorld world({}, kOrdinary, 13);
  const AssocId id = world.AddServer({}, Iburst(6, 6));
  world.RunUntil(6 * kHour);
  world.server(id).delay_out += 0.02;
  world.server(id).delay_back += 0.02;
  world.RunUntil(8 * kHour);
  assert_true(world.RunUntil(kDay).max < 1e-3);
}

// Two hundred times the usual jitter, 40 ms of round trip on average.
void CongestionIsNotFollowed(void**) {
  SimWorld world({}, {0, 50e-6, 1e-9}, 14);
  const AssocId id = world.AddServer({}, Iburst(6, 6));
  world.RunUntil(6 * kHour);
  world.server(id).jitter = 0.02;
  assert_true(world.RunUntil(8 * kHour).max < 3e-3);
}

void TemperatureSwingsAreFollowed(void**) {
  SimWorld world({}, {0, 50e-6, 0}, 15);
  world.AddServer({}, Iburst());
  world.RunUntil(kHour);
  double worst = 0;
  for (double t = kHour; t < 2 * kDay; t += 60) {
    world.clock().drift = 50e-6 + 0.5e-6 * std::sin(t * 6.283 / 7200);  // an air conditioner
    worst = std::max(worst, world.RunUntil(t).max);
  }
  assert_true(worst < 2e-3);
}

void FrequencyJumpIsLearned(void**) {
  SimWorld world({}, {0, 50e-6, 1e-9}, 16);
  world.AddServer({}, Iburst());
  world.RunUntil(12 * kHour);
  world.clock().drift += 5e-6;
  assert_true(world.RunUntil(14 * kHour).max < 0.02);
  assert_true(world.RunUntil(kDay).max < 1e-3);
  assert_int_equal(world.steps, 0);
}

// --- steps and panics ---------------------------------------------------------------------------

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

// --- what is passed on --------------------------------------------------------------------------

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

void RootFiguresAddUp(void**) {
  SimWorld world({}, {0, 0, 0}, 28);
  SimServer server;
  server.stratum = 4;
  server.root_delay = 0.1;
  server.root_dispersion = 0.05;
  world.AddServer(server, Iburst());
  world.RunUntil(60);
  const SystemState& system = world.engine().system();
  assert_int_equal(system.stratum, 5);
  assert_int_equal(system.refid, 0x0a000001);
  assert_true(system.root_delay > 0.109 && system.root_delay < 0.115);
  assert_true(system.root_dispersion > 0.055 && system.root_dispersion < 0.070);
}

void UnsynchronisedServersAreNotFollowed(void**) {
  SimWorld world({}, kOrdinary, 29);
  SimServer server;
  server.leap = wire::Leap::kAlarm;
  const AssocId id = world.AddServer(server, Iburst());
  world.RunUntil(kHour);
  assert_false(world.engine().system().synchronised());
  assert_true(world.engine().Find(id)->schedule().reach() != 0);
  // Once it has the time, so have we within the next polls.
  world.server(id).leap = wire::Leap::kNone;
  world.RunUntil(kHour + 200);
  assert_true(world.engine().system().synchronised());
}

void HostilePacketsBetweenHonestOnesChangeNothing(void**) {
  const auto run = [](bool hostile) {
    SimWorld world({}, kOrdinary, 30);
    const AssocId id = world.AddServer({}, Iburst());
    for (double t = 1; t < 2 * kHour; t += 10) {
      world.RunUntil(t);
      if (!hostile) continue;
      wire::Header forged;
      forged.leap = wire::Leap::kAddSecond;
      forged.mode = wire::Mode::kServer;
      forged.stratum = 1;
      forged.poll = 17;
      forged.receive = forged.transmit = world.TimeWithError(1000);
      for (uint64_t origin : {uint64_t{0}, uint64_t{1}, uint64_t{0xffffffffffffffff}}) {
        forged.origin = NtpTimestamp::FromRaw(origin);
        assert_false(world.engine()
                         .OnReply(id, forged, std::nullopt, world.system_time(), world.mono())
                         .ok());
      }
    }
    return world.RunUntil(3 * kHour).rms;
  };
  assert_true(std::abs(run(true) - run(false)) < 20e-6);
}

void AYearTakesSeconds(void**) {
  SimWorld world({}, {0.01, 50e-6, 1e-9}, 31);
  world.AddServer({}, Iburst());
  world.RunUntil(kDay);
  const auto statistics = world.RunUntil(366 * kDay);
  assert_true(statistics.rms < 100e-6);
  assert_true(statistics.max < 1e-3);
  assert_int_equal(world.steps, 0);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(HoldsAnOrdinaryClockForAWeek),
      cmocka_unit_test(PollRisesToMaxpollOnAQuietClockAndFallsOnARestlessOne),
      cmocka_unit_test(FindsTheFrequencyFromOneVolley),
      cmocka_unit_test(DriftFileMakesTheStartSmooth),
      cmocka_unit_test(SurvivesTheEndOfTheEra),
      cmocka_unit_test(RejectsAFalseticker),
      cmocka_unit_test(LiarThatAnswersFirstDoesNotStepTheClock),
      cmocka_unit_test(SilentServersDoNotHoldUpTheStart),
      cmocka_unit_test(ServerThatTurnsFalseIsDropped),
      cmocka_unit_test(LostServerLeavesADriftingClockAndIsTakenBack),
      cmocka_unit_test(ServerIsBackInSecondsAtMinpollFour),
      cmocka_unit_test(LossAndReorderingAreHarmless),
      cmocka_unit_test(LongerPathIsLearned),
      cmocka_unit_test(CongestionIsNotFollowed),
      cmocka_unit_test(TemperatureSwingsAreFollowed),
      cmocka_unit_test(FrequencyJumpIsLearned),
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
      cmocka_unit_test(LeapOfTheSourcesIsPassedOnAndTakenBack),
      cmocka_unit_test(VerifiedLeapTableOutvotesTheSources),
      cmocka_unit_test(AnInsertedSecondOfTheTableIsNoError),
      cmocka_unit_test(ADeletedSecondOfTheTableIsNoError),
      cmocka_unit_test(AnInsertedSecondOfTheSourcesIsNoError),
      cmocka_unit_test(ADeletedSecondOfTheSourcesIsNoError),
      cmocka_unit_test(ANoticeCountsAtOnceAndItsEndToo),
      cmocka_unit_test(RootFiguresAddUp),
      cmocka_unit_test(UnsynchronisedServersAreNotFollowed),
      cmocka_unit_test(HostilePacketsBetweenHonestOnesChangeNothing),
      cmocka_unit_test(AYearTakesSeconds),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
