// The responder: answers like the reference where that is safe, and never more than it should.
#include "ntpd/control/responder.h"

#include <sstream>
#include <tuple>

#include "tests/control/fake_state.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::control {
namespace {

using ntpward::test::FromHex;
using ntpward::test::ToHex;
using test::FakeState;

const IpAddress kSource = IpAddress::V4(192, 0, 2, 1);
const Requester kOperator{{kSource, 9999}, true};
const Requester kStranger{{kSource, 9999}};

struct Exchange {
  std::string line;  // what to print when it fails
  MacVerdict verdict = MacVerdict::kNone;
  std::vector<uint8_t> request;
  std::vector<std::string> answers;  // hex
};

MacVerdict VerdictNamed(const std::string& name) {
  if (name == "good") return MacVerdict::kGood;
  if (name == "bad") return MacVerdict::kBad;
  if (name == "unknown") return MacVerdict::kUnknownKey;
  CHECK(name == "none");
  return MacVerdict::kNone;
}

std::vector<Exchange> ReadExchanges() {
  std::istringstream lines(test::ReadText("requests.txt"));
  std::vector<Exchange> exchanges;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Exchange exchange;
    exchange.line = line;
    std::string verdict, word;
    words >> verdict >> word;
    exchange.verdict = VerdictNamed(verdict);
    exchange.request = FromHex(word);
    while (words >> word)
      if (word != "-") exchange.answers.push_back(word);
    exchanges.push_back(exchange);
  }
  CHECK(exchanges.size() > 50);
  return exchanges;
}

std::vector<uint8_t> Request(wire::ControlOp op, uint16_t id, std::string_view data = {}) {
  wire::ControlHeader header;
  header.op = op;
  header.assoc = AssocId{id};
  header.sequence = 7;
  return wire::BuildControlRequest(header, AsBytes(data), wire::ControlPadding::kPlain);
}

Answer Ask(FakeState& state, Bytes request, MacVerdict verdict = MacVerdict::kNone) {
  Responder responder(1, {});
  if (responder.Admit(request, kStranger, MonoTime()) == Admission::kDrop) return {};
  return responder.Respond(request, {{kSource, 9999}, true}, verdict, KeyId{7}, state, MonoTime());
}

// The payload of all fragments, which must follow each other without a gap.
std::string Payload(const Answer& answer) {
  std::string payload;
  for (size_t i = 0; i < answer.datagrams.size(); ++i) {
    auto fragment = wire::ParseControlResponse(answer.datagrams[i]);
    assert_true(fragment.ok());
    assert_int_equal(fragment->header.offset, payload.size());
    assert_int_equal(fragment->header.more, i + 1 < answer.datagrams.size());
    payload += AsText(fragment->data);
  }
  return payload;
}

void AnswersAsTheReferenceDid(void**) {
  for (const Exchange& exchange : ReadExchanges()) {
    FakeState state;
    const Answer answer = Ask(state, exchange.request, exchange.verdict);
    std::vector<std::string> ours;
    for (const auto& datagram : answer.datagrams) ours.push_back(ToHex(datagram));
    if (ours != exchange.answers) print_message("asked: %s\n", exchange.line.c_str());
    assert_int_equal(ours.size(), exchange.answers.size());
    for (size_t i = 0; i < ours.size(); ++i)
      assert_string_equal(ours[i].c_str(), exchange.answers[i].c_str());
    assert_int_equal(answer.seal.has_value(),
                     exchange.verdict == MacVerdict::kGood && !ours.empty());
  }
}

void EveryTruncationIsDroppedOrRefused(void**) {
  FakeState state;
  const auto whole = Request(wire::ControlOp::kReadVariables, 0, "stratum,leap");
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::vector<uint8_t> prefix(whole.begin(), whole.begin() + static_cast<long>(size));
    const Answer answer = Ask(state, prefix);
    if (size < wire::kControlHeaderSize) {
      assert_int_equal(answer.datagrams.size(), 0);
    } else {
      assert_int_equal(answer.datagrams.size(), 1);
      auto fragment = wire::ParseControlResponse(answer.datagrams[0]);
      assert_int_equal(fragment->header.error_code(), wire::ControlError::kBadFormat);
    }
  }
}

