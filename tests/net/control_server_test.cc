// Commands about keys, and what is not about keys, on their way through ntpd-net.
#include "ntpd/net/control_server.h"

#include "tests/net/control_world.h"

namespace ntpward::net {
namespace {

using core::Access;
using msg::CommandOutcome;
using msg::VerdictCode;
using test::ControlWorld;
using test::kAsked;
using test::kControl;
using wire::ControlOp;

void ALineGoesWholeToTheKeyProcess(void**) {
  ControlWorld w;
  const auto command = w.Configure("trustedkey 5 nonce=00");
  assert_true(command.has_value());
  assert_true(command->key == kControl && command->source.is_loopback());
  assert_int_equal(command->covered.size(), w.covered.size());
  assert_memory_equal(command->covered.span().data(), w.covered.data(), w.covered.size());
  assert_int_equal(command->digest.size(), 16);
  assert_int_equal(w.changes, 0);
  w.Done(*command, CommandOutcome::kDone);
  assert_string_equal(w.Answer().c_str(), "Config Succeeded\r\n");
  assert_true(w.changes == 1 && w.changed.size() == 1 && w.changed[0] == KeyId{5});
  assert_true(w.now_trusted);
}

void WhatTheKeyProcessRefusesChangesNothing(void**) {
  struct Row {
    CommandOutcome outcome;
    const char* answer;
  };
  const Row rows[] = {{CommandOutcome::kDenied, "error 1"},
                      {CommandOutcome::kNonce, "error 1"},
                      {CommandOutcome::kSyntax, "column 13 syntax error\r\n"},
                      {CommandOutcome::kUnknownKey, "column 13 key 5 is not in the key file\r\n"},
                      {CommandOutcome::kControlKey,
                       "column 13 key 5 is the control key: only ntp.conf can take it away\r\n"},
                      {CommandOutcome::kKeyInUse,
                       "column 13 key 5 is the control key: expected one that nobody else has\r\n"},
                      {CommandOutcome::kFull,
                       "column 0 too many lines are in force already: put them into ntp.conf and "
                       "restart\r\n"},
                      {CommandOutcome::kBusy, ""},
                      // Of a line about keys that is no verdict: nobody else may trust them.
                      {CommandOutcome::kAuthorised, "error 1"}};
  for (const Row& row : rows) {
    ControlWorld w;
    const auto command = w.Configure("untrustedkey 5");
    w.Done(*command, row.outcome, row.outcome == CommandOutcome::kDenied ? 0 : 13);
    const std::string line = w.Answer();
    if (line != row.answer) print_message("outcome %d\n", static_cast<int>(row.outcome));
    assert_string_equal(line.c_str(), row.answer);
    assert_int_equal(w.changes, 0);
  }
}

void WithoutAGoodMacNothingIsPassedOn(void**) {
  ControlWorld w;
  w.Send(ControlOp::kConfigure, "trustedkey 5", false);
  assert_string_equal(w.Answer(false).c_str(), "error 1");
  for (const VerdictCode code :
       {VerdictCode::kBad, VerdictCode::kUnknownKey, VerdictCode::kNotAllowed}) {
    w.Send(ControlOp::kConfigure, "trustedkey 5");
    w.Judge(code);
    assert_false(w.Asked<msg::Command>().has_value());
    assert_string_equal(w.Answer(false).c_str(), "error 1");
    w.Send(ControlOp::kRequestNonce, "config");
    w.Judge(code);
    assert_false(w.Asked<msg::CommandNonceRequest>().has_value());
    assert_string_equal(w.Answer(false).c_str(), "error 1");
  }
  assert_int_equal(w.changes, 0);
}

// Somebody asks in a stranger's name until the bucket is empty. Then a MAC is looked at, but a
// wrong one is not answered. A token may come meanwhile, so that each is tried a few times.
void BeyondTheLimitOnlyAGoodMacIsAnswered(void**) {
  ControlWorld w;
  size_t sent = 0;
  w.h.control.SetSend([&](const Route&, const auto& datagrams) { sent += datagrams.size(); });
  const Route stranger{.client = {IpAddress::V4(198, 51, 100, 9), 999}, .server = kAsked};
  const auto limited = [&] { return w.h.control.counters().rate_limited; };
  // What becomes of a request under a MAC.
  const auto ask_beyond = [&](VerdictCode code) {
    w.Build(ControlOp::kReadStatus, "", false);
    for (const uint64_t before = limited(); limited() == before;)
      w.h.control.OnDatagram(stranger, {}, w.datagram);
    w.Build(ControlOp::kReadStatus, "", true);
    sent = 0;
    w.h.control.OnDatagram(stranger, {}, w.datagram);
    w.Judge(code);
  };
  for (const VerdictCode code :
       {VerdictCode::kBad, VerdictCode::kUnknownKey, VerdictCode::kNotAllowed}) {
    bool dropped = false;
    for (int i = 0; i < 20 && !dropped; ++i) {
      ask_beyond(code);
      dropped = sent == 0;
    }
    assert_true(dropped);
  }
  const uint64_t before = limited();
  ask_beyond(VerdictCode::kGood);
  assert_int_equal(limited(), before + 1);  // the one that found the bucket empty
  assert_true(w.Asked<msg::SealRequest>().has_value());
}

void NomodifyRefusesTheLineButNotTheQuestion(void**) {
  ControlWorld w;
  w.h.Restrict(Access::kNoModify);
  assert_string_equal(w.RefusalOf("trustedkey 5").c_str(),
                      "runtime configuration prohibited by restrict ... nomodify\r\n");
  assert_int_equal(w.changes, 0);
  w.Send(ControlOp::kReadVariables, "stratum", false);
  assert_true(w.Answer(false).starts_with("stratum="));
}

void ANonceIsHandedToWhoHasTheControlKey(void**) {
  ControlWorld w;
  w.Send(ControlOp::kRequestNonce, "config");
  w.Judge(VerdictCode::kGood);
  const auto asked = w.Asked<msg::CommandNonceRequest>();
  assert_true(asked.has_value());
  assert_true(asked->source.is_loopback());
  msg::CommandNonce nonce{.request = asked->request};
  assert_true(nonce.nonce.Resize(16));
  nonce.nonce.span()[0] = 0xab;
  w.Say(nonce);
  assert_string_equal(w.Answer().c_str(), "config_nonce=ab000000000000000000000000000000\r\n");
}

// What ntpq of other makers asks for is a nonce for the list of clients: ntpd-keys has no part in
// it.
void OtherNoncesAreNoneForCommands(void**) {
  ControlWorld w;
  w.Send(ControlOp::kRequestNonce, "", false);
  assert_true(w.Answer(false).starts_with("nonce="));
  assert_false(w.Asked<msg::CommandNonceRequest>().has_value());
}

// --- what is not about keys: ntpd-keys only says that it may ----------------------------------

void AnAuthorisedWriteIsDone(void**) {
  ControlWorld w;
  w.h.node.start.variables.Clear();
  InlineText<128> variable;
  assert_true(variable.Assign(AsBytes(std::string_view("*+site=here"))));
  assert_true(w.h.node.start.variables.Push(variable));
  for (const auto outcome : {CommandOutcome::kNonce, CommandOutcome::kDenied}) {
    const auto refused = w.Change(ControlOp::kWriteVariables, "site=there");
    assert_true(refused.has_value());
    w.Done(*refused, outcome);
    assert_string_equal(w.Answer().c_str(), "error 1");
    assert_true(w.h.node.written.empty());
  }
  const auto command = w.Change(ControlOp::kWriteVariables, "site=there");
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(), "");
  assert_true(w.last_was_empty);
  w.Send(ControlOp::kReadVariables, "site", false);
  assert_string_equal(w.Answer(false).c_str(), "site=there\r\n");
}

void AnAuthorisedSaveIsTheSupervisors(void**) {
  ControlWorld w;
  w.h.node.start.saves_configuration = true;
  std::optional<msg::NetSaveConfig> asked;
  w.h.control.SetSave([&](const msg::NetSaveConfig& ask) {
    asked = ask;
    return true;
  });
  const auto refused = w.Change(ControlOp::kSaveConfig, "ntp.conf-%Y");
  w.Done(*refused, CommandOutcome::kNonce);
  assert_string_equal(w.Answer().c_str(), "error 1");
  assert_false(asked.has_value());
  const auto command =
      w.Change(ControlOp::kSaveConfig, "ntp.conf-%Y nonce=00112233445566778899aabbccddeeff");
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_true(asked.has_value());
  assert_true(asked->pattern.text() == "ntp.conf-%Y");
  msg::NetConfigSaved saved{.request = asked->request + 1, .outcome = msg::SaveOutcome::kSaved};
  assert_true(saved.name.Assign(AsBytes(std::string_view("ntp.conf-2026"))));
  w.h.control.OnConfigSaved(saved);  // nobody asked for that
  saved.request = asked->request;
  w.h.control.OnConfigSaved(saved);
  assert_string_equal(w.Answer().c_str(), "Configuration saved to 'ntp.conf-2026'\r\n");
  w.Send(ControlOp::kReadVariables, "savedconfig", false);
  assert_string_equal(w.Answer(false).c_str(), "savedconfig=ntp.conf-2026\r\n");
  w.h.control.OnConfigSaved(saved);  // once
  assert_string_equal(w.Answer().c_str(), "");
}

void ANameThatNoFileHasIsNotPassedOn(void**) {
  ControlWorld w;
  w.h.node.start.saves_configuration = true;
  w.h.control.SetSave([](const msg::NetSaveConfig&) -> bool { fail(), std::abort(); });
  const std::string name(200, 'x');
  const auto command = w.Change(ControlOp::kSaveConfig, name);
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(),
                      ("saveconfig rejects unsafe file name '" + name + "'\r\n").c_str());
}

