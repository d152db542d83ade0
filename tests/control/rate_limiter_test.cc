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

// From so many addresses that each bucket of their kind is used up.
void Flood(RateLimiter* limiter, Standing standing, MonoTime now) {
  for (uint8_t a = 0; a < 80; ++a)
    for (unsigned b = 0; b < 256; ++b)
      while (limiter->Allow(IpAddress::V4(10, a, static_cast<uint8_t>(b), 1), standing, now)) {
      }
}

void AFloodOfOneKindOfSenderCostsTheOthersNothing(void**) {
  constexpr Standing kAll[] = {Standing::kStranger, Standing::kBelieved, Standing::kShowsMac};
  const MonoTime now = MonoTime::FromSeconds(10);
  for (const Standing flooded : kAll) {
    RateLimiter limiter(5);
    Flood(&limiter, flooded, now);
    for (const Standing honest : kAll) {
      int allowed = 0;
      for (uint8_t host = 0; host < 250; ++host)
        allowed += limiter.Allow(IpAddress::V4(192, 0, host, 1), honest, now);
      assert_int_equal(allowed, honest == flooded ? 0 : 250);
    }
  }
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LimiterRefillsAtItsRate),
      cmocka_unit_test(LoopbackMayAskInBursts),
      cmocka_unit_test(AFloodOfOneKindOfSenderCostsTheOthersNothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