void FragmentsEndBetweenItems(void**) {
  FakeState state;
  const Answer answer = Ask(state, Request(wire::ControlOp::kReadVariables, 0));
  assert_true(answer.datagrams.size() > 1);
  for (size_t i = 0; i < answer.datagrams.size(); ++i) {
    assert_true(answer.datagrams[i].size() <= 480);
    auto fragment = wire::ParseControlResponse(answer.datagrams[i]);
    const std::string_view text = AsText(fragment->data);
    if (i + 1 < answer.datagrams.size())
      assert_true(text.ends_with(", ") || text.ends_with(",\r\n"));
    else
      assert_true(text.ends_with("\r\n"));
  }
}

// ntpstat reads one datagram and no more.
void FirstFragmentHoldsWhatNtpstatNeeds(void**) {
  FakeState state;
  const Answer answer = Ask(state, Request(wire::ControlOp::kReadVariables, 0));
  const std::string_view first = AsText(answer.datagrams[0]);
  for (const char* name : {"stratum=", "refid=", "rootdelay=", "rootdisp="})
    assert_true(first.find(name) != std::string_view::npos);
}

void ReadStatusOfAnAssociationIsItsVariables(void**) {
  FakeState state;
  assert_string_equal(
      Payload(Ask(state, Request(wire::ControlOp::kReadStatus, 0x8a35))).c_str(),
      Payload(Ask(state, Request(wire::ControlOp::kReadVariables, 0x8a35))).c_str());
}

void LeapBitsAreTheSystems(void**) {
  for (uint8_t leap = 0; leap < 4; ++leap) {
    FakeState state;
    state.system.status.leap = leap;
    for (uint16_t id : {uint16_t{0}, uint16_t{1}}) {  // 1: an error response
      const Answer answer = Ask(state, Request(wire::ControlOp::kReadVariables, id));
      assert_int_equal(answer.datagrams[0][0] >> 6, leap);
    }
  }
}

void ManyAssociationsAreAllListed(void**) {
  FakeState state;
  state.associations.clear();
  for (uint16_t id = 1; id <= 1000; ++id)
    state.associations.push_back({AssocId{id}, wire::PeerStatus()});
  const std::string payload = Payload(Ask(state, Request(wire::ControlOp::kReadStatus, 0)));
  assert_int_equal(payload.size(), 4000);
  Reader reader(AsBytes(payload));
  for (uint16_t id = 1; id <= 1000; ++id) {
    assert_int_equal(reader.U16(), id);
    reader.Skip(2);
  }
}

void MoreAssociationsThanOneAnswerHoldsAreListedInParts(void**) {
  FakeState state;
  state.associations.clear();
  for (uint16_t id = 1; id <= 6000; ++id)
    state.associations.push_back({AssocId{id}, wire::PeerStatus()});
  const auto first_id = [](const std::string& payload) { return Reader(AsBytes(payload)).U16(); };
  const auto ask = [&](std::string_view data) {
    return Payload(Ask(state, Request(wire::ControlOp::kReadStatus, 0, data)));
  };
  for (const auto& [data, id, size] :
       {std::tuple("", 1, 2808), std::tuple("from=2808", 2809, 2808),
        std::tuple("from=5616", 5617, 384),
        // As ntpd 4.2.8, which reads nothing here.
        std::tuple("from=x", 1, 2808), std::tuple("leap", 1, 2808)}) {
    const std::string payload = ask(data);
    assert_int_equal(payload.size(), size * 4);
    assert_int_equal(first_id(payload), id);
  }
  for (const char* data : {"from=6000", "from=18446744073709551615"})
    assert_int_equal(ask(data).size(), 0);
}

void AListThatIsCutIsToldOfOnce(void**) {
  FakeState state;
  Responder responder(1, {});
  const Requester known{{kSource, 9999}, true};
  const auto request = Request(wire::ControlOp::kReadStatus, 0);
  const auto log = [&] {
    return responder.Respond(request, known, MacVerdict::kNone, KeyId{}, state, MonoTime()).log;
  };
  assert_string_equal(log().c_str(), "");
  state.associations.assign(2808, {AssocId{1}, wire::PeerStatus()});
  assert_string_equal(log().c_str(), "");
  state.associations.push_back({AssocId{2}, wire::PeerStatus()});
  assert_string_equal(log().c_str(),
                      "2809 associations: a tool is told of 2808 at once, and only ntpq of ntpward "
                      "asks for the rest");
  assert_string_equal(log().c_str(), "");
}

