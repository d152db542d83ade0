// Commands of mode 6 on their way through ntpd-net: real sockets on loopback, the test as
// ntpd-keys, which has the last word.
#include "ntpd/net/control_server.h"

#include <algorithm>

#include "ntpd/config/directive.h"
#include "ntpd/wire/control_message.h"
#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using core::Access;
using msg::CommandOutcome;
using msg::VerdictCode;
using test::Harness;
using test::Next;
using test::SomeMac;
using test::Stranger;
using wire::ControlOp;

const IpAddress kAsked = IpAddress::V4(127, 0, 0, 7);
constexpr KeyId kControl{9};

// An operator with ntpq, and everything between him and ntpd-keys.
struct World {
  World() {
    h.Synchronise();
    port = h.Listen();
    h.control.SetKeysChanged([this](std::span<const KeyId> keys, bool trusted) {
      ++changes;
      changed.assign(keys.begin(), keys.end());
      now_trusted = trusted;
    });
  }
  void Build(ControlOp op, std::string_view data, bool with_mac) {
    wire::ControlHeader header;
    header.op = op;
    header.sequence = 7;
    const auto padding = with_mac ? wire::ControlPadding::kForMac : wire::ControlPadding::kPlain;
    datagram = wire::BuildControlRequest(header, AsBytes(data), padding);
    covered = datagram;
    const auto mac = SomeMac(kControl);
    if (with_mac) datagram.insert(datagram.end(), mac.begin(), mac.end());
  }
  void Send(ControlOp op, std::string_view data, bool with_mac = true) {
    Build(op, data, with_mac);
    ntpq.Send(datagram, {kAsked, port});
    h.Spin();
  }
  template <msg::Message M>
  std::optional<M> Asked() {
    return Next<M>(&h.keys.far);
  }
  template <msg::Message M>
  void Say(const M& message) {
    CHECK(h.keys.far.Send(message) == SendOutcome::kSent);
    CHECK(h.node.keys.OnReadable());
  }
  // ntpd-keys is asked whether the MAC is right, and says this.
  void Judge(VerdictCode code) {
    const auto check = Asked<msg::CheckMac>();
    CHECK(check.has_value());
    Say(msg::Verdict{.request = check->request, .code = code});
  }
  // Sends a line under a good MAC.
  void SendLine(std::string_view line) {
    Send(ControlOp::kConfigure, line);
    Judge(VerdictCode::kGood);
  }
  // Asks for a change under a good MAC; what ntpd-keys is asked then.
  std::optional<msg::Command> Change(ControlOp op, std::string_view data) {
    Send(op, data);
    Judge(VerdictCode::kGood);
    return Asked<msg::Command>();
  }
  // The same; what ntpd-keys is asked to do.
  std::optional<msg::Command> Configure(std::string_view line) {
    SendLine(line);
    return Asked<msg::Command>();
  }
  // The same with a line that is refused here: ntpd-keys only says that its sender may ask.
  std::string RefusalOf(std::string_view line) {
    const auto command = Configure(line);
    CHECK(command && command->judge_only && !command->keep);
    Done(*command, CommandOutcome::kAuthorised);
    return Answer();
  }
  // What the operator was told since the last call, a line each.
  std::string Logged() {
    std::string lines;
    while (const auto line = Next<msg::LogLine>(&h.supervisor.far))
      lines += std::string(line->text.text()) + "\n";
    return lines;
  }
  void Done(const msg::Command& command, CommandOutcome outcome, uint16_t column = 0) {
    msg::CommandDone done{.request = command.request, .outcome = outcome, .column = column};
    if (outcome == CommandOutcome::kDone) CHECK(done.keys.Push(KeyId{5}));
    done.trusted = true;
    Say(done);
  }
  // Seals the answer under way; what it says, or "error N", or "" when there is none.
  std::string Answer(bool sealed = true) {
    if (sealed) {
      const auto seal = Asked<msg::SealRequest>();
      if (!seal) return "";
      CHECK(seal->key == kControl);
      msg::Sealed mac{.request = seal->request};
      CHECK(mac.mac.Assign(SomeMac(kControl)));
      Say(mac);
    }
    const auto got = ntpq.Receive();
    if (!got) return "";
    CHECK(got->from == (SocketAddress{kAsked, port}));
    const auto fragment = wire::ParseControlResponse(got->bytes);
    CHECK(fragment.ok() && fragment->header.sequence == 7 && !fragment->header.more);
    last_was_empty = fragment->header.count == 0;
    if (fragment->header.error)
      return "error " + std::to_string(static_cast<int>(fragment->header.error_code()));
    return std::string(AsText(fragment->data));
  }

