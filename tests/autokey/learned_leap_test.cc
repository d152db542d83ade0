// Whose table of leap seconds counts, for how long, and what a leap second does to it.
#include "ntpd/autokey/learned_leap.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey {
namespace {

using wire::Selection;

constexpr LeapValues kTable{37, NtpSeconds{3692217600}, NtpSeconds{4019845448}};
constexpr AssocId kOne{1}, kTwo{2};

constexpr AssocId kThree{3};
constexpr NtpSeconds kNow{4000000000};

LeapValues Later(uint32_t seconds) {
  LeapValues later = kTable;
  later.expiry.value += seconds;
  return later;
}

// As selection marks them; who is not named is a truechimer.
LeapValues Chosen(LearnedLeap* learned, const std::map<AssocId, Selection>& marks = {}) {
  learned->Choose(kNow, [&](AssocId server) {
    const auto found = marks.find(server);
    return found == marks.end() ? Selection::kCandidate : found->second;
  });
  return learned->Best();
}

void TheOneThatLastsLongestCounts(void**) {
  LearnedLeap learned;
  assert_false(Chosen(&learned).IsTable());
  learned.Learn(kOne, Later(1));
  learned.Learn(kTwo, kTable);
  assert_true(Chosen(&learned) == Later(1));
  assert_false(learned.other().has_value());
  // 2036 is no end: an expiry behind it is later than one before.
  LeapValues next_era = kTable;
  next_era.expiry = NtpSeconds{5};
  learned.Learn(kOne, next_era);
  assert_true(Chosen(&learned) == next_era);
}

void OneVoiceDoesNotOutvoteTwo(void**) {
  LeapValues lie = Later(1000);
  lie.tai = 40;
  LearnedLeap learned;
  learned.Learn(kOne, lie);
  learned.Learn(kTwo, kTable);
  learned.Learn(kThree, kTable);
  assert_true(Chosen(&learned, {{kOne, Selection::kSystemPeer}}) == kTable);
  assert_true(learned.other() && *learned.other() == lie);
  // Of one to one the one that has not expired, and then the system peer's.
  learned.Forget(kThree);
  assert_true(Chosen(&learned) == lie);
  assert_true(Chosen(&learned, {{kTwo, Selection::kSystemPeer}}) == kTable);
  learned.Learn(kTwo, {37, kTable.epoch, {kNow.value - 1}});
  assert_true(Chosen(&learned, {{kTwo, Selection::kSystemPeer}}) == lie);
}

// ntpd 4.2.6 tells the leap second to come, and 4.2.8 today's offset: they agree about today, and
// what is told under today's can be signed for clients.
void ALeapSecondToComeIsNoDisagreement(void**) {
  const LeapValues ahead{38, NtpSeconds{4007750400}, NtpSeconds{4023388800}};  // 2027-01-01
  LeapValues lie = Later(1000000000);
  lie.tai = 38;
  LearnedLeap learned;
  learned.Learn(kOne, ahead);
  learned.Learn(kTwo, kTable);
  assert_true(Chosen(&learned) == kTable);
  assert_false(learned.other().has_value());
  learned.Learn(kThree, lie);
  assert_true(Chosen(&learned) == kTable);
  assert_true(learned.other() == lie);
  learned.Forget(kThree);
  // Two that know of it: nobody can say since when today's offset counts but the third.
  learned.Learn(kThree, ahead);
  assert_true(Chosen(&learned) == kTable);
  learned.Forget(kTwo);
  assert_true(Chosen(&learned) == ahead);
  // Of one offset, since when is voted for as well.
  LeapValues since = kTable;
  since.epoch = NtpSeconds{3644697600};
  learned.Learn(kTwo, since);
  learned.Learn(kOne, kTable);
  learned.Learn(kThree, kTable);
  assert_true(Chosen(&learned) == kTable);
  assert_true(learned.other() == since);
}

void FalsetickersHaveNoVoice(void**) {
  LeapValues lie = Later(1000);
  lie.tai = 40;
  LearnedLeap learned;
  learned.Learn(kOne, lie);
  assert_false(Chosen(&learned, {{kOne, Selection::kFalsetick}}).IsTable());
  // Nor has anybody before he was selected.
  assert_false(Chosen(&learned, {{kOne, Selection::kReject}}).IsTable());
  learned.Learn(kTwo, kTable);
  assert_true(Chosen(&learned, {{kOne, Selection::kFalsetick}}) == kTable);
  assert_false(learned.other().has_value());
  assert_true(Chosen(&learned, {{kOne, Selection::kReject}, {kTwo, Selection::kOutlier}}) ==
              kTable);
}

void WhatWasChosenStaysWhileNobodyAnswers(void**) {
  LearnedLeap learned;
  learned.Learn(kOne, kTable);
  assert_true(Chosen(&learned) == kTable);
  assert_true(Chosen(&learned, {{kOne, Selection::kReject}}) == kTable);
  assert_false(Chosen(&learned, {{kOne, Selection::kFalsetick}}).IsTable());
}

// What no table of leap seconds can say.
void ATableIsOneThatCanBe(void**) {
  constexpr NtpSeconds kStart = kTable.epoch, kExpiry = kTable.expiry;
  for (const uint32_t tai : {30U, 37U, 60U})
    assert_true((LeapValues{tai, kStart, kExpiry}.IsTable()));
  for (const uint32_t tai : {0U, 9U, 29U, 61U, 99U, 293U})
    assert_false((LeapValues{tai, kStart, kExpiry}.IsTable()));
  for (const int off : {-86400, -1, 1, 60, 3600, 86400})
    assert_false((LeapValues{37, {kStart.value + static_cast<uint32_t>(off)}, kExpiry}.IsTable()));
  assert_true((LeapValues{37, {kStart.value + 31 * 86400}, kExpiry}.IsTable()));
  assert_false((LeapValues{37, {}, kExpiry}.IsTable()));
  assert_false((LeapValues{37, kStart, {}}.IsTable()));
}

void WhatAServerSaysTakesThePlaceOfWhatItSaidBefore(void**) {
  LearnedLeap learned;
  learned.Learn(kOne, Later(1000));
  learned.Learn(kOne, kTable);
  assert_true(Chosen(&learned) == kTable);
}

void ATableGoesWithItsServer(void**) {
  LearnedLeap learned;
  learned.Learn(kOne, Later(1000));
  learned.Learn(kTwo, kTable);
  learned.Forget(kOne);
  assert_true(Chosen(&learned) == kTable);
  learned.Forget(kTwo);
  assert_false(Chosen(&learned).IsTable());
  learned.Forget(kTwo);
}

void EveryTableFollowsALeapSecondOnce(void**) {
  for (const int change : {1, -1}) {
    LearnedLeap learned;
    learned.Learn(kOne, kTable);
    (void)Chosen(&learned);
    const NtpSeconds at{kTable.epoch.value + 31 * 86400};
    learned.OnLeapSecond(at, change);
    learned.OnLeapSecond(at, change);
    const LeapValues after{change > 0 ? 38U : 36U, at, kTable.expiry};
    assert_true(learned.Best() == after);
    assert_true(Chosen(&learned, {{kOne, Selection::kReject}}) == after);
  }
}

}  // namespace
}  // namespace ntpward::autokey

int main() {
  using namespace ntpward::autokey;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheOneThatLastsLongestCounts),
      cmocka_unit_test(OneVoiceDoesNotOutvoteTwo),
      cmocka_unit_test(ALeapSecondToComeIsNoDisagreement),
      cmocka_unit_test(FalsetickersHaveNoVoice),
      cmocka_unit_test(WhatWasChosenStaysWhileNobodyAnswers),
      cmocka_unit_test(ATableIsOneThatCanBe),
      cmocka_unit_test(WhatAServerSaysTakesThePlaceOfWhatItSaidBefore),
      cmocka_unit_test(ATableGoesWithItsServer),
      cmocka_unit_test(EveryTableFollowsALeapSecondOnce),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
