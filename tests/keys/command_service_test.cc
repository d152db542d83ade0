// Keys are trusted and revoked at run time by whoever has the control key, and stay so in the
// process's successors.
#include "tests/keys/commands.h"
#include "tests/keys/key_data.h"
#include "tests/keys/served_client.h"
#include "tests/keys/trusted_keys.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::CommandOutcome;
using ntpward::test::FromHex;

void AKeyOfTheFileIsTrustedAndRevoked(void**) {
  Harness h;
  h.StartServer();
  assert_false(Serves2(h));
  assert_true(Say(h, "trustedkey 2") == CommandOutcome::kDone);
  assert_true(Serves2(h));
  const msg::CommandDone& done = h.out.commands.back();
  assert_true(done.trusted && done.keys.size() == 1 && done.keys[0] == KeyId{2});
  assert_true(h.out.Audited("key 2 trusted from now on, by a command under control key 4"));
  assert_true(Say(h, "untrustedkey 2 1") == CommandOutcome::kDone);
  assert_false(h.out.commands.back().trusted);
  assert_true(h.out.Audited("keys 2 1 not trusted from now on"));
  assert_true(!Serves2(h) && !Serves1(h));
  assert_true(Say(h, "trustedkey\t1") == CommandOutcome::kDone);
  assert_true(Serves1(h));
}

// As ntpd 4.2.8 counts them: what the file has, trusted or not.
void TheKeysAreCountedWhateverIsTrusted(void**) {
  Harness h;
  h.StartServer();
  h.FromNet(msg::KeyCountRequest{.request = 5});
  assert_true(Say(h, "untrustedkey 1") == CommandOutcome::kDone);
  h.FromNet(msg::KeyCountRequest{.request = 6});
  assert_int_equal(h.out.counts.size(), 2);
  for (uint32_t i = 0; i < 2; ++i) {
    assert_int_equal(h.out.counts[i].request, 5 + i);
    assert_int_equal(h.out.counts[i].symmetric, 13);
  }
}

void ARevokedKeyIsGoodForNothing(void**) {
  Harness h;
  h.StartServer();
  assert_true(Asks(h, 3));
  assert_true(Say(h, "untrustedkey 3") == CommandOutcome::kDone);
  assert_false(Asks(h, 3));
  // Back to what the configuration gave it, and no more: else a client could pose as that upstream.
  assert_true(Say(h, "trustedkey 3") == CommandOutcome::kDone);
  assert_true(Say(h, "trustedkey 3") == CommandOutcome::kDone);
  assert_true(Asks(h, 3));
  const std::string secret(AsText(FromHex("0123456789abcdef0123456789abcdef01234567")));
  assert_true(Served(h, 3, "SHA1", secret) == msg::ServeOutcome::kRefused);
}

void AnActivatedKeyIsForBroadcastsOnlyWhereTheyAreHeard(void**) {
  for (const bool listens : {false, true}) {
    Harness h;
    h.start.listens = listens;
    h.StartServer();
    assert_true(Say(h, "trustedkey 2") == CommandOutcome::kDone);
    const auto covered = ClientHeader(0x25);
    msg::CheckMac check;
    check.key = KeyId{2};
    Set(&check.covered, covered);
    Set(&check.digest, MacOf("MD5", "secretMD5two", covered));
    h.FromNet(check);
    assert_true((h.LastVerdict() == msg::VerdictCode::kGood) == listens);
  }
}

void SeveralKeysAreOneChangeOrNone(void**) {
  Harness h;
  h.StartServer();
  assert_true(Say(h, "trustedkey 2 77 5") == CommandOutcome::kUnknownKey);
  assert_int_equal(h.out.commands.back().column, 13);
  AssertUnchanged(h);
  assert_true(Say(h, "untrustedkey 1 3 4") == CommandOutcome::kControlKey);
  assert_int_equal(h.out.commands.back().column, 17);
  AssertUnchanged(h);
}

void WhatTheSupervisorCannotKeepIsNotDone(void**) {
  Harness h;
  h.StartServer();
  h.out.supervisor_is_deaf = true;
  assert_true(Say(h, "trustedkey 2") == CommandOutcome::kBusy);
  AssertUnchanged(h);
}