// CVE-2009-3563: two daemons answering each other's answers.
void AnAnswerIsNotAnswered(void**) {
  FakeState state;
  for (uint16_t id : {uint16_t{0}, uint16_t{1}}) {
    const Answer answer = Ask(state, Request(wire::ControlOp::kReadVariables, id));
    for (const auto& datagram : answer.datagrams)
      assert_int_equal(Ask(state, datagram).datagrams.size(), 0);
  }
}

// Only who has the control key may ask, and the key process has the last word.
void ALineOfConfigurationIsAnInquiryOrRefused(void**) {
  FakeState state;
  const auto line = Request(wire::ControlOp::kConfigure, 0, "trustedkey 5");
  const auto nonce = Request(wire::ControlOp::kRequestNonce, 0, "config");
  for (auto verdict : {MacVerdict::kNone, MacVerdict::kBad, MacVerdict::kUnknownKey}) {
    for (const auto& request : {line, nonce}) {
      const Answer answer = Ask(state, request, verdict);
      assert_int_equal(answer.inquiry, Inquiry::kNone);
      auto fragment = wire::ParseControlResponse(answer.datagrams[0]);
      assert_int_equal(fragment->header.error_code(), wire::ControlError::kPermission);
      assert_true(answer.log.empty());
    }
  }
  const Answer asked = Ask(state, line, MacVerdict::kGood);
  assert_int_equal(asked.inquiry, Inquiry::kCommand);
  assert_true(asked.datagrams.empty());
  assert_string_equal(asked.log.c_str(), "192.0.2.1 config: trustedkey 5");
  assert_int_equal(Ask(state, nonce, MacVerdict::kGood).inquiry, Inquiry::kNonce);
  assert_int_equal(state.cleared.size(), 0);
}

// 6 is what ntpd 4.2.8 says to who may configure.
void OfAnAssociationThereIsNothingToConfigure(void**) {
  FakeState state;
  struct Row {
    wire::ControlOp op;
    KeyId control_key;
    MacVerdict verdict;
    wire::ControlError error;
  };
  using Op = wire::ControlOp;
  using Error = wire::ControlError;
  const Row rows[] = {{Op::kConfigure, KeyId{7}, MacVerdict::kGood, Error::kBadValue},
                      {Op::kConfigure, KeyId{8}, MacVerdict::kGood, Error::kPermission},
                      {Op::kConfigure, KeyId{7}, MacVerdict::kBad, Error::kPermission},
                      {Op::kConfigure, KeyId{7}, MacVerdict::kNone, Error::kPermission},
                      {Op::kConfigure, KeyId{}, MacVerdict::kGood, Error::kPermission},
                      {Op::kSaveConfig, KeyId{7}, MacVerdict::kGood, Error::kPermission},
                      {Op::kRequestNonce, KeyId{7}, MacVerdict::kGood, Error::kPermission}};
  for (const Row& row : rows) {
    Responder responder(1, {});
    const Requester requester{
        .address = {kSource, 9999}, .is_known = true, .control_key = row.control_key};
    const Answer answer = responder.Respond(Request(row.op, 0x8a35, "config"), requester,
                                            row.verdict, KeyId{7}, state, MonoTime());
    const auto fragment = wire::ParseControlResponse(answer.datagrams.at(0));
    assert_true(fragment->header.error);
    assert_int_equal(fragment->header.error_code(), row.error);
    assert_true(answer.inquiry == Inquiry::kNone && answer.log.empty());
  }
}

// Who repeats a request of an operator's that was refused must not be told why, nor fill the log.
void WhatIsRefusedAnywayIsSaidOnlyToWhoMayAsk(void**) {
  FakeState state;
  for (const char* line : {"logfile /tmp/x", "revoke 5", "nosuchline", "server\n", ""}) {
    const Answer answer =
        Ask(state, Request(wire::ControlOp::kConfigure, 0, line), MacVerdict::kGood);
    assert_int_equal(answer.inquiry, Inquiry::kCommand);
    assert_true(answer.datagrams.empty() && !answer.refusal.empty());
  }
}

