// A change at run time is made once for each time that whoever has the control key says so.
#include "keys/command_nonces.h"

#include "tests/keys/commands.h"
#include "tests/keys/key_data.h"
#include "tests/keys/trusted_keys.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::CommandOutcome;
using ntpward::test::ToHex;

const IpAddress kAsker = IpAddress::V4(192, 0, 2, 1);

void ANonceIsGoodOnce(void**) {
  Harness h;
  h.StartServer();
  const auto trust = Request("trustedkey 2" + NewNonce(h));
  const auto revoke = Request("untrustedkey 2" + NewNonce(h));
  assert_true(Ask(h, trust) == CommandOutcome::kDone);
  assert_true(Ask(h, revoke) == CommandOutcome::kDone);
  // CVE-2015-8140: captured on the way, and sent again.
  assert_true(Ask(h, trust) == CommandOutcome::kNonce);
  assert_false(Serves2(h));
  assert_int_equal(h.out.runtime_trust.size(), 2);
}

// It could be good later, when the key file has the key.
void AFailedCommandUsesItsNonceToo(void**) {
  Harness h;
  h.StartServer();
  const std::string nonce = NewNonce(h);
  assert_true(Ask(h, Request("trustedkey 77" + nonce)) == CommandOutcome::kUnknownKey);
  assert_true(Ask(h, Request("trustedkey 2" + nonce)) == CommandOutcome::kNonce);
  AssertUnchanged(h);
}

// Else a replay would be told where the line is wrong, which is longer than an error.
void TheNonceIsJudgedBeforeTheLine(void**) {
  Harness h;
  h.StartServer();
  const auto request = Request("trustedkey x" + NewNonce(h));
  assert_true(Ask(h, request) == CommandOutcome::kSyntax);
  assert_true(Ask(h, request) == CommandOutcome::kNonce);
  AssertUnchanged(h);
}

void ANonceIsGoodForThirtySeconds(void**) {
  for (const double age : {0.0, 29.5, 30.0, 31.0, 3600.0}) {
    Harness h;
    h.StartServer();
    const auto command = Request("trustedkey 2" + NewNonce(h));
    h.time.mono = h.time.mono + age;
    assert_true((Ask(h, command) == CommandOutcome::kDone) == (age <= 30));
  }
}

// A clock that an attacker may have a hand in has no part in it.
void StepsOfTheClockDoNotMatter(void**) {
  Harness h;
  h.StartServer();
  const auto command = Request("trustedkey 2" + NewNonce(h));
  h.time.system = h.time.system + NtpDuration::FromSeconds(-86400);
  assert_true(Ask(h, command) == CommandOutcome::kDone);
}

void NoncesOfOthersAreNone(void**) {
  Harness h, other;
  h.StartServer();
  other.StartServer();
  assert_true(Ask(h, Request("trustedkey 2" + NewNonce(other))) == CommandOutcome::kNonce);
  std::string nonce = NewNonce(h);
  for (size_t i = nonce.size() - 32; i < nonce.size(); ++i) {
    std::string changed = nonce;
    changed[i] = changed[i] == '0' ? '1' : '0';
    assert_true(Ask(h, Request("trustedkey 2" + changed)) == CommandOutcome::kNonce);
  }
  AssertUnchanged(h);
  assert_true(Ask(h, Request("trustedkey 2" + nonce)) == CommandOutcome::kDone);
}

// Asking costs nobody else anything: nothing is kept of a nonce that was not used.
void AFloodOfNoncesLeavesTheOldestGood(void**) {
  Harness h;
  h.StartServer();
  const std::string oldest = NewNonce(h);
  for (int i = 0; i < 100000; ++i) h.FromNet(msg::CommandNonceRequest{.request = 1});
  h.out.nonces.clear();
  assert_true(Ask(h, Request("trustedkey 2" + oldest)) == CommandOutcome::kDone);
}

