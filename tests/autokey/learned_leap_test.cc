// Whose table of leap seconds counts, for how long, and what a leap second does to it.
#include "ntpd/autokey/learned_leap.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey {
namespace {

constexpr LeapValues kTable{37, NtpSeconds{3692217600}, NtpSeconds{4019845448}};
constexpr AssocId kOne{1}, kTwo{2};

LeapValues Later(uint32_t seconds) {
  LeapValues later = kTable;
  later.expiry.value += seconds;
  return later;
}

void TheOneThatLastsLongestCounts(void**) {
  LearnedLeap learned;
  assert_false(learned.Best().IsTable());
  learned.Learn(kOne, Later(1));
  learned.Learn(kTwo, kTable);
  assert_true(learned.Best() == Later(1));
  // Of two that last as long the one with the later leap second.
  LeapValues newer = Later(1);
  newer.epoch.value += 86400;
  learned.Learn(kTwo, newer);
  assert_true(learned.Best() == newer);
  // 2036 is no end: an expiry behind it is later than one before.
  LeapValues next_era = kTable;
  next_era.expiry = NtpSeconds{5};
  learned.Learn(kOne, next_era);
  assert_true(learned.Best() == next_era);
}

void WhatAServerSaysTakesThePlaceOfWhatItSaidBefore(void**) {
  LearnedLeap learned;
  learned.Learn(kOne, Later(1000));
  learned.Learn(kOne, kTable);
  assert_true(learned.Best() == kTable);
}

void ATableGoesWithItsServer(void**) {
  LearnedLeap learned;
  learned.Learn(kOne, Later(1000));
  learned.Learn(kTwo, kTable);
  learned.Forget(kOne);
  assert_true(learned.Best() == kTable);
  learned.Forget(kTwo);
  assert_false(learned.Best().IsTable());
  learned.Forget(kTwo);
}

void EveryTableFollowsALeapSecondOnce(void**) {
  for (const int change : {1, -1}) {
    LearnedLeap learned;
    learned.Learn(kOne, kTable);
    const NtpSeconds at{kTable.epoch.value + 1000};
    learned.OnLeapSecond(at, change);
    learned.OnLeapSecond(at, change);
    const LeapValues after{change > 0 ? 38U : 36U, at, kTable.expiry};
    assert_true(learned.Best() == after);
  }
}

}  // namespace
}  // namespace ntpward::autokey

int main() {
  using namespace ntpward::autokey;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheOneThatLastsLongestCounts),
      cmocka_unit_test(WhatAServerSaysTakesThePlaceOfWhatItSaidBefore),
      cmocka_unit_test(ATableGoesWithItsServer),
      cmocka_unit_test(EveryTableFollowsALeapSecondOnce),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