void AnswersToCommandsFitWhateverIsAsked(void**) {
  FakeState state;
  Responder responder(1, {});
  const auto request =
      Request(wire::ControlOp::kConfigure, 0, std::string(wire::kMaxControlData, 'x'));
  for (const auto result : {CommandResult::kDone, CommandResult::kDenied, CommandResult::kSyntax,
                            CommandResult::kUnknownKey, CommandResult::kControlKey}) {
    const Answer answer =
        responder.AnswerToCommand({request, kOperator, KeyId{7}, MonoTime()}, {result, 0}, state);
    for (const auto& datagram : answer.datagrams) assert_true(datagram.size() <= 484);
    assert_true(answer.seal == KeyId{7});
  }
  const Asked nothing{{}, kOperator, KeyId{7}, MonoTime()};
  assert_true(responder.AnswerToCommand(nothing, {}, state).datagrams.empty());
  assert_true(responder.AnswerWithNonce(nothing, {}, state).datagrams.empty());
}

void OnlyAnAuthenticatedReaderClearsEvents(void**) {
  FakeState state;
  Responder responder(1, {});
  Requester near = kOperator;
  near.nonce_waived = true;
  const auto request = Request(wire::ControlOp::kReadVariables, 0x8a35);
  const auto ask = [&](const Requester& requester, MacVerdict verdict) {
    return responder.Respond(request, requester, verdict, KeyId{7}, state, MonoTime());
  };
  for (auto verdict : {MacVerdict::kNone, MacVerdict::kBad, MacVerdict::kUnknownKey})
    ask(near, verdict);
  assert_int_equal(state.cleared.size(), 0);
  // Anybody may have seen it there, and sent it again.
  assert_true(ask(kOperator, MacVerdict::kGood).datagrams.size() > 1);
  assert_int_equal(state.cleared.size(), 0);
  ask(near, MacVerdict::kGood);
  assert_int_equal(state.cleared.size(), 1);
  assert_int_equal(state.cleared[0].value, 0x8a35);
}

// Restarts and refusals would tell an attacker whether he has hit.
void OnlyAnOperatorHearsOfTheProcesses(void**) {
  FakeState state;
  state.system.processes = {
      {"ntpd", "running", 60, 0, 0, ProcessView::Confinement{0, 2, true, 0x2000003}},
      {"net", "starting", 1, 2, 3, std::nullopt}};
  const NonceMaker nonces({});
  bool nonced = true, waived = false;
  SocketAddress made_for{kSource, 9999};
  const auto ask = [&](const IpAddress& from, MacVerdict verdict, KeyId key, KeyId control_key) {
    Responder responder(1, {});
    Requester requester{.address = {from, 9999}, .is_known = true, .control_key = control_key};
    requester.nonce_waived = from.is_loopback() || waived;
    const std::string nonce = nonces.Make(made_for, MonoTime());
    const auto request =
        Request(wire::ControlOp::kReadVariables, 0, "privsep" + (nonced ? " nonce=" + nonce : ""));
    const Answer answer = responder.Respond(request, requester, verdict, key, state, MonoTime());
    const auto fragment = wire::ParseControlResponse(answer.datagrams.at(0));
    return fragment->header.error ? "error " + std::to_string(fragment->header.status >> 8)
                                  : Payload(answer);
  };
  const std::string told =
      "privsep_ntpd=\"state=running uptime=60 restarts=0 refused=0 uid=0 seccomp=2 no_new_privs=1 "
      "capabilities=0x2000003\",\r\n"
      "privsep_net=\"state=starting uptime=1 restarts=2 refused=3\"\r\n";
  const KeyId nobodys;
  assert_string_equal(ask(IpAddress::V4(127, 0, 0, 1), MacVerdict::kNone, nobodys, nobodys).c_str(),
                      told.c_str());
  assert_string_equal(ask(kSource, MacVerdict::kGood, KeyId{7}, KeyId{7}).c_str(), told.c_str());
  assert_string_equal(ask(kSource, MacVerdict::kNone, nobodys, nobodys).c_str(), "error 1");
  assert_string_equal(ask(kSource, MacVerdict::kGood, KeyId{7}, KeyId{8}).c_str(), "error 1");
  assert_string_equal(ask(kSource, MacVerdict::kGood, nobodys, nobodys).c_str(), "error 1");
  assert_string_equal(ask(kSource, MacVerdict::kBad, KeyId{7}, KeyId{7}).c_str(), "error 1");
  // Who saw such a request asks again from where he is, or later.
  made_for.ip = IpAddress::V4(192, 0, 2, 2);
  assert_string_equal(ask(kSource, MacVerdict::kGood, KeyId{7}, KeyId{7}).c_str(), "error 1");
  nonced = false;
  assert_string_equal(ask(kSource, MacVerdict::kGood, KeyId{7}, KeyId{7}).c_str(), "error 1");
  // Unless the operator cares for no nonces.
  waived = true;
  assert_string_equal(ask(kSource, MacVerdict::kGood, KeyId{7}, KeyId{7}).c_str(), told.c_str());
  assert_string_equal(ask(kSource, MacVerdict::kGood, KeyId{7}, KeyId{8}).c_str(), "error 1");
  // And nobody by accident.
  const std::string all = Payload(Ask(state, Request(wire::ControlOp::kReadVariables, 0)));
  assert_true(all.find("privsep") == std::string::npos);
}

