#include "ntpd/autokey/announcer.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey {
namespace {

const MonoTime kNow = MonoTime() + 1000;

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

void ADenialWaitsForAnotherIdentifier(void**) {
  Announcer announcer(7);
  announcer.OnUnknown();
  announcer.OnHeard(7, 0);
  assert_false(announcer.MoveOn(kNow));
  announcer.OnHeard(8, 0);
  assert_true(announcer.MoveOn(kNow));
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

}  // namespace
}  // namespace ntpward::autokey

int main() {
  using namespace ntpward::autokey;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NothingThatIsHeardMattersBeforeTheServerHasDenied),
      cmocka_unit_test(ADenialWaitsForAnotherIdentifier),
      cmocka_unit_test(AGoodBroadcastForgetsTheOthers),
      cmocka_unit_test(OneIsKeptOfAllThatWereHeard),
      cmocka_unit_test(WrongGuessesAreFew),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
