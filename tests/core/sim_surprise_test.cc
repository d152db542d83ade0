// What nobody foresaw: a wrong answer, a step of all servers, one that passes, one that comes and
// goes. What that may do to the clock.
#include <algorithm>
#include <cmath>

#include "tests/core/sim_world.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::Iburst;
using test::kHour;
using test::kOrdinary;
using test::SimServer;
using test::SimWorld;

constexpr int kMostServers = 4;
constexpr int kPolls[] = {4, 6};

// A host that has followed its servers for two hours; their paths are a bit longer one way.
struct Settled {
  SimWorld world{{}, kOrdinary, 7};
  std::vector<AssocId> servers;

  Settled(int count, int minpoll) {
    for (int i = 0; i < count; ++i) {
      SimServer server;
      server.delay_out = 0.005 + 0.001 * i;
      servers.push_back(world.AddServer(server, Iburst(minpoll)));
    }
    world.RunUntil(2 * kHour);
  }
  // Sets the clocks of the first `count` servers.
  void Set(size_t count, double error) {
    for (size_t i = 0; i < count; ++i) world.server(servers[i]).clock_error = error;
  }
};

void Shift(wire::Header* header, double seconds) {
  for (NtpTimestamp* time : {&header->receive, &header->transmit, &header->reference})
    *time = *time + NtpDuration::FromSeconds(seconds);
}

void OneWrongAnswerMovesNothing(void**) {
  for (const int minpoll : kPolls) {
    for (const double lie : {0.02, 0.1, 0.5, 900.0}) {
      for (int count = 1; count <= kMostServers; ++count) {
        Settled host(count, minpoll);
        int answers = 0;
        host.world.server(host.servers[0]).spoil = [&](wire::Header* header) {
          if (++answers == 1) Shift(header, lie);
        };
        assert_true(host.world.RunUntil(4 * kHour).max < 0.006);
        assert_true(answers > 1);
        assert_int_equal(host.world.steps, 0);
      }
    }
  }
}

void WhatAllServersDoIsStepped(void**) {
  for (const int minpoll : kPolls) {
    for (const double step : {-900.0, 5.0}) {
      for (int count = 1; count <= kMostServers; ++count) {
        Settled host(count, minpoll);
        host.Set(host.servers.size(), step);
        for (int minute = 1; minute <= 60 || host.world.steps == 0; ++minute) {
          assert_true(minute <= 120);
          host.world.RunUntil(2 * kHour + 60 * minute);
          if (host.world.steps != 0) assert_true(std::abs(host.world.clock().error - step) < 0.002);
        }
        assert_int_equal(host.world.steps, 1);
      }
    }
  }
}

void WhatPassesBeforeTheStepLeavesNoTrace(void**) {
  for (const int minpoll : kPolls) {
    for (const double spike : {0.5, 500.0}) {
      for (int count = 1; count <= kMostServers; ++count) {
        Settled host(count, minpoll);
        host.Set(host.servers.size(), spike);
        double worst = host.world.RunUntil(2 * kHour + 250).max;
        host.Set(host.servers.size(), 0);
        worst = std::max(worst, host.world.RunUntil(4 * kHour).max);
        assert_true(worst < 0.002);
        assert_int_equal(host.world.steps, 0);
      }
    }
  }
}

// Below the limit for a step.
void AJumpIsSlewedWithoutGoingTooFar(void**) {
  for (const int minpoll : kPolls) {
    for (int count = 1; count <= kMostServers; ++count) {
      Settled host(count, minpoll);
      const double goal = host.world.clock().error + 0.1;
      host.Set(host.servers.size(), 0.1);
      double overshoot = 0;
      for (int minute = 1; minute <= 60; ++minute) {
        host.world.RunUntil(2 * kHour + 60 * minute);
        overshoot = std::max(overshoot, host.world.clock().error - goal);
      }
      assert_true(overshoot < 0.008);
      assert_true(std::abs(host.world.clock().error - goal) < 0.002);
    }
  }
}

void AMinorityThatComesAndGoesShakesNobody(void**) {
  for (const int minpoll : kPolls) {
    for (const int count : {3, 6}) {
      Settled host(count, minpoll);
      double worst = 0;
      for (int round = 1; round <= 144; ++round) {
        host.Set(host.servers.size() / 3, round % 2 == 0 ? 0.05 : 0);
        worst = std::max(worst, host.world.RunUntil(2 * kHour + 600 * round).max);
      }
      assert_true(worst < 0.01);
    }
  }
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(OneWrongAnswerMovesNothing),
      cmocka_unit_test(WhatAllServersDoIsStepped),
      cmocka_unit_test(WhatPassesBeforeTheStepLeavesNoTrace),
      cmocka_unit_test(AJumpIsSlewedWithoutGoingTooFar),
      cmocka_unit_test(AMinorityThatComesAndGoesShakesNobody),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
