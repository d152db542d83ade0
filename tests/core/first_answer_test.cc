#include "ntpd/core/first_answer.h"

#include <random>

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

const SocketAddress kStranger{IpAddress::V4(192, 0, 2, 1), 123};
const IpAddress kOurs = IpAddress::V4(198, 51, 100, 1);
constexpr SipKey kKey{0x0123456789abcdef, 0xfedcba9876543210};
const NtpTimestamp kNow = NtpTimestamp::FromRaw(0xe8000000'7fffffff);

NtpTimestamp After(double seconds) { return kNow + NtpDuration::FromSeconds(seconds); }

void WhatCameBackFromWhereItWasSentIsKnown(void**) {
  const FirstAnswer answer(kKey);
  const NtpTimestamp sent = answer.TransmitTime(kStranger, kOurs, kNow);
  for (const double age : {0.0, 0.01, 2.0, 64.0, 1024.0, 1199.0})
    assert_true(answer.IsEchoed(sent, kStranger, kOurs, After(age)));
  for (const double age : {-1.0, -3600.0, 1201.0, 3600.0, 86400.0})
    assert_false(answer.IsEchoed(sent, kStranger, kOurs, After(age)));
}

void ItsSecondsAreTrue(void**) {
  const FirstAnswer answer(kKey);
  for (int i = 0; i < 1000; ++i) {
    const NtpTimestamp now = After(i * 0.37);
    assert_int_equal(answer.TransmitTime(kStranger, kOurs, now).seconds(), now.seconds());
  }
}

void NobodyElseCanSendItBack(void**) {
  const FirstAnswer answer(kKey);
  const NtpTimestamp sent = answer.TransmitTime(kStranger, kOurs, kNow);
  const auto refused = [&](const SocketAddress& from, const IpAddress& to) {
    return !answer.IsEchoed(sent, from, to, kNow) &&
           answer.TransmitTime(from, to, kNow).fraction() != sent.fraction();
  };
  assert_true(refused({IpAddress::V4(192, 0, 2, 2), 123}, kOurs));
  assert_true(refused({kStranger.ip, 124}, kOurs));
  assert_true(refused(kStranger, IpAddress::V4(198, 51, 100, 2)));
  assert_true(refused({*IpAddress::Parse("2001:db8::1"), 123}, kOurs));
  IpAddress scoped = kStranger.ip;
  scoped.scope = 2;
  assert_true(refused({scoped, 123}, kOurs));
  assert_false(FirstAnswer({kKey[0], kKey[1] ^ 1}).IsEchoed(sent, kStranger, kOurs, kNow));
}

void EachBitCounts(void**) {
  const FirstAnswer answer(kKey);
  const NtpTimestamp sent = answer.TransmitTime(kStranger, kOurs, kNow);
  for (int bit = 0; bit < 64; ++bit)
    assert_false(answer.IsEchoed(NtpTimestamp::FromRaw(sent.raw() ^ uint64_t{1} << bit), kStranger,
                                 kOurs, kNow));
  assert_false(answer.IsEchoed(NtpTimestamp(), kStranger, kOurs, kNow));
  assert_false(answer.IsEchoed(NtpTimestamp(), kStranger, kOurs, NtpTimestamp()));
}

// Two minutes of a thousand forged packets a second, from addresses all over, each with a guess
// for a second that counts; and one who hears us.
void AFloodOfGuessesFindsNothing(void**) {
  const FirstAnswer answer(kKey);
  std::mt19937_64 random(1);
  for (int second = 0; second < 120; ++second) {
    const NtpTimestamp now = After(second);
    for (int i = 0; i < 1000; ++i) {
      const uint64_t guess = random();
      const auto octet = [&](int at) { return static_cast<uint8_t>(guess >> at); };
      const SocketAddress forged{IpAddress::V4(octet(40), octet(48), octet(56), 1), 123};
      const uint64_t named = now.seconds() - (guess >> 32) % FirstAnswer::kLifetime;
      assert_false(answer.IsEchoed(NtpTimestamp::FromRaw(named << 32 | (guess & 0xffffffff)),
                                   forged, kOurs, now));
    }
    const NtpTimestamp sent = answer.TransmitTime(kStranger, kOurs, now);
    assert_true(answer.IsEchoed(sent, kStranger, kOurs, After(second + 2)));
  }
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WhatCameBackFromWhereItWasSentIsKnown),
      cmocka_unit_test(ItsSecondsAreTrue),
      cmocka_unit_test(NobodyElseCanSendItBack),
      cmocka_unit_test(EachBitCounts),
      cmocka_unit_test(AFloodOfGuessesFindsNothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
