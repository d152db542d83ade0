#include "ntpd/autokey/announcer.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey {
namespace {

const MonoTime kNow = MonoTime() + 1000;
constexpr uint16_t kOfThatAddress = 58256;

void NothingThatIsHeardMattersBeforeTheServerHasDenied(void**) {
  Announcer announcer(7);
  announcer.OnHeard(8, 0);
  assert_false(announcer.MoveOn(kNow));
  assert_int_equal(announcer.id(), 7);
  announcer.OnUnknown();
  assert_true(announcer.MoveOn(kNow));
  assert_int_equal(announcer.id(), 8);
  // Once for each denial.
  announcer.OnHeard(9, 0);
  assert_false(announcer.MoveOn(kNow));
  // The first good one says that the guess was right.
  assert_true(announcer.OnGood(8));
  assert_false(announcer.OnGood(8));
}

void ADenialWaitsForABroadcast(void**) {
  Announcer announcer(7);
  announcer.OnHeard(7, 0);
  announcer.OnUnknown();
  assert_false(announcer.MoveOn(kNow));
  announcer.OnHeard(8, 0);
  assert_true(announcer.MoveOn(kNow));
  assert_int_equal(announcer.id(), 8);
  // The server had no list yet, and has one now.
  announcer.OnUnknown();
  announcer.OnHeard(8, 0);
  assert_true(announcer.MoveOn(kNow));
  assert_int_equal(announcer.id(), 8);
}

void AGoodBroadcastForgetsTheOthers(void**) {
  Announcer announcer(7);
  announcer.OnHeard(8, 0);
  announcer.OnUnknown();
  assert_false(announcer.OnGood(9));
  assert_int_equal(announcer.id(), 9);
  announcer.OnUnknown();
  assert_false(announcer.MoveOn(kNow));
}

// Each of them is as likely as any other.
void OneIsKeptOfAllThatWereHeard(void**) {
  Announcer announcer(7);
  announcer.OnHeard(10, 5);
  announcer.OnHeard(11, 5);
  announcer.OnHeard(12, 6);
  announcer.OnHeard(13, 6);
  announcer.OnUnknown();
  assert_true(announcer.MoveOn(kNow));
  assert_int_equal(announcer.id(), 12);
}

void WrongGuessesAreFew(void**) {
  Announcer announcer(7);
  int guesses = 0;
  for (uint32_t second = 0; second < 800; ++second) {
    announcer.OnHeard(100 + second, 0);
    announcer.OnUnknown();
    guesses += announcer.MoveOn(kNow + second) ? 1 : 0;
  }
  assert_in_range(guesses, 100, 102);
}

void UnderAFloodEveryOtherGuessIsTheCustomaryOne(void**) {
  constexpr uint32_t kCustomary = 5;
  Announcer announcer(7, kCustomary);
  MonoTime now = kNow;
  const auto guess = [&](uint32_t packets) {
    announcer.OnUnknown();
    for (uint32_t i = 0; i < packets; ++i) announcer.OnHeard(1000 + i, i);
    now = now + 8;
    assert_true(announcer.MoveOn(now));
    return announcer.id() == kCustomary;
  };
  for (int i = 0; i < 3; ++i) assert_false(guess(Announcer::kMostHeard));
  for (int i = 0; i < 3; ++i) {
    assert_true(guess(8000));
    assert_false(guess(8000));
  }
}

void TheCustomaryIdentifierIsThatOfTheAddress(void**) {
  const IpAddress to = IpAddress::V4(10, 77, 0, 255);
  // Told by one start of a daemon to the listeners of another: this number must not change.
  assert_int_equal(CustomaryAnnouncer(to), kOfThatAddress);
  IpAddress group = *IpAddress::Parse("ff05::101");
  const uint16_t before = CustomaryAnnouncer(group);
  assert_int_not_equal(before, kOfThatAddress);
  group.scope = 3;
  assert_int_equal(CustomaryAnnouncer(group), before);
}

}  // namespace
}  // namespace ntpward::autokey

int main() {
  using namespace ntpward::autokey;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NothingThatIsHeardMattersBeforeTheServerHasDenied),
      cmocka_unit_test(ADenialWaitsForABroadcast),
      cmocka_unit_test(AGoodBroadcastForgetsTheOthers),
      cmocka_unit_test(OneIsKeptOfAllThatWereHeard),
      cmocka_unit_test(WrongGuessesAreFew),
      cmocka_unit_test(UnderAFloodEveryOtherGuessIsTheCustomaryOne),
      cmocka_unit_test(TheCustomaryIdentifierIsThatOfTheAddress),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