// --- the lists, which need no consent but a good MAC ------------------------------------------

void TheListsHaveTheSocketsAndTheRules(void**) {
  ControlWorld w;
  w.h.node.start.control_key = kControl;
  w.Send(ControlOp::kReadOrderedList, "ifstats");
  w.Judge(VerdictCode::kGood);
  const std::string interfaces = w.Answer();
  assert_true(interfaces.starts_with("addr.0=") && interfaces.find("en.0=1,") != std::string::npos);
  assert_true(interfaces.find("rx.0=1,") != std::string::npos);
  w.Send(ControlOp::kReadOrderedList, "addr_restrictions");
  w.Judge(VerdictCode::kGood);
  const std::string rules = w.Answer();
  assert_true(rules.starts_with("addr.0=") && rules.find("mask.0=") != std::string::npos);
  w.Send(ControlOp::kReadOrderedList, "ifstats");
  w.Judge(VerdictCode::kBad);
  assert_string_equal(w.Answer(false).c_str(), "error 1");
  // Another key than the control key.
  w.h.node.start.control_key = KeyId{kControl.value + 1};
  w.Send(ControlOp::kReadOrderedList, "ifstats");
  w.Judge(VerdictCode::kGood);
  assert_string_equal(w.Answer().c_str(), "error 1");
}

