// Lines of configuration that net is to carry out: who may give one, what the supervisor hears of
// it, and the key that it binds.
#include "keys/key_binding.h"
#include "tests/keys/commands.h"
#include "tests/keys/served_client.h"
#include "tests/keys/trusted_keys.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using msg::CommandOutcome;

msg::Command Line(Harness& h, const std::string& line, std::string_view subject = "") {
  auto command = Request(line + NewNonce(h));
  command.keep = true;
  SetText(&command.subject, subject);
  return command;
}
CommandOutcome Give(Harness& h, const std::string& line, std::string_view subject = "") {
  return Ask(h, Line(h, line, subject));
}

msg::RuntimeLine KeptLine(std::string_view text) {
  msg::RuntimeLine line;
  SetText(&line.line, text);
  return line;
}

void ALineIsAuthorisedAndToldToTheSupervisor(void**) {
  Harness h;
  h.StartServer();
  assert_true(Give(h, "restrict 192.0.2.1 noquery") == CommandOutcome::kAuthorised);
  assert_true(Give(h, "unconfig 4711", "ntp.example.org") == CommandOutcome::kAuthorised);
  assert_int_equal(h.out.runtime_lines.size(), 2);
  // Without its nonce.
  assert_true(h.out.runtime_lines[0].line.text() == "restrict 192.0.2.1 noquery");
  assert_true(h.out.runtime_lines[0].subject.empty());
  assert_true(h.out.runtime_lines[1].subject.text() == "ntp.example.org");
  assert_int_equal(h.out.runtime_trust.size(), 0);
  // Independently of what net says of it.
  assert_true(h.out.Audited("restrict 192.0.2.1 noquery: given under control key 4"));
}

// A taken-over net can neither make one nor have one done twice.
void NothingIsToldOfALineThatIsNotAuthorised(void**) {
  Harness h;
  h.StartServer();
  auto forged = Line(h, "server 192.0.2.1");
  forged.digest.span()[0] ^= 1;
  assert_true(Ask(h, forged) == CommandOutcome::kDenied);
  auto other = Line(h, "server 192.0.2.1");
  other.key = KeyId{1};
  Set(&other.digest, MacOf("MD5", "secretMD5ascii", other.covered.span()));
  assert_true(Ask(h, other) == CommandOutcome::kDenied);
  auto plain = Request("server 192.0.2.1");
  plain.keep = true;
  assert_true(Ask(h, plain) == CommandOutcome::kNonce);
  const auto good = Line(h, "server 192.0.2.1");
  assert_true(Ask(h, good) == CommandOutcome::kAuthorised);
  assert_true(Ask(h, good) == CommandOutcome::kNonce);
  assert_int_equal(h.out.runtime_lines.size(), 1);
}

void WhatIsNotToBeKeptIsOnlyAuthorised(void**) {
  Harness h;
  h.StartServer();
  auto command = Line(h, "server 192.0.2.1 key 2");
  command.keep = false;
  assert_true(Ask(h, command) == CommandOutcome::kAuthorised);
  const auto covered = Covered("ntp.save" + NewNonce(h), kSaveConfig);
  auto save = Request(covered);
  save.keep = true;
  assert_true(Ask(h, save) == CommandOutcome::kAuthorised);
  assert_int_equal(h.out.runtime_lines.size(), 0);
  assert_false(Asks(h, 2));
}

void AKeyIsBoundToWhatTheLineSays(void**) {
  Harness h;
  h.StartServer();
  assert_false(Asks(h, 2));
  assert_true(Give(h, "server 192.0.2.1 key 2 iburst") == CommandOutcome::kAuthorised);
  assert_true(Asks(h, 2));
  // Not for clients, who could pose as that server, nor as a peer or by broadcasts.
  const auto request = ClientHeader();
  const auto mac = MacOf("MD5", "secretMD5two", request);
  assert_true(Serve(h, Batch(2, request, mac)).outcome == msg::ServeOutcome::kRefused);
  assert_false(Asks(h, 2, 0xe1) || Asks(h, 2, 0xe5));
  assert_true(Give(h, "peer 192.0.2.2 key 5") == CommandOutcome::kAuthorised);
  assert_true(Asks(h, 5, 0xe1) && !Asks(h, 5));
  assert_true(Give(h, "broadcast 192.0.2.255 key 6") == CommandOutcome::kAuthorised);
  assert_true(Asks(h, 6, 0xe5) && !Asks(h, 6));
}

void ARevokedKeyStaysRevoked(void**) {
  Harness h;
  h.StartServer();
  assert_true(Say(h, "untrustedkey 2") == CommandOutcome::kDone);
  assert_true(Give(h, "server 192.0.2.1 key 2") == CommandOutcome::kAuthorised);
  assert_false(Asks(h, 2));
  assert_true(Say(h, "trustedkey 2") == CommandOutcome::kDone);
  assert_true(Asks(h, 2));
}

void AKeyThatCannotBeBoundSpoilsTheLine(void**) {
  Harness h;
  h.StartServer();
  assert_true(Give(h, "server 192.0.2.1 key 77") == CommandOutcome::kUnknownKey);
  assert_int_equal(h.out.commands.back().column, 21);
  assert_true(Give(h, "server 192.0.2.1 key 4") == CommandOutcome::kKeyInUse);
  assert_true(Give(h, "server 192.0.2.1 key 05") == CommandOutcome::kSyntax);
  assert_int_equal(h.out.runtime_lines.size(), 0);
  assert_false(Asks(h, 4));
}

