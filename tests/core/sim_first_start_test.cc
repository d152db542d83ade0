// The first minutes of a host: what it makes of a frequency that nothing is known of, or something
// wrong, behind paths that tell little. What a settled host does is elsewhere.
#include <algorithm>
#include <cmath>
#include <optional>

#include "tests/core/sim_world.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::Iburst;
using test::SimServer;
using test::SimWorld;

constexpr int kHosts = 12;                         // that each case is tried with
constexpr double kVolleyEnd = 16;                  // s
constexpr double kQuiet = 0.0001, kNoisy = 0.004;  // s of mean jitter, each way

struct Start {
  std::optional<Ppm> drift_file;
  double drift = 0;  // s/s, the truth
  double jitter = 0;
  int servers = 1;
  int minpoll = 6;
};

struct Wrongs {
  double frequency = 0;  // s/s, at most after the volley
  double later = 0;      // the same after 10 minutes
  double error = 0;      // s, at most after a minute
};

void Watch(SimWorld* world, double drift, Wrongs* worst) {
  for (int second = 2; second <= 1800; second += 2) {
    world->RunUntil(second);
    const double wrong = std::abs(world->engine().discipline().frequency().value * 1e-6 + drift);
    if (second >= kVolleyEnd) worst->frequency = std::max(worst->frequency, wrong);
    if (second >= 600) worst->later = std::max(worst->later, wrong);
    if (second >= 60) worst->error = std::max(worst->error, std::abs(world->clock().error));
  }
}

// The worst of kHosts that are 10 ms off.
Wrongs Worst(const Start& start) {
  Wrongs worst;
  EngineConfig config;
  config.discipline.drift = start.drift_file;
  for (uint64_t seed = 1; seed <= kHosts; ++seed) {
    SimWorld world(config, {-0.01, start.drift, 1e-8}, seed);
    SimServer server;
    server.delay_out = server.delay_back = 0.01;
    server.jitter = start.jitter;
    for (int i = 0; i < start.servers; ++i) world.AddServer(server, Iburst(start.minpoll));
    Watch(&world, start.drift, &worst);
  }
  return worst;
}

// A few milliseconds of jitter over the seconds of a volley look like hundreds of ppm.
void JitterIsNoFrequency(void**) {
  for (const int servers : {1, 4}) {
    for (const int minpoll : {4, 6}) {
      for (const double drift : {0.0, 20e-6}) {
        const Wrongs worst = Worst({{}, drift, kNoisy, servers, minpoll});
        assert_true(worst.frequency < 170e-6);
        assert_true(worst.later < 30e-6);
        assert_true(worst.error < 0.012);
      }
    }
  }
}

void AClockThatIsFarOffIsLearnedAtOnce(void**) {
  for (const int servers : {1, 4}) {
    for (const int minpoll : {4, 6}) {
      for (const double drift : {200e-6, -450e-6}) {
        const Wrongs worst = Worst({{}, drift, kQuiet, servers, minpoll});
        assert_true(worst.later < 10e-6);
        assert_true(worst.error < 0.02);
      }
    }
  }
}

void ADriftFileOfAnotherComputerIsFoundOut(void**) {
  for (const int servers : {1, 4}) {
    for (const int minpoll : {4, 6}) {
      for (const double drift : {100e-6, -450e-6}) {
        const Wrongs worst = Worst({Ppm{0}, drift, kQuiet, servers, minpoll});
        assert_true(worst.later < 10e-6);
        assert_true(worst.error < 0.02);
      }
    }
  }
}

void ADriftFileIsKeptToThroughJitter(void**) {
  for (const int servers : {1, 4}) {
    const Wrongs worst = Worst({Ppm{0}, 0, kNoisy, servers, 6});
    assert_true(worst.frequency < 40e-6);
    assert_true(worst.error < 0.006);
  }
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(JitterIsNoFrequency),
      cmocka_unit_test(AClockThatIsFarOffIsLearnedAtOnce),
      cmocka_unit_test(ADriftFileOfAnotherComputerIsFoundOut),
      cmocka_unit_test(ADriftFileIsKeptToThroughJitter),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