  Harness h;
  uint16_t port;
  Stranger ntpq{IpAddress::V4(127, 0, 0, 1)};
  std::vector<uint8_t> datagram, covered;
  int changes = 0;
  std::vector<KeyId> changed;
  bool now_trusted = false;
  bool last_was_empty = false;
};

void ALineGoesWholeToTheKeyProcess(void**) {
  World w;
  const auto command = w.Configure("trustedkey 5 nonce=00");
  assert_true(command.has_value());
  assert_true(command->key == kControl && command->loopback);
  assert_int_equal(command->covered.size(), w.covered.size());
  assert_memory_equal(command->covered.span().data(), w.covered.data(), w.covered.size());
  assert_int_equal(command->digest.size(), 16);
  assert_int_equal(w.changes, 0);
  w.Done(*command, CommandOutcome::kDone);
  assert_string_equal(w.Answer().c_str(), "Config Succeeded\r\n");
  assert_true(w.changes == 1 && w.changed.size() == 1 && w.changed[0] == KeyId{5});
  assert_true(w.now_trusted);
}

// --- lines that net carries out ---------------------------------------------------------------

size_t Lines(const World& w) { return w.h.run_time.in_force().associations.size(); }

void ALineIsDoneOnceTheKeyProcessHasAuthorisedIt(void**) {
  World w;
  const auto command = w.Configure("server 192.0.2.1 nonce=00112233445566778899aabbccddeeff");
  assert_true(command && command->keep && command->subject.empty());
  assert_int_equal(Lines(w), 0);
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(), "Config Succeeded\r\n");
  assert_int_equal(Lines(w), 1);
}

void ThisHostIsNoServerForItself(void**) {
  World w;
  for (const char* line : {"server 127.0.0.1", "peer 127.0.0.1", "server ::1"})
    assert_true(w.RefusalOf(line).find("is an address of this host") != std::string::npos);
  assert_int_equal(Lines(w), 0);
}

// Whoever gave the line does not read the log of that host.
void WhatIsUnwiseAboutALineIsInItsAnswer(void**) {
  World w;
  w.Done(*w.Configure("broadcast 192.0.2.255"), CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(),
                      "Config Succeeded\r\nwarning: broadcast without key or autokey: clients "
                      "cannot tell it from a forged one\r\n");
  assert_true(w.RefusalOf("mru maxdepth 100000000")
                  .starts_with("column 13 maxdepth 100000000 is out of range: expected 1 to "));
}

void AnAssociationsEntryIsTakenAwayAndNothingIsKeptOfIt(void**) {
  World w;
  const IpAddress server = IpAddress::V4(192, 0, 2, 1);
  w.h.node.access.SetSourceTemplate(core::AccessFlags(core::Access::kNoQuery));
  w.h.node.access.AddSource(server);
  const auto command = w.Configure("delrestrict source 192.0.2.1");
  assert_true(command && !command->keep);
  assert_true(w.h.node.access.Has(core::Access::kNoQuery));
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(), "Config Succeeded\r\n");
  assert_false(w.h.node.access.Has(core::Access::kNoQuery));
  assert_true(
      w.RefusalOf("delrestrict source 192.0.2.1").starts_with("column 12 there is no such entry"));
}

