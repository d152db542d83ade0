// Keys are trusted and revoked at run time by whoever has the control key, once for each time that
// he says so, and by nobody else: not by a taken-over net either.
#include <functional>

#include "keys/change_request.h"
#include "keys/command_nonces.h"
#include "keys/mac.h"
#include "keys/trust_command.h"
#include "tests/keys/commands.h"
#include "tests/keys/key_data.h"
#include "tests/keys/served_client.h"
#include "tests/keys/service_harness.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::CommandOutcome;
using ntpward::test::FromHex;
using ntpward::test::ToHex;

msg::ServeOutcome Served(Harness& h, uint32_t key, const char* type, std::string_view secret) {
  const auto request = ClientHeader();
  return Serve(h, Batch(key, request, MacOf(type, secret, request))).outcome;
}
bool Serves1(Harness& h) {
  return Served(h, 1, "MD5", "secretMD5ascii") == msg::ServeOutcome::kSealed;
}
bool Serves2(Harness& h) {
  return Served(h, 2, "MD5", "secretMD5two") == msg::ServeOutcome::kSealed;
}
bool AsksUpstream3(Harness& h) {
  msg::SealRequest request;
  request.key = KeyId{3};
  Set(&request.covered, ClientHeader());
  h.FromNet(request);
  return !h.out.sealed.back().mac.empty();
}

// Nothing was changed, and the supervisor heard of nothing.
void AssertUnchanged(Harness& h) {
  assert_int_equal(h.out.runtime_trust.size(), 0);
  assert_true(Serves1(h) && !Serves2(h) && AsksUpstream3(h));
  assert_int_equal(h.out.misbehaviours.size(), 0);
}

// --- what a command does ----------------------------------------------------------------------

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
  assert_true(AsksUpstream3(h));
  assert_true(Say(h, "untrustedkey 3") == CommandOutcome::kDone);
  assert_false(AsksUpstream3(h));
  // Back to what the configuration gave it, and no more: else a client could pose as that upstream.
  assert_true(Say(h, "trustedkey 3") == CommandOutcome::kDone);
  assert_true(Say(h, "trustedkey 3") == CommandOutcome::kDone);
  assert_true(AsksUpstream3(h));
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

// --- who may ----------------------------------------------------------------------------------

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

// --- nonces -----------------------------------------------------------------------------------

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

void NoncesDifferAndEveryPrefixIsNone(void**) {
  auto nonces = CommandNonces::Create();
  assert_true(nonces.ok());
  const MonoTime now = MonoTime::FromSeconds(100);
  const auto a = nonces->Make(now), b = nonces->Make(now);
  assert_string_not_equal(ToHex(a.span()).c_str(), ToHex(b.span()).c_str());
  for (size_t size = 0; size < a.size(); ++size)
    assert_false(nonces->Take(a.span().first(size), now));
  std::vector<uint8_t> longer(a.span().begin(), a.span().end());
  longer.push_back(0);
  assert_false(nonces->Take(longer, now));
  assert_true(nonces->Take(a.span(), now));
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
    command.loopback = row.loopback;
    assert_true(Ask(h, command) == (row.done ? CommandOutcome::kDone : CommandOutcome::kNonce));
    assert_true(Serves2(h) == row.done);
    // A bad one is not good enough anywhere.
    auto forged = Request("trustedkey 2 nonce=" + std::string(32, 'a'));
    forged.loopback = row.loopback;
    assert_true(Ask(h, forged) == CommandOutcome::kNonce);
  }
}

// --- the form ---------------------------------------------------------------------------------

constexpr std::string_view kNonce = " nonce=00112233445566778899aabbccddeeff";

// The column of the error; -1: there is none.
int ErrorColumn(std::string_view line) {
  const auto parsed = ParseTrustCommand(line);
  return parsed.ok() ? -1 : parsed.error().column;
}

void TheFormIsRead(void**) {
  const auto parsed = ParseTrustCommand("untrustedkey 1 \t 65535\t20");
  assert_true(parsed.ok());
  assert_false(parsed->trust);
  assert_int_equal(parsed->keys.size(), 3);
  assert_int_equal(parsed->keys[1].key.value, 65535);
  assert_int_equal(parsed->keys[1].column, 17);
  assert_int_equal(parsed->keys[2].column, 23);
  assert_true(IsTrustCommand("untrustedkey 1") && IsTrustCommand(" trustedkey"));
  assert_false(IsTrustCommand("trustedkeys 1") || IsTrustCommand("server trustedkey"));
}

void OtherFormsAreRefusedAtTheirColumn(void**) {
  struct Row {
    std::string line;
    int column;
  };
  const std::string nonce(kNonce);
  const Row rows[] = {
      {"", 0},
      {" ", 0},
      {" trustedkey 1", 0},
      {"trustedkey 1 ", 12},
      {"trustedkey 1\t", 12},
      {"trustedkey", 10},
      {"Trustedkey 1", 0},
      {"trustedkeys 1", 0},
      {"controlkey 1", 0},
      {"server 10.0.0.1 key 1", 0},
      {"trustedkey 0", 11},
      {"trustedkey 01", 11},
      {"trustedkey 1 65536", 13},
      {"trustedkey 4294967297", 11},
      {"trustedkey 99999999999999999999", 11},
      {"trustedkey -1", 11},
      {"trustedkey +1", 11},
      {"trustedkey 1x", 11},
      {"trustedkey 0x1", 11},
      {"trustedkey 1,2", 11},
      {"trustedkey (1 ... 9)", 11},
      {"trustedkey 1 # comment", 13},
      {"trustedkey 1\n", 11},
      {"trustedkey 1\ntrustedkey 2", 11},
      {std::string("trustedkey 1\0", 13), 11},
      {"trustedkey \"1\"", 11},
      {"trustedkey" + nonce, 11},
      {"trustedkey 1" + nonce, 13},
      {"trustedkey 1" + nonce + " 2", 13},
      {"trustedkey 1" + nonce + nonce, 13},
      {"trustedkey 1" + nonce + "0", 13},
      {"trustedkey 1" + nonce.substr(0, nonce.size() - 1), 13},
      {"trustedkey 1 nonce=", 13},
      {"trustedkey 1 nonce=00112233445566778899AABBCCDDEEFF", 13},
      {"trustedkey 1 nonce=0011223344556677889gaabbccddeeff", 13},
      {"trustedkey 1 NONCE=00112233445566778899aabbccddeeff", 13},
  };
  for (const Row& row : rows) {
    if (ErrorColumn(row.line) != row.column) print_message("line: %s\n", row.line.c_str());
    assert_int_equal(ErrorColumn(row.line), row.column);
  }
}

