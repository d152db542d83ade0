// Sources that disagree, by their paths or because one of them is being put right: what that may do
// to a clock that has a good source.
#include <cmath>

#include "tests/core/sim_network.h"
#include "tests/core/sim_world.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::Iburst;
using test::kDay;
using test::kHour;
using test::SimNetwork;
using test::SimServer;
using test::SimWorld;

struct Wrongs {
  double error = 0;      // s, the most that a host which began right was off
  double frequency = 0;  // s/s, the most that any ran at
};

// Host 0 has the time, the others ask it and each other. Host 1 begins `error` off, below the limit
// for a step, and slews.
Wrongs Worst(HostMode mode, int hosts, int minpoll, double error) {
  SimNetwork network(hosts);
  network.AddClock(0);
  AssociationConfig server = Iburst(minpoll);
  server.key = test::kNetworkKey;
  AssociationConfig neighbour = server;
  neighbour.mode = mode;
  for (int i = 1; i < hosts; ++i) {
    network.hosts[static_cast<size_t>(i)].drift = 0;
    network.Associate(i, 0, server);
    for (int j = 1; j < hosts; ++j)
      if (j != i) network.Associate(i, j, neighbour);
  }
  network.hosts[1].error = error;
  Wrongs worst;
  for (int second = 1; second <= 3600; ++second) {
    network.RunUntil(second);
    for (size_t i = 1; i < network.hosts.size(); ++i) {
      const SimNetwork::Host& host = network.hosts[i];
      worst.frequency = std::max(worst.frequency, std::abs(host.frequency));
      if (i > 1) worst.error = std::max(worst.error, std::abs(host.error));
    }
  }
  return worst;
}

void APeerThatSlewsTakesNobodyAlong(void**) {
  for (const int hosts : {3, 4}) {
    for (const HostMode mode : {HostMode::kSymmetricActive, HostMode::kClient}) {
      const Wrongs worst = Worst(mode, hosts, 6, 0.12);
      assert_true(worst.error < 0.02);
      assert_true(worst.frequency < 200e-6);
    }
  }
}

void NorOneThatIsAskedMoreOften(void**) {
  for (const HostMode mode : {HostMode::kSymmetricActive, HostMode::kClient}) {
    const Wrongs worst = Worst(mode, 4, 4, 0.05);
    assert_true(worst.error < 0.012);
    assert_true(worst.frequency < 200e-6);
  }
}

// Servers `apart` s off to both sides, over paths that are longer one way by `asymmetry` s.
double RmsAmong(int servers, double apart, double asymmetry, double jitter) {
  SimWorld world({}, {-0.02, 30e-6, 1e-8}, 1);
  for (int i = 0; i < servers; ++i) {
    SimServer server;
    server.clock_error = apart * (2.0 * i / (servers - 1) - 1);
    server.jitter = jitter;
    (i % 2 == 0 ? server.delay_out : server.delay_back) += asymmetry;
    world.AddServer(server, Iburst(4));
  }
  world.RunUntil(kHour);
  return world.RunUntil(kDay).rms;
}

// The clock stays at what they say together, whichever is the system peer.
void TheClockDoesNotHopBetweenThem(void**) {
  assert_true(RmsAmong(4, 0.002, 0, 0.0001) < 0.0004);
  assert_true(RmsAmong(3, 0.002, 0, 0.0001) < 0.0001);
  assert_true(RmsAmong(4, 0, 0.04, 0.001) < 0.004);
}

// More of them than clustering leaves, so that others survive with each sample.
void NorDoesItsFrequency(void**) {
  for (int servers = 4; servers <= 7; ++servers) {
    for (const double apart : {0.001, 0.005}) {
      SimWorld world({}, test::kOrdinary, 1);
      for (int i = 0; i < servers; ++i) {
        SimServer server;
        server.clock_error = apart * (2.0 * i / (servers - 1) - 1);
        server.root_dispersion = 0.03;
        server.delay_out += 0.001 * i;
        world.AddServer(server, Iburst());
      }
      world.RunUntil(6 * kHour);
      for (int minute = 1; minute <= 12 * 60; ++minute) {
        world.RunUntil(6 * kHour + 60 * minute);
        const double frequency = world.engine().discipline().frequency().value * 1e-6;
        assert_true(std::abs(frequency + world.clock().drift) < 20e-6);
      }
    }
  }
}

// It lies within the bounds of the others, so that nothing calls it false.
void OneThatIsOffMovesNobody(void**) {
  constexpr double kOff = 0.027;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SimWorld world({}, test::kOrdinary, seed);
    for (int i = 0; i < 5; ++i) {
      SimServer server;
      server.clock_error = i == 4 ? kOff : 0.00003 * i;
      server.root_dispersion = 0.03;
      world.AddServer(server, Iburst());
    }
    world.RunUntil(kHour);
    assert_true(world.RunUntil(6 * kHour).max < kOff / 10);
  }
}

// Where they agree each of them helps: four samples are worth more than one.
void SourcesThatAgreeAreAveraged(void**) {
  SimWorld one({}, {-0.02, 30e-6, 1e-8}, 1), four({}, {-0.02, 30e-6, 1e-8}, 1);
  SimServer server;
  server.jitter = 0.001;
  one.AddServer(server, Iburst());
  for (int i = 0; i < 4; ++i) four.AddServer(server, Iburst());
  one.RunUntil(kHour);
  four.RunUntil(kHour);
  assert_true(four.RunUntil(kDay).rms < 0.8 * one.RunUntil(kDay).rms);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(APeerThatSlewsTakesNobodyAlong),
      cmocka_unit_test(NorOneThatIsAskedMoreOften),
      cmocka_unit_test(TheClockDoesNotHopBetweenThem),
      cmocka_unit_test(NorDoesItsFrequency),
      cmocka_unit_test(OneThatIsOffMovesNobody),
      cmocka_unit_test(SourcesThatAgreeAreAveraged),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