void WhatTheSupervisorCannotKeepIsNotDone(void**) {
  Harness h;
  h.StartServer();
  h.out.supervisor_is_deaf = true;
  assert_true(Give(h, "server 192.0.2.1 key 2") == CommandOutcome::kBusy);
  assert_false(Asks(h, 2));
}

void NoMoreLinesThanTheSupervisorKeeps(void**) {
  Harness h;
  h.StartServer();
  for (size_t i = 0; i < KeptChanges::kMost; ++i)
    assert_true(Give(h, "tos minclock " + std::to_string(i)) == CommandOutcome::kAuthorised);
  assert_true(Give(h, "tos maxclock 3") == CommandOutcome::kFull);
  assert_int_equal(h.out.runtime_lines.size(), KeptChanges::kMost);
  // Saying one again takes no room.
  assert_true(Give(h, "tos minclock 7") == CommandOutcome::kAuthorised);
}

void ASuccessorBindsWhatWasKept(void**) {
  Harness before;
  msg::Encoded bytes;
  msg::Encode(KeptLine("server 192.0.2.1 key 2"), &bytes);
  before.service.HandleSupervisor(bytes.span(), before.out);
  before.StartServer();
  assert_true(Asks(before, 2));
  Harness after;
  after.StartServer();
  after.FromSupervisor(KeptLine("server 192.0.2.1 key 2"));
  assert_true(Asks(after, 2));
  assert_false(after.service.failed());
  assert_true(before.out.runtime_lines.empty() && after.out.runtime_lines.empty());
}

// Whoever shares a server's key must not get to reconfigure us when that key becomes the control
// key.
void AKeptLineDoesNotBindTheControlKey(void**) {
  Harness h;
  msg::Encoded bytes;
  msg::Encode(KeptLine("server 192.0.2.1 key 4"), &bytes);
  h.service.HandleSupervisor(bytes.span(), h.out);
  h.StartServer();
  assert_false(Asks(h, 4));
  assert_true(h.out.Logged("a line given at run time names key 4"));
}

// --- reading the key --------------------------------------------------------------------------

void TheKeyOfALineIsFound(void**) {
  struct Row {
    const char* line;
    uint32_t key;
    uint16_t column;
  };
  const Row rows[] = {{"server 192.0.2.1 key 5", 5, 21},
                      {"pool\t192.0.2.1\tiburst key\t65535#x", 65535, 26},
                      {"peer 192.0.2.1 ident \"a key 4 #\" key 7", 7, 37},
                      {"manycastclient 224.0.1.1 key 1", 1, 29}};
  for (const Row& row : rows) {
    const auto binding = BindingOf(row.line);
    assert_true(binding.ok() && binding->has_value());
    assert_int_equal((*binding)->key.value, row.key);
    assert_int_equal((*binding)->column, row.column);
  }
}

void LinesWithoutAKeyBindNone(void**) {
  for (const char* line : {"", "server", "server 192.0.2.1", "server 192.0.2.1 # key 5", "key 5",
                           "restrict key 5", "server 192.0.2.1 \"key\" 5", "server \"a key 5",
                           "Server 192.0.2.1 key 5", "#server 192.0.2.1 key 5"}) {
    const auto binding = BindingOf(line);
    assert_true(binding.ok() && !binding->has_value());
  }
}

void WhatIsNoNumberOfAKeyIsRefused(void**) {
  for (const char* number : {"", "0", "65536", "5x", "-5", "0x5", "05", "99999999999", "\"5\""}) {
    const auto binding = BindingOf(std::string("server 192.0.2.1 key ") + number);
    assert_true(!binding.ok() && binding.error() == 21);
  }
}

void ASecondKeyIsRefused(void**) {
  const auto binding = BindingOf("server 192.0.2.1 key 5 iburst key 4");
  assert_true(!binding.ok() && binding.error() == 30);
}

void EveryPrefixBindsTheKeyOrNone(void**) {
  const std::string_view line = "server 192.0.2.1 ident \"x y\" key 5 iburst";
  for (size_t size = 0; size <= line.size(); ++size) {
    const auto binding = BindingOf(line.substr(0, size));
    if (binding.ok() && *binding) assert_int_equal((*binding)->key.value, 5);
  }
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ALineIsAuthorisedAndToldToTheSupervisor),
      cmocka_unit_test(NothingIsToldOfALineThatIsNotAuthorised),
      cmocka_unit_test(WhatIsNotToBeKeptIsOnlyAuthorised),
      cmocka_unit_test(AKeyIsBoundToWhatTheLineSays),
      cmocka_unit_test(ARevokedKeyStaysRevoked),
      cmocka_unit_test(AKeyThatCannotBeBoundSpoilsTheLine),
      cmocka_unit_test(WhatTheSupervisorCannotKeepIsNotDone),
      cmocka_unit_test(NoMoreLinesThanTheSupervisorKeeps),
      cmocka_unit_test(ASuccessorBindsWhatWasKept),
      cmocka_unit_test(AKeptLineDoesNotBindTheControlKey),
      cmocka_unit_test(TheKeyOfALineIsFound),
      cmocka_unit_test(LinesWithoutAKeyBindNone),
      cmocka_unit_test(WhatIsNoNumberOfAKeyIsRefused),
      cmocka_unit_test(ASecondKeyIsRefused),
      cmocka_unit_test(EveryPrefixBindsTheKeyOrNone),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