void ALineThatIsRefusedThereIsNotDone(void**) {
  for (const CommandOutcome outcome :
       {CommandOutcome::kDenied, CommandOutcome::kNonce, CommandOutcome::kUnknownKey,
        CommandOutcome::kKeyInUse, CommandOutcome::kFull, CommandOutcome::kBusy}) {
    World w;
    const auto command = w.Configure("server 192.0.2.1 key 5");
    assert_true(command.has_value());
    w.Done(*command, outcome);
    assert_int_equal(Lines(w), 0);
  }
}

// Nothing is kept that cannot be done.
void ALineThatIsWrongIsNotAskedFor(void**) {
  World w;
  assert_true(w.RefusalOf("server 192.0.2.1 kye 5").starts_with("column 17 syntax error"));
  assert_string_equal(w.RefusalOf("unconfig 4711").c_str(),
                      "column 9 there is no such association\r\n");
  assert_int_equal(Lines(w), 0);
}

// Who saw a request can send it again, from anywhere and in anybody's name.
void AReplayIsToldNothingAndFillsNoLog(void**) {
  for (const char* line : {"trustedkey 5", "server 192.0.2.1", "server 192.0.2.1 kye 5",
                           "logfile /tmp/x", "nosuchline"}) {
    World w;
    for (int i = 0; i < 20; ++i) {
      const auto command = w.Configure(line);
      assert_true(command.has_value());
      w.Done(*command, CommandOutcome::kNonce);
      assert_string_equal(w.Answer().c_str(), "error 1");
    }
    const std::string log = w.Logged();
    assert_int_equal(std::count(log.begin(), log.end(), '\n'), 5);
    assert_true(log.find("config: ") == std::string::npos);
    assert_true(
        log.starts_with("runtime config from 127.0.0.1 rejected: no nonce, or one that "
                        "is too old or was used\n"));
  }
}

void WhatTheOperatorGaveIsInTheLogOnceItIsJudged(void**) {
  World w;
  const auto command = w.Configure("logfile /tmp/x");
  assert_string_equal(w.Logged().c_str(), "");
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(), "column 0 logfile remote config ignored\r\n");
  assert_string_equal(w.Logged().c_str(), "127.0.0.1 config: logfile /tmp/x\n");
  w.Done(*w.Configure("trustedkey 5"), CommandOutcome::kDone);
  assert_string_equal(w.Logged().c_str(), "127.0.0.1 config: trustedkey 5\n");
}

// Nobody but who has the control key can fill its log.
void NoFloodHidesWhoChangedWhat(void**) {
  World w;
  for (int i = 0; i < 300; ++i) {
    w.h.node.reporter.Log(LogLevel::kWarning, "flood");
    (void)w.Logged();
  }
  w.Done(*w.Configure("trustedkey 5"), CommandOutcome::kDone);
  assert_string_equal(w.Logged().c_str(), "127.0.0.1 config: trustedkey 5\n");
}

void CountersAreResetAndNothingIsKeptOfIt(void**) {
  World w;
  w.h.node.packets.received = w.h.node.io.dropped = w.h.node.timer.polls = 5;
  w.h.node.timer.overruns = 5;
  const auto command = w.Configure("reset sys timer");
  assert_true(command && !command->keep);
  assert_int_equal(w.h.node.timer.polls, 5);
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(), "Config Succeeded\r\n");
  assert_true(w.h.node.packets.received == 0 && w.h.node.timer.polls == 0 &&
              w.h.node.timer.overruns == 0 && w.h.node.io.dropped == 5);
  assert_true(
      w.RefusalOf("reset sys all").starts_with("column 10 syntax error: expected allpeers, "));
}