// A question that ntpd-keys never answers, or answers after a restart, is no answer to anybody.
void ALostQuestionChangesNothing(void**) {
  ControlWorld w;
  const auto command = w.Configure("trustedkey 5");
  assert_true(command.has_value());
  w.h.node.keys.OnRestarted();
  w.Done(*command, CommandOutcome::kDone);
  assert_int_equal(w.changes, 0);
  assert_string_equal(w.Answer().c_str(), "");
  w.Send(ControlOp::kRequestNonce, "config");
  w.Judge(VerdictCode::kGood);
  w.h.node.keys.Expire(Timebase::Mono() + KeysClient::kPatience + 1);
  assert_string_equal(w.Answer().c_str(), "");
}

void AnAnswerOfTheWrongKindIsAnAccusation(void**) {
  ControlWorld w;
  const auto command = w.Configure("trustedkey 5");
  assert_true(command.has_value());
  msg::CommandNonce nonce{.request = command->request};
  assert_true(nonce.nonce.Resize(16));
  assert_true(w.h.keys.far.Send(nonce) == SendOutcome::kSent);
  assert_false(w.h.node.keys.OnReadable());
  assert_int_equal(w.h.Accusations(), 1);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ALineGoesWholeToTheKeyProcess),
      cmocka_unit_test(WhatTheKeyProcessRefusesChangesNothing),
      cmocka_unit_test(WithoutAGoodMacNothingIsPassedOn),
      cmocka_unit_test(BeyondTheLimitOnlyAGoodMacIsAnswered),
      cmocka_unit_test(NomodifyRefusesTheLineButNotTheQuestion),
      cmocka_unit_test(ANonceIsHandedToWhoHasTheControlKey),
      cmocka_unit_test(OtherNoncesAreNoneForCommands),
      cmocka_unit_test(AnAuthorisedWriteIsDone),
      cmocka_unit_test(AnAuthorisedSaveIsTheSupervisors),
      cmocka_unit_test(ANameThatNoFileHasIsNotPassedOn),
      cmocka_unit_test(TheListsHaveTheSocketsAndTheRules),
      cmocka_unit_test(ALostQuestionChangesNothing),
      cmocka_unit_test(AnAnswerOfTheWrongKindIsAnAccusation),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