void SealedDatagramsLeaveTheirMacAtAMultipleOfEight(void**) {
  FakeState state;
  for (const char* names : {"", "leap", "stratum", "refid,leap"}) {
    const Answer answer =
        Ask(state, Request(wire::ControlOp::kReadVariables, 0, names), MacVerdict::kGood);
    for (const auto& datagram : answer.datagrams) assert_int_equal(datagram.size() % 8, 0);
    assert_int_equal(answer.seal->value, 7);
  }
}

void ClocksAreAbsentWithoutOne(void**) {
  FakeState state;
  state.has_clock = false;
  const Answer answer = Ask(state, Request(wire::ControlOp::kReadClock, 0));
  auto fragment = wire::ParseControlResponse(answer.datagrams[0]);
  assert_int_equal(fragment->header.error_code(), wire::ControlError::kBadAssociation);
}

void AdmissionCountsWhatItDrops(void**) {
  Responder responder(1, {});
  const uint8_t mode_7[8] = {0x17, 0, 3, 0x2a};
  assert_int_equal(responder.Admit(mode_7, kStranger, MonoTime()), Admission::kDrop);
  const uint8_t runt[4] = {0x16, 1};
  assert_int_equal(responder.Admit(runt, kStranger, MonoTime()), Admission::kDrop);
  assert_int_equal(responder.Admit({}, kStranger, MonoTime()), Admission::kDrop);
  assert_int_equal(responder.counters().received, 3);
  assert_int_equal(responder.counters().mode_7, 1);
  assert_int_equal(responder.counters().malformed, 2);
}

void OnlyARealMacIsSentToBeChecked(void**) {
  Responder responder(1, {});
  auto request = Request(wire::ControlOp::kReadStatus, 0);
  assert_int_equal(responder.Admit(request, kStranger, MonoTime()), Admission::kAnswer);
  request.resize(16 + 4);
  assert_int_equal(responder.Admit(request, kStranger, MonoTime()), Admission::kAnswer);
  request.resize(16 + 20);
  assert_int_equal(responder.Admit(request, kStranger, MonoTime()), Admission::kCheckMac);
}

// 51 requests back to back are what `ntpq -p` sends for 50 associations.
void OneSourceIsLimitedAndOthersAreNot(void**) {
  Responder responder(1, {});
  const auto request = Request(wire::ControlOp::kReadStatus, 0);
  const MonoTime start = MonoTime::FromSeconds(1000);
  for (int i = 0; i < 51; ++i)
    assert_int_equal(responder.Admit(request, kStranger, start), Admission::kAnswer);
  int admitted = 0;
  for (int i = 0; i < 1000; ++i)
    admitted += responder.Admit(request, kStranger, start) == Admission::kAnswer;
  assert_int_equal(admitted, static_cast<int>(RateLimiter::kStranger.burst) - 51);
  assert_int_equal(responder.counters().rate_limited, 1000 - admitted);
  assert_int_equal(responder.Admit(request, {{IpAddress::V4(198, 51, 100, 9), 9999}}, start),
                   Admission::kAnswer);
  assert_int_equal(responder.Admit(request, kStranger, start + 0.06), Admission::kAnswer);
}

