// What `limited` lets pass, what `kod` says, and that the table stays within its bounds.
#include "ntpd/core/rate_limit.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

constexpr SipKey kSeed = {1, 2};
const AccessFlags kLimitedOnly = Access::kLimited;
const AccessFlags kLimitedKod = Access::kLimited | Access::kKod;

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }
SocketAddress Source(uint32_t n) {
  return {IpAddress::V4(10, static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8),
                        static_cast<uint8_t>(n)),
          123};
}
RateDecision Ask(RateLimiter& limiter, uint32_t n, AccessFlags flags, double when) {
  RecentRequest request;
  request.source = Source(n);
  request.flags = flags;
  request.version = 4;
  request.mode = 3;
  request.received = NtpTimestamp() + NtpDuration::FromSeconds(1e9 + when);
  return limiter.OnRequest(request, At(when));
}

void ServesAVolleyOfEightAtTwoSeconds(void**) {
  RateLimiter limiter({}, kSeed);
  for (int i = 0; i < 8; ++i)
    assert_true(Ask(limiter, 1, kLimitedOnly, 2.0 * i) == RateDecision::kServe);
}

void DropsAFloodAndServesAgainAfterAPause(void**) {
  RateLimiter limiter({}, kSeed);
  int served = 0;
  for (int i = 0; i < 1000; ++i)
    served += Ask(limiter, 1, kLimitedOnly, i * 0.01) == RateDecision::kServe;
  assert_int_equal(served, 1);
  assert_true(Ask(limiter, 1, kLimitedOnly, 30) == RateDecision::kServe);
}

void MeanHeadwayIsEnforcedForASteadySender(void**) {
  RateLimiter limiter({}, kSeed);
  int served = 0;
  for (int i = 0; i < 1000; ++i)
    served += Ask(limiter, 1, kLimitedOnly, 3.0 * i) == RateDecision::kServe;
  assert_in_range(served, 360, 400);  // 3000 s at one in 8 s, and a burst
}

void WithoutLimitedEverythingIsServedAndCounted(void**) {
  RateLimiter limiter({}, kSeed);
  for (int i = 0; i < 100; ++i)
    assert_true(Ask(limiter, 1, AccessFlags(), i * 0.001) == RateDecision::kServe);
  assert_int_equal(limiter.Find(Source(1).ip)->count, 100);
}

void WhoseMacIsGoodHasAMeasureOfItsOwn(void**) {
  RateLimiter limiter({}, kSeed);
  int proved = 0;
  // A stranger's packet each half second in a name, whose owner asks every 16 s.
  for (int i = 0; i < 2000; ++i) {
    (void)Ask(limiter, 1, kLimitedKod, i * 0.5);
    if (i % 32 == 5) proved += limiter.OnProved(Source(1).ip, At(i * 0.5));
  }
  assert_int_equal(proved, 63);
  // The owner's limits are the same: a key is no licence to flood.
  int served = 0;
  for (int i = 0; i < 1000; ++i) served += limiter.OnProved(Source(1).ip, At(2000 + i * 0.01));
  assert_int_equal(served, 1);
  for (int i = 0; i < 1000; ++i) served += limiter.OnProved(Source(1).ip, At(3000 + 3.0 * i));
  assert_in_range(served, 360, 400);
  assert_false(limiter.OnProved(Source(2).ip, At(9000)));
}

void KissOfDeathComesOncePerInterval(void**) {
  RateLimiter limiter({}, kSeed);
  int kisses = 0, served = 0;
  for (int i = 0; i < 800; ++i) {
    const RateDecision decision = Ask(limiter, 1, kLimitedKod, i * 0.1);
    kisses += decision == RateDecision::kKissOfDeath;
    served += decision == RateDecision::kServe;
  }
  assert_int_equal(served, 1);
  assert_int_equal(kisses, 10);  // 80 s, one in 8
}

