// A group of peers whose server is there for a while only: what it leaves behind.
#include <algorithm>
#include <cmath>

#include "tests/core/sim_network.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::SimNetwork;

constexpr int kGroup = 3;
constexpr double kErrors[] = {0.03, -0.02, 0.05};  // s, of the group at the start

AssociationConfig With(HostMode mode) {
  AssociationConfig config;
  config.mode = mode;
  config.key = test::kNetworkKey;
  config.poll.minpoll = 3;
  config.poll.maxpoll = 4;
  config.poll.iburst = mode == HostMode::kClient;
  return config;
}

// Host 0 is the server, and down; the others ask it and each other, and know their frequency.
SimNetwork Group(uint64_t seed) {
  EngineConfig config;
  config.parameters.orphan = 6;
  config.parameters.orphanwait = 20;
  config.discipline.drift = Ppm{0};
  SimNetwork network(1 + kGroup, seed, config);
  network.AddClock(0);
  network.hosts[0].up = false;
  for (int i = 1; i <= kGroup; ++i) {
    network.hosts[static_cast<size_t>(i)].drift = 0;
    network.hosts[static_cast<size_t>(i)].error = kErrors[i - 1];
    network.Associate(i, 0, With(HostMode::kClient));
    for (int j = 1; j <= kGroup; ++j)
      if (j != i) network.Associate(i, j, With(HostMode::kSymmetricActive));
  }
  return network;
}

double WorstFrequency(const SimNetwork& network) {
  double worst = 0;
  for (const SimNetwork::Host& host : network.hosts)
    worst = std::max(worst, std::abs(host.frequency));
  return worst;
}

double WorstError(const SimNetwork& network) {
  double worst = 0;
  for (const SimNetwork::Host& host : network.hosts) worst = std::max(worst, std::abs(host.error));
  return worst;
}

// The paths are off by up to 2 ms.
void AShortVisitBendsNoFrequency(void**) {
  for (const double visit : {90.0, 300.0}) {
    for (uint64_t seed = 1; seed <= 12; ++seed) {
      SimNetwork network = Group(seed);
      network.RunUntil(150);
      network.hosts[0].up = true;
      network.RunUntil(150 + visit);
      network.hosts[0].up = false;
      for (int second = 550; second <= 1550; second += 10) {
        network.RunUntil(visit + second);
        assert_true(WorstFrequency(network) < 40e-6);
        assert_true(WorstError(network) < 0.04);
      }
    }
  }
}

void PeersThatHaveTheSameServerDoNotChaseEachOther(void**) {
  SimNetwork network = Group(1);
  network.hosts[0].up = true;
  network.RunUntil(3600);
  double sum = 0;
  constexpr int kLooks = 720;
  for (int i = 1; i <= kLooks; ++i) {
    network.RunUntil(3600 + 10 * i);
    sum += std::pow(WorstFrequency(network), 2);
  }
  assert_true(std::sqrt(sum / kLooks) < 6e-6);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AShortVisitBendsNoFrequency),
      cmocka_unit_test(PeersThatHaveTheSameServerDoNotChaseEachOther),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