// `ntpq -p` with 1,000 associations, from where the operator says, or who proves his address.
void WhoIsBelievedMayAskForAThousandAssociations(void**) {
  FakeState state;
  Responder responder(1, {});
  const MonoTime start = MonoTime::FromSeconds(1000);
  const auto request = Request(wire::ControlOp::kReadVariables, 0x8a35);
  for (int i = 0; i < 1001; ++i)
    assert_int_equal(responder.Admit(request, kOperator, start), Admission::kAnswer);
  // Strangers have a measure of their own, the same address or not.
  while (responder.Admit(request, kStranger, start) == Admission::kAnswer) {
  }
  assert_int_equal(responder.Admit(request, kOperator, start), Admission::kAnswer);
  const std::string nonce = NonceMaker({}).Make(kStranger.address, start);
  const auto list = Request(wire::ControlOp::kReadMru, 0, "nonce=" + nonce + ", frags=1");
  (void)responder.Respond(list, kStranger, MacVerdict::kNone, KeyId{}, state, start);
  for (int i = 0; i < 998; ++i)
    assert_int_equal(responder.Admit(request, kStranger, start), Admission::kAnswer);
}

// Whoever asks in an operator's name without his key does not lock him out.
void WhatHasAMacHasAMeasureOfItsOwn(void**) {
  Responder responder(1, {});
  const MonoTime start = MonoTime::FromSeconds(1000);
  const auto plain = Request(wire::ControlOp::kReadStatus, 0);
  auto sealed = plain;
  sealed.resize(sealed.size() + 20);
  for (const IpAddress& from : {kSource, IpAddress::V4(127, 0, 0, 1)}) {
    const Requester requester{{from, 9999}, true};
    assert_int_equal(responder.Admit(sealed, requester, start), Admission::kCheckMac);
    while (responder.Admit(plain, requester, start) == Admission::kAnswer) {
    }
    const uint64_t limited = responder.counters().rate_limited;
    int admitted = 0;
    for (int i = 0; i < 1000; ++i)
      admitted += responder.Admit(sealed, requester, start) == Admission::kOnlyGood;
    assert_int_equal(admitted, static_cast<int>(RateLimiter::kMac.burst));
    assert_int_equal(responder.counters().rate_limited - limited, 1000 - admitted);
    assert_int_equal(responder.Admit(plain, requester, start), Admission::kDrop);
  }
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnswersAsTheReferenceDid),
      cmocka_unit_test(EveryTruncationIsDroppedOrRefused),
      cmocka_unit_test(FragmentsEndBetweenItems),
      cmocka_unit_test(FirstFragmentHoldsWhatNtpstatNeeds),
      cmocka_unit_test(ReadStatusOfAnAssociationIsItsVariables),
      cmocka_unit_test(LeapBitsAreTheSystems),
      cmocka_unit_test(ManyAssociationsAreAllListed),
      cmocka_unit_test(MoreAssociationsThanOneAnswerHoldsAreListedInParts),
      cmocka_unit_test(AListThatIsCutIsToldOfOnce),
      cmocka_unit_test(AnAnswerIsNotAnswered),
      cmocka_unit_test(ALineOfConfigurationIsAnInquiryOrRefused),
      cmocka_unit_test(OfAnAssociationThereIsNothingToConfigure),
      cmocka_unit_test(WhatIsRefusedAnywayIsSaidOnlyToWhoMayAsk),
      cmocka_unit_test(AnswersToCommandsFitWhateverIsAsked),
      cmocka_unit_test(OnlyAnAuthenticatedReaderClearsEvents),
      cmocka_unit_test(OnlyAnOperatorHearsOfTheProcesses),
      cmocka_unit_test(SealedDatagramsLeaveTheirMacAtAMultipleOfEight),
      cmocka_unit_test(ClocksAreAbsentWithoutOne),
      cmocka_unit_test(AdmissionCountsWhatItDrops),
      cmocka_unit_test(OnlyARealMacIsSentToBeChecked),
      cmocka_unit_test(OneSourceIsLimitedAndOthersAreNot),
      cmocka_unit_test(WhoIsBelievedMayAskForAThousandAssociations),
      cmocka_unit_test(WhatHasAMacHasAMeasureOfItsOwn),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
