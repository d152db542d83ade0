// What would change something: WRITEVAR, SAVECONFIG, traps, and the private mode. Errors are those
// that ntpd 4.2.8p18 sends.
#include "ntpd/control/responder.h"
#include "ntpd/control/save_config.h"
#include "ntpd/control/write_variables.h"
#include "tests/control/fake_state.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::control {
namespace {

using test::FakeState;
using wire::ControlError;
using wire::ControlOp;

constexpr std::string_view kNonce = " nonce=00112233445566778899aabbccddeeff";
const SocketAddress kOperator{IpAddress::V4(192, 0, 2, 7), 40000};
const Requester kAny{kOperator};

FakeState WithWritable() {
  FakeState state;
  state.system.extra = {{"foo", "bar", true, true}, {"other", "1", false, true}, {"fixed", "x"}};
  return state;
}

std::vector<uint8_t> Request(ControlOp op, uint16_t id, std::string_view data) {
  wire::ControlHeader header;
  header.op = op;
  header.assoc = AssocId{id};
  return wire::BuildControlRequest(header, AsBytes(data), wire::ControlPadding::kForMac);
}

// -1: no error; -2: no answer.
int ErrorOf(const Answer& answer) {
  if (answer.datagrams.empty()) return -2;
  const auto fragment = wire::ParseControlResponse(answer.datagrams[0]);
  return fragment->header.error ? static_cast<int>(fragment->header.error_code()) : -1;
}

Answer Ask(FakeState& state, ControlOp op, std::string_view data, MacVerdict verdict,
           Rights rights = Rights::kModify, uint16_t id = 0) {
  Responder responder(1, {});
  const Requester requester{.address = kOperator, .is_known = true, .rights = rights};
  return responder.Respond(Request(op, id, data), requester, verdict, KeyId{7}, state, MonoTime());
}

std::string TextOf(const Answer& answer) {
  const auto fragment = wire::ParseControlResponse(answer.datagrams.at(0));
  return std::string(AsText(fragment->data));
}

// --- WRITEVAR --------------------------------------------------------------------------------

void AssignmentsAreRead(void**) {
  const FakeState state = WithWritable();
  const auto read = ParseAssignments("foo=\"two words\", other=", state.system);
  assert_true(read.ok());
  assert_int_equal(read->size(), 2);
  assert_string_equal((*read)[0].value.c_str(), "two words");
  assert_string_equal((*read)[1].name.c_str(), "other");
  assert_string_equal((*read)[1].value.c_str(), "");
}

void EachErrorIsTheReferences(void**) {
  struct Row {
    std::string text;
    ControlError error;
  };
  const Row rows[] = {{"leap=0", ControlError::kUnspecified},
                      {"leap=3", ControlError::kUnspecified},
                      {"leap=4", ControlError::kBadValue},
                      {"leap=-1", ControlError::kBadFormat},
                      {"leap=x", ControlError::kBadFormat},
                      {"leap=", ControlError::kBadFormat},
                      {"leap", ControlError::kBadFormat},
                      {"stratum=1", ControlError::kPermission},
                      {"sys_var_list=1", ControlError::kPermission},
                      {"fixed=y", ControlError::kPermission},
                      {"nosuch=1", ControlError::kUnknownVariable},
                      {"foo=1, nosuch=1", ControlError::kUnknownVariable},
                      {"foo=" + std::string(128, 'x'), ControlError::kBadFormat},
                      {"foo=\"x", ControlError::kBadFormat}};
  const FakeState state = WithWritable();
  for (const Row& row : rows) {
    const auto read = ParseAssignments(row.text, state.system);
    if (read.ok() || read.error() != row.error) print_message("text: %s\n", row.text.c_str());
    assert_false(read.ok());
    assert_int_equal(read.error(), row.error);
  }
}

void EveryPrefixIsReadOrRefused(void**) {
  const FakeState state = WithWritable();
  const std::string whole = "foo=\"two words\", other=5";
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto read = ParseAssignments(whole.substr(0, size), state.system);
    if (!read.ok()) continue;
    for (const Assignment& each : *read) assert_true(each.name == "foo" || each.name == "other");
  }
}

