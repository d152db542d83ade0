// Who may change something at run time: whoever has the control key, and nobody else; not a
// taken-over net either.
#include "tests/keys/commands.h"
#include "tests/keys/key_data.h"
#include "tests/keys/trusted_keys.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::CommandOutcome;
using ntpward::test::FromHex;

void EveryOtherMacIsDenied(void**) {
  Harness h;
  h.StartServer();
  const auto covered = Covered("trustedkey 2" + NewNonce(h));
  auto command = Request(covered);
  for (size_t i = 0; i < command.digest.size(); ++i) {
    command.digest.span()[i] ^= 0x10;
    assert_true(Ask(h, command) == CommandOutcome::kDenied);
    command.digest.span()[i] ^= 0x10;
  }
  const std::vector<uint8_t> right(command.digest.span().begin(), command.digest.span().end());
  for (size_t size = 1; size <= 64; ++size) {
    std::vector<uint8_t> other(size, 0);
    std::copy_n(right.begin(), std::min(size, right.size()), other.begin());
    Set(&command.digest, other);
    if (size != right.size()) assert_true(Ask(h, command) == CommandOutcome::kDenied);
  }
  Set(&command.digest, right);
  for (size_t i = 0; i < covered.size(); ++i) {
    command.covered.span()[i] ^= 1;
    assert_true(Ask(h, command) == CommandOutcome::kDenied);
    command.covered.span()[i] ^= 1;
  }
  AssertUnchanged(h);
  // None of these used up the nonce.
  assert_true(Ask(h, command) == CommandOutcome::kDone);
}

void OnlyTheControlKeyCommands(void**) {
  Harness h;
  h.StartServer();
  const auto covered = Covered("trustedkey 2" + NewNonce(h));
  auto command = Request(covered);
  command.key = KeyId{1};
  Set(&command.digest, MacOf("MD5", "secretMD5ascii", covered));
  assert_true(Ask(h, command) == CommandOutcome::kDenied);
  command.key = KeyId{2};
  Set(&command.digest, MacOf("MD5", "secretMD5two", covered));
  assert_true(Ask(h, command) == CommandOutcome::kDenied);
  command.key = KeyId{3};
  Set(&command.digest,
      MacOf("SHA1", AsText(FromHex("0123456789abcdef0123456789abcdef01234567")), covered));
  assert_true(Ask(h, command) == CommandOutcome::kDenied);
  command.key = KeyId{40000};
  assert_true(Ask(h, command) == CommandOutcome::kDenied);
  AssertUnchanged(h);
}

void EveryAlgorithmOfTheKeyFileCommands(void**) {
  struct Row {
    uint32_t id;
    const char* type;
    std::string secret;
  };
  const Row rows[] = {
      {1, "MD5", "secretMD5ascii"},
      {4, "SHA1", "shaAscii"},
      {12, "SHA256", "sha256ascii"},
      {15, "AES128CMAC", std::string(AsText(FromHex("0123456789abcdef0123456789abcdef")))}};
  for (const Row& row : rows) {
    Harness h;
    h.start.crypto_enabled = false;
    h.Start({{msg::KeyFileKind::kSymmetric, "428_ntp.keys"}}, "",
            {{.key = {row.id}, .control = true}});
    const auto covered = Covered("trustedkey 2" + NewNonce(h));
    auto command = Request(covered);
    command.key = KeyId{row.id};
    Set(&command.digest, MacOf(row.type, row.secret, covered));
    assert_true(Ask(h, command) == CommandOutcome::kDone);
    assert_true(Serves2(h));
  }
}

// Who leaves with the key must not command from elsewhere.
void TheAddressListOfTheControlKeyBindsItsRequests(void**) {
  Harness h;
  h.start.crypto_enabled = false;
  h.Start({{msg::KeyFileKind::kSymmetric, "listed_ntp.keys"}}, "", {{.key = {1}, .control = true}});
  const auto covered = Covered("trustedkey 1" + NewNonce(h, IpAddress::V4(10, 77, 0, 9)));
  auto command = Request(covered);
  command.key = KeyId{1};
  Set(&command.digest, MacOf("MD5", "secret", covered));
  for (const IpAddress& source :
       {IpAddress::V4(10, 77, 1, 1), IpAddress::V4(127, 0, 0, 1), IpAddress()}) {
    command.source = source;
    assert_true(Ask(h, command) == CommandOutcome::kDenied);
  }
  command.source = IpAddress::V4(10, 77, 0, 9);
  assert_true(Ask(h, command) == CommandOutcome::kDone);
}

