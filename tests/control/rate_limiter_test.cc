// What mode 6 answers to one source: a rate, and bursts from this host.
#include "ntpd/control/rate_limiter.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::control {
namespace {

void LimiterRefillsAtItsRate(void**) {
  RateLimiter limiter(5);
  const IpAddress source = *IpAddress::Parse("2001:db8::1");
  const MonoTime start = MonoTime::FromSeconds(10);
  while (limiter.Allow(source, Standing::kStranger, start)) {
  }
  int allowed = 0;
  for (int i = 0; i < 100; ++i) allowed += limiter.Allow(source, Standing::kStranger, start + 1.0);
  assert_int_equal(allowed, 20);
  // The same /64, and time that went back, bring nothing.
  assert_false(
      limiter.Allow(*IpAddress::Parse("2001:db8::ffff"), Standing::kStranger, start + 1.0));
  assert_false(limiter.Allow(source, Standing::kStranger, start));
}

void LoopbackMayAskInBursts(void**) {
  RateLimiter limiter(5);
  const IpAddress local = IpAddress::V4(127, 0, 0, 1);
  for (int i = 0; i < 1000; ++i) assert_true(limiter.Allow(local, Standing::kStranger, MonoTime()));
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LimiterRefillsAtItsRate),
      cmocka_unit_test(LoopbackMayAskInBursts),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