void AWriteIsTheKeyProcessesToPermit(void**) {
  FakeState state = WithWritable();
  for (const auto verdict : {MacVerdict::kNone, MacVerdict::kBad, MacVerdict::kUnknownKey})
    assert_int_equal(ErrorOf(Ask(state, ControlOp::kWriteVariables, "foo=1", verdict)), 1);
  const Answer asked = Ask(state, ControlOp::kWriteVariables, "foo=1", MacVerdict::kGood);
  assert_true(asked.inquiry == Inquiry::kCommand && asked.datagrams.empty());
  assert_int_equal(
      ErrorOf(Ask(state, ControlOp::kWriteVariables, "foo=1", MacVerdict::kGood, Rights::kRead)),
      1);
  assert_int_equal(ErrorOf(Ask(state, ControlOp::kWriteVariables, "foo=1", MacVerdict::kGood,
                               Rights::kModify, 0x8a35)),
                   1);
  assert_string_equal(state.system.extra[0].value.c_str(), "bar");
}

void AWriteIsDoneWholeOrNotAtAll(void**) {
  FakeState state = WithWritable();
  Responder responder(1, {});
  const auto bad = Request(ControlOp::kWriteVariables, 0, "foo=1, fixed=2" + std::string(kNonce));
  assert_int_equal(ErrorOf(responder.AnswerToWrite({bad, kAny, KeyId{7}, MonoTime()}, state)), 1);
  assert_string_equal(state.system.extra[0].value.c_str(), "bar");
  const auto good = Request(ControlOp::kWriteVariables, 0, "foo=1, other=2" + std::string(kNonce));
  const Answer done = responder.AnswerToWrite({good, kAny, KeyId{7}, MonoTime()}, state);
  assert_int_equal(ErrorOf(done), -1);
  assert_string_equal(TextOf(done).c_str(), "");
  assert_true(done.seal == KeyId{7});
  assert_string_equal(state.system.extra[0].value.c_str(), "1");
  assert_string_equal(state.system.extra[1].value.c_str(), "2");
  assert_true(responder.AnswerToWrite({{}, kAny, KeyId{7}, MonoTime()}, state).datagrams.empty());
}

// --- SAVECONFIG ------------------------------------------------------------------------------

void SavingIsOffUnlessThereIsADirectory(void**) {
  FakeState state;
  const Answer off = Ask(state, ControlOp::kSaveConfig, "name", MacVerdict::kGood);
  assert_true(off.inquiry == Inquiry::kCommand && off.datagrams.empty());
  assert_string_equal(off.refusal.c_str(), "saveconfig prohibited, no saveconfigdir configured");
  assert_string_equal(off.log.c_str(),
                      "saveconfig prohibited, no saveconfigdir configured (192.0.2.7)");
  state.saves_configuration = true;
  const Answer on =
      Ask(state, ControlOp::kSaveConfig, "name" + std::string(kNonce), MacVerdict::kGood);
  assert_true(on.inquiry == Inquiry::kCommand && on.datagrams.empty() && on.refusal.empty());
  assert_string_equal(on.log.c_str(), "saveconfig name asked for by 192.0.2.7");
}

void SavingIsForWhoMayChangeThings(void**) {
  FakeState state;
  state.saves_configuration = true;
  for (const auto verdict : {MacVerdict::kNone, MacVerdict::kBad, MacVerdict::kUnknownKey})
    assert_int_equal(ErrorOf(Ask(state, ControlOp::kSaveConfig, "name", verdict)), 1);
  assert_string_equal(
      Ask(state, ControlOp::kSaveConfig, "name", MacVerdict::kGood, Rights::kRead).refusal.c_str(),
      "saveconfig prohibited by restrict ... nomodify");
  assert_int_equal(ErrorOf(Ask(state, ControlOp::kSaveConfig, "", MacVerdict::kGood)), 6);
}

void TheOutcomeIsInTheReferencesWords(void**) {
  assert_string_equal(SaveText(SaveResult::kSaved, "n", "").c_str(), "Configuration saved to 'n'");
  assert_string_equal(SaveText(SaveResult::kUnsafeName, "../n", "").c_str(),
                      "saveconfig rejects unsafe file name '../n'");
  assert_string_equal(SaveText(SaveResult::kFailed, "n", "File exists").c_str(),
                      "Unable to save configuration to file 'n': File exists");
}

// --- what is not served ----------------------------------------------------------------------

void TrapsCannotBeSet(void**) {
  FakeState state;
  for (const auto verdict : {MacVerdict::kNone, MacVerdict::kBad, MacVerdict::kUnknownKey}) {
    assert_int_equal(ErrorOf(Ask(state, ControlOp::kSetTrap, "", verdict)), 1);
    assert_int_equal(ErrorOf(Ask(state, ControlOp::kUnsetTrap, "", verdict)), 1);
  }
  assert_int_equal(ErrorOf(Ask(state, ControlOp::kSetTrap, "", MacVerdict::kGood)), 1);
  // "There is no such trap."
  assert_int_equal(ErrorOf(Ask(state, ControlOp::kUnsetTrap, "", MacVerdict::kGood)), 4);
}

