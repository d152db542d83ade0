// Whole hosts that use symmetric and broadcast associations: whether they agree.
#include "tests/core/sim_network.h"

#include <cmath>

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::SimNetwork;

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

AssociationConfig Quick(HostMode mode) {
  AssociationConfig config;
  config.mode = mode;
  config.key = test::kNetworkKey;
  config.poll.minpoll = config.poll.maxpoll = 4;
  return config;
}

void TwoPeersAgree(void**) {
  SimNetwork network(2);
  network.hosts[1].error = 0.05;
  network.AddClock(0);
  network.Associate(0, 1, Quick(HostMode::kSymmetricActive));
  network.Associate(1, 0, Quick(HostMode::kSymmetricActive));
  network.RunUntil(3600);
  assert_true(network.hosts[1].engine->system().synchronised());
  assert_int_equal(network.hosts[1].engine->system().refid, SimNetwork::RefidOf(0));
  assert_true(std::abs(network.hosts[1].error - network.hosts[0].error) < 0.003);
  // The one with the clock does not follow the one that follows it.
  assert_true(network.hosts[0]
                  .engine->Find(AssocId{2})
                  ->Unfit(At(3600), std::vector<uint32_t>{SimNetwork::RefidOf(0)}) != 0);
}

void TwoPeersAgreeOverALossyPath(void**) {
  SimNetwork network(2, 9);
  network.loss = 0.3;
  network.hosts[1].error = -0.05;
  network.AddClock(0);
  network.Associate(0, 1, Quick(HostMode::kSymmetricActive));
  network.Associate(1, 0, Quick(HostMode::kSymmetricPassive));
  network.RunUntil(3600);
  assert_true(network.hosts[1].engine->system().synchronised());
  assert_true(std::abs(network.hosts[1].error - network.hosts[0].error) < 0.003);
}

void APeerThatLosesItsSourceFollowsTheOther(void**) {
  SimNetwork network(3);
  network.AddClock(2);
  network.AddClock(0);
  AssociationConfig client = Quick(HostMode::kClient);
  network.Associate(0, 1, Quick(HostMode::kSymmetricActive));
  network.Associate(1, 0, Quick(HostMode::kSymmetricActive));
  network.Associate(1, 2, client);
  network.RunUntil(1800);
  assert_true(network.hosts[1].engine->system().synchronised());
  network.RemoveClock(0);
  network.RunUntil(3600);
  assert_int_equal(network.hosts[0].engine->system().refid, SimNetwork::RefidOf(1));
  assert_int_equal(network.hosts[1].engine->system().refid, SimNetwork::RefidOf(2));
  network.hosts[2].up = false;
  network.RunUntil(3800);
  assert_true(network.hosts[0].engine->system().synchronised());
}

void ABroadcastClientConvergesThroughNoise(void**) {
  SimNetwork network(2, 5);
  network.loss = 0.1;
  network.hosts[1].error = 0.08;
  network.AddClock(0);
  network.Associate(0, 1, Quick(HostMode::kBroadcast));
  AssociationConfig listener = Quick(HostMode::kClient);
  listener.listen = true;
  listener.poll.iburst = true;
  network.Associate(1, 0, listener);
  network.RunUntil(3600);
  assert_int_equal(network.hosts[1].engine->Find(AssocId{1})->hmode(), HostMode::kBroadcastClient);
  assert_true(network.hosts[1].engine->system().synchronised());
  assert_true(std::abs(network.hosts[1].error - network.hosts[0].error) < 0.003);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TwoPeersAgree),
      cmocka_unit_test(TwoPeersAgreeOverALossyPath),
      cmocka_unit_test(APeerThatLosesItsSourceFollowsTheOther),
      cmocka_unit_test(ABroadcastClientConvergesThroughNoise),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