// Who holds a request back cannot have it done after a later one.
void ANonceIsBadOnceALaterOneWasUsed(void**) {
  Harness h;
  h.StartServer();
  const auto held_back = Request("trustedkey 2" + NewNonce(h));
  assert_true(Ask(h, Request("trustedkey 2" + NewNonce(h))) == CommandOutcome::kDone);
  assert_true(Ask(h, Request("untrustedkey 2" + NewNonce(h))) == CommandOutcome::kDone);
  assert_true(Ask(h, held_back) == CommandOutcome::kNonce);
  assert_false(Serves2(h));
}

// What was seen on the way is of no use elsewhere, and makes nobody's address a proved one.
void ANonceIsGoodFromItsAddressOnly(void**) {
  Harness h;
  h.StartServer();
  const auto from = [](msg::Command command, const IpAddress& source) {
    command.source = source;
    return command;
  };
  const auto theirs = Request("trustedkey 2" + NewNonce(h, kAsker));
  assert_true(Ask(h, from(theirs, IpAddress::V4(192, 0, 2, 2))) == CommandOutcome::kNonce);
  assert_true(Ask(h, from(theirs, *IpAddress::Parse("::ffff:192.0.2.1"))) ==
              CommandOutcome::kNonce);
  AssertUnchanged(h);
  assert_true(Ask(h, from(theirs, kAsker)) == CommandOutcome::kDone);
}

void NoncesDifferAndEveryPrefixIsNone(void**) {
  auto nonces = CommandNonces::Create();
  assert_true(nonces.ok());
  const MonoTime now = MonoTime::FromSeconds(100);
  const auto a = nonces->Make(now, kAsker), b = nonces->Make(now, kAsker);
  assert_string_not_equal(ToHex(a.span()).c_str(), ToHex(b.span()).c_str());
  for (size_t size = 0; size < a.size(); ++size)
    assert_false(nonces->Take(a.span().first(size), now, kAsker));
  std::vector<uint8_t> longer(a.span().begin(), a.span().end());
  longer.push_back(0);
  assert_false(nonces->Take(longer, now, kAsker));
  assert_true(nonces->Take(a.span(), now, kAsker));
}

void WhereANonceIsNeeded(void**) {
  using msg::ControlNonce;
  struct Row {
    ControlNonce rule;
    bool loopback;
    bool done;
  };
  const Row rows[] = {{ControlNonce::kAlways, false, false}, {ControlNonce::kAlways, true, false},
                      {ControlNonce::kRemote, false, false}, {ControlNonce::kRemote, true, true},
                      {ControlNonce::kNever, false, true},   {ControlNonce::kNever, true, true}};
  for (const Row& row : rows) {
    Harness h;
    h.start.control_nonce = row.rule;
    h.StartServer();
    auto command = Request("trustedkey 2");
    if (row.loopback) command.source = IpAddress::V4(127, 0, 0, 1);
    assert_true(Ask(h, command) == (row.done ? CommandOutcome::kDone : CommandOutcome::kNonce));
    assert_true(Serves2(h) == row.done);
    // A bad one is not good enough anywhere.
    auto forged = Request("trustedkey 2 nonce=" + std::string(32, 'a'));
    forged.source = command.source;
    assert_true(Ask(h, forged) == CommandOutcome::kNonce);
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ANonceIsGoodOnce),
      cmocka_unit_test(AFailedCommandUsesItsNonceToo),
      cmocka_unit_test(TheNonceIsJudgedBeforeTheLine),
      cmocka_unit_test(ANonceIsGoodForThirtySeconds),
      cmocka_unit_test(StepsOfTheClockDoNotMatter),
      cmocka_unit_test(NoncesOfOthersAreNone),
      cmocka_unit_test(AFloodOfNoncesLeavesTheOldestGood),
      cmocka_unit_test(ANonceIsBadOnceALaterOneWasUsed),
      cmocka_unit_test(ANonceIsGoodFromItsAddressOnly),
      cmocka_unit_test(NoncesDifferAndEveryPrefixIsNone),
      cmocka_unit_test(WhereANonceIsNeeded),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
