// Lines of configuration that net carries out, once ntpd-keys has authorised them.
#include <algorithm>

#include "ntpd/config/directive.h"
#include "tests/net/control_world.h"

namespace ntpward::net {
namespace {

using msg::CommandOutcome;
using test::ControlWorld;
using wire::ControlOp;

size_t Lines(const ControlWorld& w) { return w.h.run_time.in_force().associations.size(); }

void ALineIsDoneOnceTheKeyProcessHasAuthorisedIt(void**) {
  ControlWorld w;
  const auto command = w.Configure("server 192.0.2.1 nonce=00112233445566778899aabbccddeeff");
  assert_true(command && command->keep && command->subject.empty());
  assert_int_equal(Lines(w), 0);
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(), "Config Succeeded\r\n");
  assert_int_equal(Lines(w), 1);
}

void ThisHostIsNoServerForItself(void**) {
  ControlWorld w;
  for (const char* line : {"server 127.0.0.1", "peer 127.0.0.1", "server ::1"})
    assert_true(w.RefusalOf(line).find("is an address of this host") != std::string::npos);
  assert_int_equal(Lines(w), 0);
}

// Whoever gave the line does not read the log of that host.
void WhatIsUnwiseAboutALineIsInItsAnswer(void**) {
  ControlWorld w;
  w.Done(*w.Configure("broadcast 192.0.2.255"), CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(),
                      "Config Succeeded\r\nwarning: broadcast without key or autokey: clients "
                      "cannot tell it from a forged one\r\n");
  assert_true(w.RefusalOf("mru maxdepth 100000000")
                  .starts_with("column 13 maxdepth 100000000 is out of range: expected 1 to "));
}

void AnAssociationsEntryIsTakenAwayAndNothingIsKeptOfIt(void**) {
  ControlWorld w;
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
    ControlWorld w;
    const auto command = w.Configure("server 192.0.2.1 key 5");
    assert_true(command.has_value());
    w.Done(*command, outcome);
    assert_int_equal(Lines(w), 0);
  }
}

// Nothing is kept that cannot be done.
void ALineThatIsWrongIsNotAskedFor(void**) {
  ControlWorld w;
  assert_true(w.RefusalOf("server 192.0.2.1 kye 5").starts_with("column 17 syntax error"));
  assert_string_equal(w.RefusalOf("unconfig 4711").c_str(),
                      "column 9 there is no such association\r\n");
  assert_int_equal(Lines(w), 0);
}

// Who saw a request can send it again, from anywhere and in anybody's name.
void AReplayIsToldNothingAndFillsNoLog(void**) {
  for (const char* line : {"trustedkey 5", "server 192.0.2.1", "server 192.0.2.1 kye 5",
                           "logfile /tmp/x", "nosuchline"}) {
    ControlWorld w;
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
  ControlWorld w;
  const auto command = w.Configure("logfile /tmp/x");
  assert_string_equal(w.Logged().c_str(), "");
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(), "column 0 logfile remote config ignored\r\n");
  assert_string_equal(w.Logged().c_str(), "127.0.0.1 config: logfile /tmp/x\n");
  w.Done(*w.Configure("trustedkey 5"), CommandOutcome::kDone);
  assert_string_equal(w.Logged().c_str(), "127.0.0.1 config: trustedkey 5\n");
}

// Of requests for time with MACs there is no end.
void AFloodOfClientsLosesNoCommand(void**) {
  ControlWorld w;
  const auto flood = [&w](Lane lane) {
    msg::CheckMac check;
    check.key = KeyId{5};
    check.path = {test::kAsked, test::kAsked};
    CHECK(check.covered.Resize(48) && check.digest.Resize(16));
    for (int i = 0; i < 1000; ++i)
      w.h.node.keys.Ask(
          check, [](msg::VerdictCode) {}, lane);
    while (w.h.keys.far.Receive()) {
    }
  };
  flood(Lane::kClients);
  w.SendLine("reset sys");
  // That his MAC is good is known: forged ones of mode 6 cannot keep him any more.
  const auto command = w.Asked<msg::Command>();
  assert_true(command.has_value());
  flood(Lane::kQueries);
  w.Done(*command, CommandOutcome::kAuthorised);
  assert_string_equal(w.Answer().c_str(), "Config Succeeded\r\n");
}

// Nobody but who has the control key can fill its log.
void NoFloodHidesWhoChangedWhat(void**) {
  ControlWorld w;
  for (int i = 0; i < 300; ++i) {
    w.h.node.reporter.Log(LogLevel::kWarning, "flood");
    (void)w.Logged();
  }
  w.Done(*w.Configure("trustedkey 5"), CommandOutcome::kDone);
  assert_string_equal(w.Logged().c_str(), "127.0.0.1 config: trustedkey 5\n");
}

void CountersAreResetAndNothingIsKeptOfIt(void**) {
  ControlWorld w;
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

void OtherLinesAreRefused(void**) {
  ControlWorld w;
  assert_string_equal(
      w.RefusalOf("interface listen all").c_str(),
      "column 0 interface cannot be changed at run time: change ntp.conf and send SIGHUP\r\n");
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ALineIsDoneOnceTheKeyProcessHasAuthorisedIt),
      cmocka_unit_test(ThisHostIsNoServerForItself),
      cmocka_unit_test(WhatIsUnwiseAboutALineIsInItsAnswer),
      cmocka_unit_test(AnAssociationsEntryIsTakenAwayAndNothingIsKeptOfIt),
      cmocka_unit_test(ALineThatIsRefusedThereIsNotDone),
      cmocka_unit_test(ALineThatIsWrongIsNotAskedFor),
      cmocka_unit_test(AReplayIsToldNothingAndFillsNoLog),
      cmocka_unit_test(WhatTheOperatorGaveIsInTheLogOnceItIsJudged),
      cmocka_unit_test(AFloodOfClientsLosesNoCommand),
      cmocka_unit_test(NoFloodHidesWhoChangedWhat),
      cmocka_unit_test(CountersAreResetAndNothingIsKeptOfIt),
      cmocka_unit_test(TheTablesOfDirectivesAgree),
      cmocka_unit_test(OtherLinesAreRefused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