void TheSupervisorHearsEachChange(void**) {
  Harness h;
  h.StartServer();
  assert_true(Say(h, "trustedkey 2 5") == CommandOutcome::kDone);
  assert_true(Say(h, "untrustedkey 2") == CommandOutcome::kDone);
  assert_int_equal(h.out.runtime_trust.size(), 2);
  assert_int_equal(h.out.runtime_trust[0].keys.size(), 2);
  assert_true(h.out.runtime_trust[0].keys[1].key == KeyId{5});
  assert_true(h.out.runtime_trust[0].keys[1].trusted);
  assert_false(h.out.runtime_trust[1].keys[0].trusted);
}

// --- what the supervisor kept -----------------------------------------------------------------

msg::RuntimeTrust Kept() {
  msg::RuntimeTrust kept;
  CHECK(kept.keys.Push({KeyId{2}, false}) && kept.keys.Push({KeyId{1}, false}) &&
        kept.keys.Push({KeyId{2}, true}) && kept.keys.Push({KeyId{999}, true}));
  return kept;
}

void ASuccessorStartsWithWhatWasKept(void**) {
  Harness h;
  h.start.crypto_enabled = false;
  msg::Encoded bytes;
  msg::Encode(Kept(), &bytes);
  h.service.HandleSupervisor(bytes.span(), h.out);
  h.Start({{msg::KeyFileKind::kSymmetric, "428_ntp.keys"}}, "",
          {{.key = {1}, .serve = true}, {.key = {4}, .control = true}});
  assert_true(h.service.ready());
  assert_true(Serves2(h) && !Serves1(h));
  assert_true(h.out.Logged("that a command has revoked: 1:"));
}

void WhatIsToldAfterTheStartCountsToo(void**) {
  Harness h;
  h.waits = true;
  h.StartServer();
  h.FromSupervisor(Kept());
  h.FromSupervisor(msg::KeysServe{});
  assert_true(Serves2(h) && !Serves1(h));
  assert_false(h.service.failed());
  assert_int_equal(h.out.runtime_trust.size(), 0);
}

void NoCommandIsDoneBeforeAllIsToldThatWasKept(void**) {
  Harness h;
  h.start.control_nonce = msg::ControlNonce::kNever;
  h.waits = true;
  h.StartServer();
  assert_false(h.service.serves_net());
  h.FromNet(Request("trustedkey 1"));
  assert_true(h.out.commands.empty() && h.out.runtime_trust.empty());
  h.FromSupervisor(Kept());
  h.FromSupervisor(msg::KeysServe{});
  assert_true(h.service.serves_net());
  assert_false(Serves1(h));
  assert_true(Say(h, "trustedkey 1") == CommandOutcome::kDone);
  assert_true(Serves1(h));
}

void WhatWasKeptUndoesNoCommand(void**) {
  Harness h;
  h.StartServer();
  assert_true(Say(h, "untrustedkey 2") == CommandOutcome::kDone);
  h.FromSupervisor(Kept());
  assert_false(Serves2(h));
  assert_true(h.service.failed());
}

void AMalformedMessageIsAnAccusation(void**) {
  Harness h;
  h.StartServer();
  msg::Encoded bytes;
  msg::Encode(Request("trustedkey 2"), &bytes);
  for (size_t size = 3; size < bytes.size(); ++size) {
    h.service.HandleNet(bytes.span().first(size), h.out);
    assert_true(h.out.misbehaviours.back().message_type ==
                static_cast<uint16_t>(msg::Type::kCommand));
  }
  assert_int_equal(h.out.commands.size(), 0);
  // Net has no say in what the supervisor keeps.
  h.out.misbehaviours.clear();
  h.FromNet(Kept());
  assert_int_equal(h.out.misbehaviours.size(), 1);
  h.out.misbehaviours.clear();
  AssertUnchanged(h);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AKeyOfTheFileIsTrustedAndRevoked),
      cmocka_unit_test(TheKeysAreCountedWhateverIsTrusted),
      cmocka_unit_test(ARevokedKeyIsGoodForNothing),
      cmocka_unit_test(AnActivatedKeyIsForBroadcastsOnlyWhereTheyAreHeard),
      cmocka_unit_test(SeveralKeysAreOneChangeOrNone),
      cmocka_unit_test(WhatTheSupervisorCannotKeepIsNotDone),
      cmocka_unit_test(TheSupervisorHearsEachChange),
      cmocka_unit_test(ASuccessorStartsWithWhatWasKept),
      cmocka_unit_test(WhatIsToldAfterTheStartCountsToo),
      cmocka_unit_test(NoCommandIsDoneBeforeAllIsToldThatWasKept),
      cmocka_unit_test(WhatWasKeptUndoesNoCommand),
      cmocka_unit_test(AMalformedMessageIsAnAccusation),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