// Every directive that is said to be carried out here is, and no other.
void TheTablesOfDirectivesAgree(void**) {
  for (const std::string_view name : config::DirectiveNames()) {
    wire::ControlRequest request;
    request.header.op = ControlOp::kConfigure;
    request.data = AsBytes(name);
    const bool known = settings::IsRunTimeDirective(name) || control::IsReset(name);
    assert_int_equal(control::IsForNet(request), known);
  }
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
    World w;
    const auto command = w.Configure("untrustedkey 5");
    w.Done(*command, row.outcome, row.outcome == CommandOutcome::kDenied ? 0 : 13);
    const std::string line = w.Answer();
    if (line != row.answer) print_message("outcome %d\n", static_cast<int>(row.outcome));
    assert_string_equal(line.c_str(), row.answer);
    assert_int_equal(w.changes, 0);
  }
}

void WithoutAGoodMacNothingIsPassedOn(void**) {
  World w;
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
  World w;
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
  World w;
  w.h.Restrict(Access::kNoModify);
  assert_string_equal(w.RefusalOf("trustedkey 5").c_str(),
                      "runtime configuration prohibited by restrict ... nomodify\r\n");
  assert_int_equal(w.changes, 0);
  w.Send(ControlOp::kReadVariables, "stratum", false);
  assert_true(w.Answer(false).starts_with("stratum="));
}

void OtherLinesAreRefused(void**) {
  World w;
  assert_string_equal(
      w.RefusalOf("interface listen all").c_str(),
      "column 0 interface cannot be changed at run time: change ntp.conf and send SIGHUP\r\n");
}

void ANonceIsHandedToWhoHasTheControlKey(void**) {
  World w;
  w.Send(ControlOp::kRequestNonce, "config");
  w.Judge(VerdictCode::kGood);
  const auto asked = w.Asked<msg::CommandNonceRequest>();
  assert_true(asked.has_value());
  msg::CommandNonce nonce{.request = asked->request};
  assert_true(nonce.nonce.Resize(16));
  nonce.nonce.span()[0] = 0xab;
  w.Say(nonce);
  assert_string_equal(w.Answer().c_str(), "config_nonce=ab000000000000000000000000000000\r\n");
}

// What ntpq of other makers asks for is a nonce for the list of clients: ntpd-keys has no part in
// it.
void OtherNoncesAreNoneForCommands(void**) {
  World w;
  w.Send(ControlOp::kRequestNonce, "", false);
  assert_true(w.Answer(false).starts_with("nonce="));
  assert_false(w.Asked<msg::CommandNonceRequest>().has_value());
}

// --- what is not about keys: ntpd-keys only says that it may ----------------------------------

void AnAuthorisedWriteIsDone(void**) {
  World w;
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
  World w;
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
  World w;
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
  World w;
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
  World w;
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
  World w;
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
      cmocka_unit_test(ALineIsDoneOnceTheKeyProcessHasAuthorisedIt),
      cmocka_unit_test(ThisHostIsNoServerForItself),
      cmocka_unit_test(WhatIsUnwiseAboutALineIsInItsAnswer),
      cmocka_unit_test(AnAssociationsEntryIsTakenAwayAndNothingIsKeptOfIt),
      cmocka_unit_test(ALineThatIsRefusedThereIsNotDone),
      cmocka_unit_test(ALineThatIsWrongIsNotAskedFor),
      cmocka_unit_test(AReplayIsToldNothingAndFillsNoLog),
      cmocka_unit_test(WhatTheOperatorGaveIsInTheLogOnceItIsJudged),
      cmocka_unit_test(NoFloodHidesWhoChangedWhat),
      cmocka_unit_test(CountersAreResetAndNothingIsKeptOfIt),
      cmocka_unit_test(TheTablesOfDirectivesAgree),
      cmocka_unit_test(WhatTheKeyProcessRefusesChangesNothing),
      cmocka_unit_test(WithoutAGoodMacNothingIsPassedOn),
      cmocka_unit_test(BeyondTheLimitOnlyAGoodMacIsAnswered),
      cmocka_unit_test(NomodifyRefusesTheLineButNotTheQuestion),
      cmocka_unit_test(OtherLinesAreRefused),
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