void EventsAreNoRequest(void**) {
  FakeState state;
  for (const auto verdict : {MacVerdict::kNone, MacVerdict::kGood})
    assert_int_equal(ErrorOf(Ask(state, ControlOp::kAsyncMessage, "", verdict)), 3);
}

void ClocksCannotBeWritten(void**) {
  FakeState state;
  for (const auto verdict : {MacVerdict::kNone, MacVerdict::kGood})
    assert_int_equal(ErrorOf(Ask(state, ControlOp::kWriteClock, "flags=1", verdict)), 1);
}

void ThePrivateModeIsCountedAndDropped(void**) {
  Responder responder(1, {});
  const uint8_t request[8] = {0x17, 0x00, 0x03, 0x2a};
  for (int i = 1; i <= 3; ++i) {
    assert_true(responder.Admit(request, {kOperator, true}, MonoTime()) == Admission::kDrop);
    assert_int_equal(responder.counters().mode_7, i);
  }
  assert_int_equal(responder.counters().answered, 0);
}

// --- what is counted -------------------------------------------------------------------------

void TheCountersOfModeSixAreVariables(void**) {
  FakeState state;
  Responder responder(1, {});
  const Requester known{.address = kOperator, .is_known = true};
  const MonoTime start = MonoTime::FromSeconds(100);
  const auto ask = [&](std::string_view data, double at) {
    const auto request = Request(ControlOp::kReadVariables, 0, data);
    assert_true(responder.Admit(request, known, start + at) == Admission::kAnswer);
    return responder.Respond(request, known, MacVerdict::kNone, KeyId{}, state, start + at);
  };
  responder.ResetCounters(start);
  constexpr std::string_view kAll =
      "ctl_reset,ctl_received,ctl_answered,ctl_errors,ctl_unproved,ctl_limited,ctl_malformed,"
      "ctl_mode7";
  const uint8_t mode_7[8] = {0x17, 0x00, 0x03, 0x2a};
  const uint8_t runt[4] = {0x16, 1};
  (void)responder.Admit(mode_7, {kOperator, true}, start);
  (void)responder.Admit(runt, {kOperator, true}, start);
  (void)ask("nosuch", 1);
  assert_string_equal(TextOf(ask(kAll, 7)).c_str(),
                      "ctl_reset=7, ctl_received=4, ctl_answered=1, ctl_errors=1,\r\n"
                      "ctl_unproved=0, ctl_limited=0, ctl_malformed=1, ctl_mode7=1\r\n");
  int admitted = 0;
  const auto request = Request(ControlOp::kReadVariables, 0, "leap");
  for (int i = 0; i < 3000; ++i)
    admitted +=
        responder.Admit(request, {kOperator, true}, start + 7) == Admission::kAnswer ? 1 : 0;
  assert_true(responder.counters().rate_limited == static_cast<uint64_t>(3000 - admitted));
  responder.ResetCounters(start + 60);
  assert_string_equal(TextOf(ask("ctl_reset,ctl_received", 90)).c_str(),
                      "ctl_reset=30, ctl_received=1\r\n");
  // By name alone: what scripts read of the rest stays as it was.
  assert_true(TextOf(ask("", 90)).find("ctl_") == std::string::npos);
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AssignmentsAreRead),
      cmocka_unit_test(EachErrorIsTheReferences),
      cmocka_unit_test(EveryPrefixIsReadOrRefused),
      cmocka_unit_test(AWriteIsTheKeyProcessesToPermit),
      cmocka_unit_test(AWriteIsDoneWholeOrNotAtAll),
      cmocka_unit_test(SavingIsOffUnlessThereIsADirectory),
      cmocka_unit_test(SavingIsForWhoMayChangeThings),
      cmocka_unit_test(TheOutcomeIsInTheReferencesWords),
      cmocka_unit_test(TrapsCannotBeSet),
      cmocka_unit_test(EventsAreNoRequest),
      cmocka_unit_test(ClocksCannotBeWritten),
      cmocka_unit_test(ThePrivateModeIsCountedAndDropped),
      cmocka_unit_test(TheCountersOfModeSixAreVariables),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