void MoreKeysThanFitAreRefused(void**) {
  std::string line = "trustedkey";
  for (size_t i = 0; i < msg::kMaxCommandKeys; ++i) line += " 7";
  assert_int_equal(ErrorColumn(line), -1);
  assert_int_equal(ErrorColumn(line + " 8"), line.size() + 1);
}

void EveryPrefixOfALineIsRefusedOrShorter(void**) {
  const std::string line = "trustedkey 12 345";
  for (size_t size = 0; size < line.size(); ++size) {
    // "trustedkey 1", "12", "12 3", "12 34": complete by themselves.
    const bool complete = size == 12 || size == 13 || size >= 15;
    assert_true(ParseTrustCommand(line.substr(0, size)).ok() == complete);
  }
}

void ARequestIsTakenApart(void**) {
  for (const uint8_t operation : {kWriteVariables, kConfigure, kSaveConfig}) {
    const auto covered = Covered("a b" + std::string(kNonce), operation);
    const auto request = ParseChangeRequest(covered);
    assert_true(request.has_value());
    assert_int_equal(static_cast<int>(request->operation), operation);
    assert_true(request->text == "a b");
    assert_string_equal(ToHex(request->nonce.span()).c_str(), "00112233445566778899aabbccddeeff");
    const auto plain = Covered("a b", operation);
    assert_true(ParseChangeRequest(plain)->nonce.empty());
    for (size_t size = 0; size < covered.size(); ++size)
      assert_false(ParseChangeRequest(Bytes(covered).first(size)).has_value());
  }
}

void OtherRequestsAreRefused(void**) {
  const auto good = Covered("trustedkey 1");
  assert_true(ParseChangeRequest(good).has_value());
  const std::function<void(std::vector<uint8_t>&)> changes[] = {
      [](auto& o) { o[0] = 0x17; },             // mode 7
      [](auto& o) { o[0] = 0x06; },             // version 0
      [](auto& o) { o[0] = 0x2e; },             // version 5
      [](auto& o) { o[1] = 2; },                // READVAR
      [](auto& o) { o[1] = 11; },               // READ_ORDLIST
      [](auto& o) { o[1] = 0x88; },             // a response
      [](auto& o) { o[1] = 0x28; },             // a fragment
      [](auto& o) { o[7] = 1; },                // of an association
      [](auto& o) { o[9] = 4; },                // at an offset
      [](auto& o) { o[11] = 0; },               // no data
      [](auto& o) { o[11] = 11; },              // padding that is none
      [](auto& o) { o[11] = 13; },              // more than there is
      [](auto& o) { o[10] = 0xff; },            //
      [](auto& o) { o.resize(o.size() + 8); },  // too much padding
      [](auto& o) { o.push_back(0); },          // no multiple of eight
  };
  for (const auto& change : changes) {
    auto octets = good;
    change(octets);
    assert_false(ParseChangeRequest(octets).has_value());
  }
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
    here.loopback = true;
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
      cmocka_unit_test(EveryOtherMacIsDenied),
      cmocka_unit_test(OnlyTheControlKeyCommands),
      cmocka_unit_test(EveryAlgorithmOfTheKeyFileCommands),
      cmocka_unit_test(ANonceIsGoodOnce),
      cmocka_unit_test(AFailedCommandUsesItsNonceToo),
      cmocka_unit_test(OnlyJudgedMeansNothingIsDone),
      cmocka_unit_test(TheNonceIsJudgedBeforeTheLine),
      cmocka_unit_test(ANonceIsGoodForThirtySeconds),
      cmocka_unit_test(StepsOfTheClockDoNotMatter),
      cmocka_unit_test(NoncesOfOthersAreNone),
      cmocka_unit_test(AFloodOfNoncesLeavesTheOldestGood),
      cmocka_unit_test(ANonceIsBadOnceALaterOneWasUsed),
      cmocka_unit_test(NoncesDifferAndEveryPrefixIsNone),
      cmocka_unit_test(WhereANonceIsNeeded),
      cmocka_unit_test(TheFormIsRead),
      cmocka_unit_test(OtherFormsAreRefusedAtTheirColumn),
      cmocka_unit_test(MoreKeysThanFitAreRefused),
      cmocka_unit_test(EveryPrefixOfALineIsRefusedOrShorter),
      cmocka_unit_test(ARequestIsTakenApart),
      cmocka_unit_test(OtherRequestsAreRefused),
      cmocka_unit_test(WhatIsNoChangeIsRefusedUnderAGoodMac),
      cmocka_unit_test(OtherChangesAreAuthorisedAndNotDone),
      cmocka_unit_test(OtherChangesNeedTheControlKeyAndANonceToo),
      cmocka_unit_test(AMalformedMessageIsAnAccusation),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