// As a request without a good nonce is: it shows none that could be told from a replay's.
void WhatIsNoChangeIsRefusedUnderAGoodMac(void**) {
  Harness h;
  h.StartServer();
  assert_true(Ask(h, Request(Covered("x" + NewNonce(h), 11))) == CommandOutcome::kDenied);
  std::vector<uint8_t> padded = Covered("x");
  padded.back() = 1;
  assert_true(Ask(h, Request(padded)) == CommandOutcome::kDenied);
  assert_int_equal(h.out.commands.back().column, 0);
  AssertUnchanged(h);
}

// What net refuses anyway is not done, whatever it says; its sender is judged all the same.
void OnlyJudgedMeansNothingIsDone(void**) {
  Harness h;
  h.StartServer();
  for (const char* line : {"trustedkey 2", "trustedkey", "logfile /tmp/x", "server 192.0.2.1"}) {
    auto request = Request(line + NewNonce(h));
    request.judge_only = request.keep = true;
    assert_true(Ask(h, request) == CommandOutcome::kAuthorised);
    assert_true(Ask(h, request) == CommandOutcome::kNonce);
    auto plain = Request(std::string_view(line));
    plain.judge_only = true;
    assert_true(Ask(h, plain) == CommandOutcome::kNonce);
    plain.digest.span()[0] ^= 1;
    assert_true(Ask(h, plain) == CommandOutcome::kDenied);
  }
  assert_int_equal(h.out.runtime_lines.size(), 0);
  AssertUnchanged(h);
}

// --- what is not about keys -------------------------------------------------------------------

struct Elsewhere {
  uint8_t operation;
  const char* text;
};
constexpr Elsewhere kElsewhere[] = {{kConfigure, "server 10.0.0.1"},
                                    {kConfigure, ""},
                                    {kConfigure, "trustedkeys 2"},
                                    {kSaveConfig, "ntp.conf-%Y"},
                                    {kWriteVariables, "a=b"},
                                    // Only a line of configuration trusts keys.
                                    {kSaveConfig, "trustedkey 2"},
                                    {kWriteVariables, "trustedkey 2"}};

void OtherChangesAreAuthorisedAndNotDone(void**) {
  for (const Elsewhere& row : kElsewhere) {
    Harness h;
    h.StartServer();
    const auto request = Request(Covered(row.text + NewNonce(h), row.operation));
    assert_true(Ask(h, request) == CommandOutcome::kAuthorised);
    assert_int_equal(h.out.commands.back().keys.size(), 0);
    // Once: CVE-2015-8140.
    assert_true(Ask(h, request) == CommandOutcome::kNonce);
    AssertUnchanged(h);
  }
}

void OtherChangesNeedTheControlKeyAndANonceToo(void**) {
  for (const Elsewhere& row : kElsewhere) {
    Harness h;
    h.StartServer();
    auto remote = Request(Covered(row.text, row.operation));
    assert_true(Ask(h, remote) == CommandOutcome::kNonce);
    auto here = remote;
    here.source = IpAddress::V4(127, 0, 0, 1);
    assert_true(Ask(h, here) == CommandOutcome::kAuthorised);
    auto damaged = Request(Covered(row.text + NewNonce(h), row.operation));
    damaged.digest.span()[0] ^= 1;
    assert_true(Ask(h, damaged) == CommandOutcome::kDenied);
    const auto covered = Covered(row.text + NewNonce(h), row.operation);
    auto other = Request(covered);
    other.key = KeyId{1};
    Set(&other.digest, MacOf("MD5", "secretMD5ascii", covered));
    assert_true(Ask(h, other) == CommandOutcome::kDenied);
    AssertUnchanged(h);
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryOtherMacIsDenied),
      cmocka_unit_test(OnlyTheControlKeyCommands),
      cmocka_unit_test(EveryAlgorithmOfTheKeyFileCommands),
      cmocka_unit_test(TheAddressListOfTheControlKeyBindsItsRequests),
      cmocka_unit_test(WhatIsNoChangeIsRefusedUnderAGoodMac),
      cmocka_unit_test(OnlyJudgedMeansNothingIsDone),
      cmocka_unit_test(OtherChangesAreAuthorisedAndNotDone),
      cmocka_unit_test(OtherChangesNeedTheControlKeyAndANonceToo),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
