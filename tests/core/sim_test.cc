// Virtual days: the engine holds the time through what happens to servers, networks and
// oscillators.
#include <cmath>

#include "tests/core/sim_world.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::Iburst;
using test::kDay;
using test::kHour;
using test::kOrdinary;
using test::SimClock;
using test::SimServer;
using test::SimWorld;
using wire::SystemEvent;

SimServer WithError(double clock_error) {
  SimServer server;
  server.clock_error = clock_error;
  return server;
}

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
      cmocka_unit_test(RootFiguresAddUp),
      cmocka_unit_test(UnsynchronisedServersAreNotFollowed),
      cmocka_unit_test(HostilePacketsBetweenHonestOnesChangeNothing),
      cmocka_unit_test(AYearTakesSeconds),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
