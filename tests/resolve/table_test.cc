// The names of the configuration: found by index only, looked up as the system does.
#include "ntpd/resolve/table.h"

#include <netdb.h>

#include "tests/support/cmocka_cc.h"
#include "tests/support/localhost.h"

namespace ntpward::resolve {
namespace {

msg::ResolveName Name(uint16_t index, std::string_view text, uint8_t family = 0) {
  msg::ResolveName name{.index = index, .family = family};
  CHECK(name.name.Assign(AsBytes(text)));
  return name;
}

void FindsByIndexAndRefusesOneTwice(void**) {
  NameTable table;
  assert_true(table.Find(0) == nullptr);
  assert_true(table.Add(Name(3, "a.example")));
  assert_true(table.Add(Name(0, "b.example")));
  assert_false(table.Add(Name(3, "c.example")));
  assert_int_equal(table.size(), 2);
  assert_true(table.Find(3)->name.text() == "a.example");
  assert_true(table.Find(1) == nullptr);
  assert_true(table.Find(65535) == nullptr);
}

// An honest ntpd-net asks for a name six times in its first minute, and then once a minute.
void NamesAreLookedUpAsOftenAsAnHonestNetAsks(void**) {
  const auto at = [](double seconds) { return MonoTime::FromSeconds(1000 + seconds); };
  const auto most = [&](LookUpRate& rate, double seconds) {
    int taken = 0;
    while (taken < 1000 && rate.Take(at(seconds))) ++taken;
    return taken;
  };
  LookUpRate rate(2);
  assert_int_equal(most(rate, 0), 16);
  assert_int_equal(most(rate, 64), 4);
  assert_int_equal(most(rate, 1e6), 16);
}

void LooksUpNumericNamesWithoutANetwork(void**) {
  const msg::ResolveAnswer four = LookUp(Name(1, "192.0.2.7"));
  assert_true(four.outcome == msg::ResolveOutcome::kOk);
  assert_int_equal(four.index, 1);
  assert_int_equal(four.addresses.size(), 1);
  assert_true(four.addresses[0] == IpAddress::V4(192, 0, 2, 7));
  const msg::ResolveAnswer six = LookUp(Name(2, "2001:db8::7"));
  assert_true(six.outcome == msg::ResolveOutcome::kOk);
  assert_true(six.addresses[0] == *IpAddress::Parse("2001:db8::7"));
  assert_true(four.Valid() && six.Valid());
}

// Whoever reads of it must not look for a fault of the DNS.
void WhatIsAskedTooOftenIsNotLookedUp(void**) {
  const MonoTime now = MonoTime::FromSeconds(1000);
  LookUpRate rate(1);
  int answered = 0;
  msg::ResolveAnswer answer = Answer(Name(1, "192.0.2.7"), &rate, now);
  for (; answer.outcome == msg::ResolveOutcome::kOk && answered < 1000; ++answered)
    answer = Answer(Name(1, "192.0.2.7"), &rate, now);
  assert_int_equal(answered, 8);
  assert_true(answer.outcome == msg::ResolveOutcome::kTooOften);
  assert_int_equal(answer.index, 1);
  assert_true(answer.Valid());
}

void KeepsToTheFamily(void**) {
  assert_true(LookUp(Name(1, "192.0.2.7", 4)).outcome == msg::ResolveOutcome::kOk);
  const msg::ResolveAnswer other = LookUp(Name(1, "192.0.2.7", 6));
  assert_true(other.outcome == msg::ResolveOutcome::kPermanent);
  assert_true(other.addresses.empty() && other.Valid());
}

void FindsLocalhostOnce(void**) {
  const msg::ResolveAnswer answer = LookUp(Name(0, "localhost"));
  assert_int_equal(answer.outcome == msg::ResolveOutcome::kOk, test::LocalhostIsKnown());
  assert_int_equal(answer.outcome == msg::ResolveOutcome::kOk, !answer.addresses.empty());
  for (size_t i = 0; i < answer.addresses.size(); ++i) {
    assert_true(answer.addresses[i].is_loopback());
    for (size_t j = 0; j < i; ++j) assert_false(answer.addresses[i] == answer.addresses[j]);
  }
}

// A name that no resolver can have an answer for, whatever network there is.
void AnImpossibleNameHasNoAddress(void**) {
  const msg::ResolveAnswer answer = LookUp(Name(4, "no such name..invalid"));
  assert_true(answer.outcome != msg::ResolveOutcome::kOk);
  assert_true(answer.addresses.empty());
  assert_int_equal(answer.index, 4);
  assert_true(answer.Valid());
}

void TellsWhatMayMendFromWhatMayNot(void**) {
  for (const int failure : {EAI_AGAIN, EAI_SYSTEM, EAI_MEMORY, EAI_FAIL})
    assert_true(OutcomeOf(failure) == msg::ResolveOutcome::kTemporary);
  for (const int failure : {EAI_NONAME, EAI_NODATA, EAI_ADDRFAMILY, EAI_FAMILY})
    assert_true(OutcomeOf(failure) == msg::ResolveOutcome::kPermanent);
  assert_true(OutcomeOf(0) == msg::ResolveOutcome::kOk);
}

}  // namespace
}  // namespace ntpward::resolve

int main() {
  using namespace ntpward::resolve;
  const CMUnitTest tests[] = {
      cmocka_unit_test(FindsByIndexAndRefusesOneTwice),
      cmocka_unit_test(NamesAreLookedUpAsOftenAsAnHonestNetAsks),
      cmocka_unit_test(LooksUpNumericNamesWithoutANetwork),
      cmocka_unit_test(WhatIsAskedTooOftenIsNotLookedUp),
      cmocka_unit_test(KeepsToTheFamily),
      cmocka_unit_test(FindsLocalhostOnce),
      cmocka_unit_test(AnImpossibleNameHasNoAddress),
      cmocka_unit_test(TellsWhatMayMendFromWhatMayNot),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