void NoserveIsToldWithKodAndSilentWithout(void**) {
  RateLimiter limiter({}, kSeed);
  assert_true(Ask(limiter, 1, Access::kNoServe, 0) == RateDecision::kDrop);
  assert_true(Ask(limiter, 2, Access::kNoServe | Access::kKod, 0) == RateDecision::kKissOfDeath);
  assert_true(Ask(limiter, 2, Access::kNoServe | Access::kKod, 4) == RateDecision::kDrop);
}

// What ntpq shows as '.', 'K' and 'L' in each client's row.
void ARowTellsWhatBecameOfTheLastRequest(void**) {
  RateLimiter limiter({}, kSeed);
  const AccessFlags rules = Access::kLimited | Access::kKod | Access::kNoModify;
  const auto shown = [&](double when) {
    (void)Ask(limiter, 1, rules, when);
    return limiter.Find(Source(1).ip)->flags.bits;
  };
  assert_int_equal(shown(0), 0x100);
  assert_int_equal(shown(0.1), 0x940);
  assert_int_equal(shown(0.2), 0x140);
  assert_int_equal(shown(60), 0x100);
}

void FullTableForgetsTheOldestSourceOnly(void**) {
  RateLimitConfig config;
  config.capacity = 100;
  RateLimiter limiter(config, kSeed);
  for (uint32_t n = 0; n < 1000; ++n) {
    Ask(limiter, n, kLimitedOnly, n * 0.001);
    Ask(limiter, 0, kLimitedOnly, n * 0.001);  // stays in use
  }
  assert_int_equal(limiter.size(), 100);
  assert_non_null(limiter.Find(Source(0).ip));
  assert_non_null(limiter.Find(Source(999).ip));
  assert_non_null(limiter.Find(Source(901).ip));
  assert_null(limiter.Find(Source(900).ip));
}

void SourcesAreWalkedInTheOrderOfTheirLastRequests(void**) {
  RateLimiter limiter({}, kSeed);
  assert_null(limiter.Oldest());
  for (const uint32_t n : {1U, 2U, 3U, 1U}) Ask(limiter, n, kLimitedOnly, 10.0 * n);
  std::vector<SocketAddress> order;
  for (const RecentSource* at = limiter.Oldest(); at != nullptr; at = limiter.Newer(at->address.ip))
    order.push_back(at->address);
  assert_true((order == std::vector<SocketAddress>{Source(2), Source(3), Source(1)}));
  assert_null(limiter.Newer(Source(4).ip));
}

void RowsTellFirstAndLastRequest(void**) {
  RateLimiter limiter({}, kSeed);
  for (const double when : {0.0, 20.0, 50.0}) Ask(limiter, 1, kLimitedOnly, when);
  const RecentSource* row = limiter.Find(Source(1).ip);
  assert_int_equal(row->count, 3);
  assert_int_equal(row->first.seconds(), 1000000000);
  assert_int_equal(row->last.seconds(), 1000000050);
}

void ATableOfOneWorks(void**) {
  RateLimitConfig config;
  config.capacity = 0;  // raised to one
  RateLimiter limiter(config, kSeed);
  for (uint32_t n = 0; n < 10; ++n)
    assert_true(Ask(limiter, n, kLimitedOnly, n) == RateDecision::kServe);
  assert_int_equal(limiter.size(), 1);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ServesAVolleyOfEightAtTwoSeconds),
      cmocka_unit_test(DropsAFloodAndServesAgainAfterAPause),
      cmocka_unit_test(MeanHeadwayIsEnforcedForASteadySender),
      cmocka_unit_test(WithoutLimitedEverythingIsServedAndCounted),
      cmocka_unit_test(WhoseMacIsGoodHasAMeasureOfItsOwn),
      cmocka_unit_test(KissOfDeathComesOncePerInterval),
      cmocka_unit_test(NoserveIsToldWithKodAndSilentWithout),
      cmocka_unit_test(ARowTellsWhatBecameOfTheLastRequest),
      cmocka_unit_test(FullTableForgetsTheOldestSourceOnly),
      cmocka_unit_test(SourcesAreWalkedInTheOrderOfTheirLastRequests),
      cmocka_unit_test(RowsTellFirstAndLastRequest),
      cmocka_unit_test(ATableOfOneWorks),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
