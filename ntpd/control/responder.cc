#include "ntpd/control/responder.h"

#include <algorithm>
#include <utility>

#include "ntpd/control/mru_answer.h"
#include "ntpd/control/save_config.h"
#include "ntpd/control/variable_table.h"
#include "ntpd/control/variables.h"
#include "ntpd/control/write_variables.h"
#include "ntpd/wire/packet.h"
#include "ntpd/wire/variable_values.h"
#include "privsep/base/nonce_word.h"

namespace ntpward::control {
namespace {

using wire::ControlError;
using wire::ControlOp;
using wire::ControlPadding;
using wire::ControlReject;

// The payload of an answer and the status word above it.
struct Body {
  uint16_t status = 0;
  std::vector<uint8_t> payload;
  std::vector<size_t> cuts;  // where a fragment may end
  bool silent = false;       // there is no answer
  size_t listed_of = 0;      // rows that there are, when not all fit behind the first; else 0
};
using BodyResult = Result<Body, ControlError>;

// What ntpq of ntpward asks a nonce for; the reference's wants one for READ_MRU and names no
// purpose.
constexpr std::string_view kForConfiguration = "config";

constexpr std::string_view kFirstRow = "from=";
constexpr size_t kMostRows = wire::kMaxControlPayload / 4;  // of associations, in one answer

// What an operation may look at.
struct Question {
  const wire::ControlRequest& request;
  const Requester& requester;
  MacVerdict verdict;
  const NonceMaker& nonces;
  const StateView& state;
  MonoTime now;
  const ControlCounters& counters;
  bool has_control_key = false;

  bool from_operator() const { return requester.address.ip.is_loopback() || has_control_key; }

  // The request, which is under a MAC, was made for its sender's present address.
  bool ShowsNonce(std::string_view nonce) const {
    return requester.nonce_waived || nonces.IsGood(nonce, requester.address, now);
  }
};

// A line of configuration is judged here, but its sender by the key process.
Answer Configure(const wire::ControlRequest& request, const Requester& requester) {
  LineDecision decision = JudgeLine(AsText(request.data), requester.address.ip, requester.rights);
  return {.inquiry = Inquiry::kCommand,
          .refusal = std::move(decision.answer),
          .log = std::move(decision.log)};
}

Body TextBody(uint16_t status, wire::VariableListWriter list) {
  const Bytes text = AsBytes(list.text());
  return {.status = status, .payload = {text.begin(), text.end()}, .cuts = list.TakeCuts()};
}

// ntpq of ntpward asks for the row to begin with; ntpd 4.2.8 reads no data here.
size_t FirstRow(Bytes data) {
  const std::string_view text = SplitProof(data).text;
  if (!text.starts_with(kFirstRow)) return 0;
  return wire::DecodeUnsigned(text.substr(kFirstRow.size())).value_or(0);
}

Body AssociationTable(const StateView& state, size_t first) {
  std::vector<AssociationStatus> rows = state.Associations();
  const size_t all = rows.size();
  rows.erase(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(std::min(first, all)));
  rows.resize(std::min(rows.size(), kMostRows));
  Body body{.status = state.Status().word(), .payload = std::vector<uint8_t>(rows.size() * 4)};
  Writer writer(body.payload);
  for (const AssociationStatus& row : rows) {
    writer.U16(row.id.value);
    writer.U16(row.status.word());
    body.cuts.push_back(writer.size());
  }
  CHECK(writer.Finish());
  if (first == 0 && rows.size() < all) body.listed_of = all;
  return body;
}

BodyResult PeerVariables(AssocId id, Bytes data, const StateView& state) {
  const std::optional<PeerView> peer = state.Peer(id);
  if (!peer) return Fail(ControlError::kBadAssociation);
  const auto names = TRY(RequestedNames(AsBytes(SplitProof(data).text)));
  return TextBody(peer->status.word(), TRY(ReadPeer(*peer, names)));
}

// What the processes are like is for who is on this host or has the control key. With a nonce: who
// saw such a request could send it again and be told himself.
BodyResult SystemVariables(const Question& question) {
  const StateView& state = question.state;
  const ProvingText asked = SplitProof(question.request.data);
  const auto names = TRY(RequestedNames(AsBytes(asked.text)));
  const bool processes = std::find(names.begin(), names.end(), kProcesses) != names.end();
  if (processes && !question.from_operator()) return Fail(ControlError::kPermission);
  if (processes && !question.ShowsNonce(asked.nonce)) return Fail(ControlError::kPermission);
  SystemView view = state.System(names.empty() ? SystemDetail::kDefaults : SystemDetail::kAll);
  view.control = question.counters;
  return TextBody(state.Status().word(), TRY(ReadSystem(view, names)));
}

BodyResult ClockVariables(AssocId id, Bytes data, const StateView& state) {
  const std::optional<ClockView> clock = state.Clock(id);
  if (!clock) return Fail(ControlError::kBadAssociation);
  const auto names = TRY(RequestedNames(data));
  return TextBody(clock->status.word(), TRY(ReadClock(*clock, names)));
}

// Only the status word.
BodyResult NothingButStatus(AssocId id, const StateView& state) {
  if (id.value == 0) return Body{.status = state.Status().word()};
  const std::optional<PeerView> peer = state.Peer(id);
  if (!peer) return Fail(ControlError::kBadAssociation);
  return Body{.status = peer->status.word()};
}

Body Nonce(const Question& question) {
  wire::VariableListWriter list;
  list.Add("nonce", question.nonces.Make(question.requester.address, question.now));
  list.Finish();
  return TextBody(0, std::move(list));
}

// Who cannot show a nonce gets nothing, not even an error: it would go to whoever is named as the
// sender.
BodyResult RecentClientRows(const Question& question) {
  if (!question.requester.may_list_clients) return Fail(ControlError::kPermission);
  const SocketAddress& address = question.requester.address;
  const auto request = ParseMruRequest(question.request.data);
  if (!request.ok() && request.error() == MruReject::kNoLimit) return Fail(ControlError::kBadValue);
  if (!request.ok() || !question.nonces.IsGood(request->nonce, address, question.now))
    return Body{.silent = true};
  auto list = TRY(MruAnswer(*request, question.state.Recent(),
                            question.nonces.Make(address, question.now), question.state.Now()));
  Body body = TextBody(0, std::move(list));
  // Its readers put fragments together, and short ones would cost rows.
  body.cuts.clear();
  return body;
}

// A MAC is no proof of the address: who saw a request can send it again in another's name. So the
// list, which is longer than the request, goes only where a nonce came from.
BodyResult OrderedListRows(const Question& question) {
  if (!question.has_control_key) return Fail(ControlError::kPermission);
  const auto request = ParseListRequest(question.request.data);
  if (!request) return Fail(ControlError::kUnknownVariable);
  if (!question.ShowsNonce(request->nonce)) return Fail(ControlError::kPermission);
  Body body = request->list == OrderedList::kInterfaces
                  ? TextBody(0, InterfaceList(question.state.Interfaces(), request->first))
                  : TextBody(0, RestrictionList(question.state.Restrictions(), request->first));
  // As for the list of clients.
  body.cuts.clear();
  return body;
}

BodyResult Perform(const Question& question) {
  const wire::ControlRequest& request = question.request;
  const StateView& state = question.state;
  const AssocId id = request.header.assoc;
  switch (request.header.op) {
    case ControlOp::kUnspecified:
      return NothingButStatus(id, state);
    case ControlOp::kReadStatus:
      return id.value == 0 ? BodyResult(AssociationTable(state, FirstRow(request.data)))
                           : PeerVariables(id, {}, state);
    case ControlOp::kReadVariables:
      return id.value == 0 ? SystemVariables(question) : PeerVariables(id, request.data, state);
    case ControlOp::kReadClock:
      return ClockVariables(id, request.data, state);
    case ControlOp::kReadMru:
      return RecentClientRows(question);
    case ControlOp::kRequestNonce:
      // The key process makes those, for whoever has the control key.
      if (AsText(request.data) == kForConfiguration) return Fail(ControlError::kPermission);
      return Nonce(question);
    case ControlOp::kReadOrderedList:
      return OrderedListRows(question);
    // Traps would send to whoever asks (S3118, S3119): there are none to set or to take away.
    case ControlOp::kUnsetTrap:
      return Fail(question.verdict == MacVerdict::kGood ? ControlError::kBadAssociation
                                                        : ControlError::kPermission);
    case ControlOp::kSetTrap:
    // As in the reference, no clock has a variable that can be written.
    case ControlOp::kWriteClock:
    // What changes something comes here only without the key process' consent.
    case ControlOp::kWriteVariables:
    case ControlOp::kConfigure:
    case ControlOp::kSaveConfig:
      return Fail(ControlError::kPermission);
    default:
      return Fail(ControlError::kBadOperation);
  }
}

// How an answer shows what became of the request's MAC, as the reference's clients know it.
ControlPadding PaddingFor(MacVerdict verdict) {
  const bool has_mac = verdict == MacVerdict::kGood || verdict == MacVerdict::kBad;
  return has_mac ? ControlPadding::kForMac : ControlPadding::kPlain;
}

Answer Finished(std::vector<std::vector<uint8_t>> datagrams, MacVerdict verdict, KeyId key) {
  // A lone zero key identifier says "yours was bad".
  if (verdict == MacVerdict::kBad)
    for (auto& datagram : datagrams) datagram.insert(datagram.end(), {0, 0, 0, 0});
  Answer answer{.datagrams = std::move(datagrams)};
  if (verdict == MacVerdict::kGood) answer.seal = key;
  return answer;
}

Answer ErrorAnswer(const wire::ControlHeader& request, ControlError error, MacVerdict verdict,
                   KeyId key, const StateView& state) {
  return Finished({wire::BuildControlError(request, state.Status().leap, error)}, verdict, key);
}

bool HoldsControlKey(const Requester& requester, MacVerdict verdict, KeyId key) {
  return verdict == MacVerdict::kGood && !key.is_none() && key == requester.control_key;
}

bool ReadsState(ControlOp op) {
  return op == ControlOp::kReadStatus || op == ControlOp::kReadVariables;
}

}  // namespace

Admission Responder::Admit(Bytes datagram, const Requester& requester, MonoTime now) {
  ++counters_.received;
  if (wire::PeekMode(datagram) == wire::Mode::kPrivate) {
    ++counters_.mode_7;
    return Admission::kDrop;
  }
  const auto request = wire::ParseControlRequest(datagram);
  if (!request.ok() && request.error() != ControlReject::kBadFormat) {
    ++counters_.malformed;
    return Admission::kDrop;
  }
  // Four octets too many look like a key identifier; an old monitoring plug-in sends them.
  const bool has_mac = request.ok() && request->mac && !request->mac->digest.empty();
  const IpAddress& source = requester.address.ip;
  const Standing standing = Believes(requester, now) ? Standing::kBelieved : Standing::kStranger;
  if (limiter_.Allow(source, standing, now))
    return has_mac ? Admission::kCheckMac : Admission::kAnswer;
  // Somebody may be asking in an operator's name.
  if (has_mac && limiter_.Allow(source, Standing::kShowsMac, now)) return Admission::kOnlyGood;
  CountLimited();
  return Admission::kDrop;
}

Answer Responder::Refusal(const wire::ControlHeader& request, ControlError error,
                          MacVerdict verdict, KeyId key, StateView& state) {
  ++counters_.answered, ++counters_.errors;
  return ErrorAnswer(request, error, verdict, key, state);
}

Answer Responder::Text(const Asked& asked, const wire::ControlHeader& request,
                       std::string_view text, Told told, StateView& state) {
  ++counters_.answered;
  const auto reply = wire::ReplyHeader(request, state.Status().leap, 0);
  const auto sealed = [&](const std::string& data) {
    return Finished(wire::BuildControlReply(reply, AsBytes(data), {}, ControlPadding::kForMac),
                    MacVerdict::kGood, asked.key);
  };
  Answer answer = sealed(std::string(text) + "\r\n");
  // "Not permitted" would be a lie: its sender would think that nothing had happened.
  if (told == Told::kDone && !MayHave(answer, asked)) answer = sealed("");
  return MayHave(answer, asked) ? answer : TooLong(asked, MacVerdict::kGood, state);
}

void Responder::Prove(const IpAddress& address, MonoTime now) {
  proven_.Add(address, now);
  strangers_.OnProved(address);
}

bool Responder::ShowsNonce(const wire::ControlRequest& request, const Requester& requester,
                           MacVerdict verdict, KeyId key, MonoTime now) const {
  if (request.header.op == ControlOp::kReadMru) {
    const auto list = ParseMruRequest(request.data);
    return list.ok() && nonces_.IsGood(list->nonce, requester.address, now);
  }
  return HoldsControlKey(requester, verdict, key) &&
         nonces_.IsGood(SplitProof(request.data).nonce, requester.address, now);
}

void Responder::NoteProof(const Asked& asked) {
  const auto request = wire::ParseControlRequest(asked.datagram);
  if (asked.requester.is_known || !request.ok()) return;
  if (!SplitNonce(AsText(request->data)).nonce.empty())
    Prove(asked.requester.address.ip, asked.now);
}

bool Responder::Believes(const Requester& requester, MonoTime now) const {
  return requester.is_known || proven_.Has(requester.address.ip, now);
}

bool Responder::MayHave(const Answer& answer, const Asked& asked) const {
  if (Believes(asked.requester, asked.now)) return true;
  size_t mac = 0;
  if (const auto request = wire::ParseControlRequest(asked.datagram);
      answer.seal && request.ok() && request->mac)
    mac = wire::kControlKeyIdSize + request->mac->digest.size();
  size_t octets = 0;
  for (const auto& datagram : answer.datagrams) octets += datagram.size() + mac;
  return octets <= asked.datagram.size();
}

Answer Responder::TooLong(const Asked& asked, MacVerdict verdict, const StateView& state) {
  ++counters_.errors, ++counters_.unproved;
  const auto header = wire::DecodeControlHeader(asked.datagram);
  if (!header.ok()) return {};
  Answer answer = ErrorAnswer(*header, ControlError::kPermission, verdict, asked.key, state);
  answer.log = strangers_.OnRefused(asked.requester.address.ip, asked.now);
  return answer;
}

// Before the key process is asked: what the access rules and the configuration forbid anyway.
Answer Responder::Save(const wire::ControlRequest& request, const Requester& requester, KeyId key,
                       StateView& state) {
  const std::string from = requester.address.ip.ToString();
  const std::string_view name = SplitNonce(AsText(request.data)).text;
  if (name.empty())
    return Refusal(request.header, ControlError::kBadValue, MacVerdict::kGood, key, state);
  Answer answer{.inquiry = Inquiry::kCommand};
  answer.log = "saveconfig " + std::string(name) + " asked for by " + from;
  const bool prohibited = requester.rights == Rights::kRead;
  if (prohibited || !state.SavesConfiguration()) {
    answer.refusal =
        SaveText(prohibited ? SaveResult::kProhibited : SaveResult::kNoDirectory, "", "");
    answer.log = answer.refusal + " (" + from + ")";
  }
  return answer;
}

Answer Responder::AnswerToWrite(const Asked& asked, StateView& state) {
  const auto request = wire::ParseControlRequest(asked.datagram);
  if (!request.ok()) return {};
  const auto assignments = ParseAssignments(SplitNonce(AsText(request->data)).text,
                                            state.System(SystemDetail::kDefaults));
  if (!assignments.ok())
    return Refusal(request->header, assignments.error(), MacVerdict::kGood, asked.key, state);
  for (const Assignment& each : *assignments) state.SetVariable(each.name, each.value);
  ++counters_.answered;
  const auto reply = wire::ReplyHeader(request->header, state.Status().leap, state.Status().word());
  return Finished(wire::BuildControlReply(reply, {}, {}, ControlPadding::kForMac),
                  MacVerdict::kGood, asked.key);
}

Answer Responder::AnswerWithNonce(const Asked& asked, Bytes nonce, StateView& state) {
  const auto request = wire::ParseControlRequest(asked.datagram);
  if (!request.ok()) return {};
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "config_nonce=";
  for (const uint8_t octet : nonce) text.append({kDigits[octet >> 4], kDigits[octet & 15]});
  return Text(asked, request->header, text, Told::kNotDone, state);
}

Answer Responder::AnswerToCommand(const Asked& asked, const CommandVerdict& verdict,
                                  StateView& state) {
  const auto request = wire::ParseControlRequest(asked.datagram);
  if (!request.ok()) return {};
  if (verdict.result == CommandResult::kDenied)
    return Refusal(request->header, ControlError::kPermission, MacVerdict::kGood, asked.key, state);
  const Told told = verdict.result == CommandResult::kDone ? Told::kDone : Told::kNotDone;
  return Text(asked, request->header, CommandText(AsText(request->data), verdict), told, state);
}

Answer Responder::AnswerWithText(const Asked& asked, std::string_view text, Told told,
                                 StateView& state) {
  const auto request = wire::ParseControlRequest(asked.datagram);
  if (!request.ok()) return {};
  return Text(asked, request->header, text, told, state);
}

Answer Responder::Respond(Bytes datagram, const Requester& requester, MacVerdict verdict, KeyId key,
                          StateView& state, MonoTime now) {
  const auto request = wire::ParseControlRequest(datagram);
  if (!request.ok()) {
    const auto header = wire::DecodeControlHeader(datagram);
    if (request.error() != ControlReject::kBadFormat || !header.ok()) return {};
    return Refusal(*header, ControlError::kBadFormat, MacVerdict::kNone, key, state);
  }
  if (!requester.is_known && ShowsNonce(*request, requester, verdict, key, now))
    Prove(requester.address.ip, now);
  if (verdict == MacVerdict::kGood && request->header.assoc.value == 0) {
    if (request->header.op == ControlOp::kConfigure) return Configure(*request, requester);
    if (request->header.op == ControlOp::kSaveConfig) return Save(*request, requester, key, state);
    if (request->header.op == ControlOp::kWriteVariables && requester.rights == Rights::kModify)
      return {.inquiry = Inquiry::kCommand};
    if (request->header.op == ControlOp::kRequestNonce &&
        AsText(request->data) == kForConfiguration)
      return {.inquiry = Inquiry::kNonce};
  }
  // As ntpd 4.2.8 says it to who may configure.
  if (request->header.op == ControlOp::kConfigure && request->header.assoc.value != 0 &&
      HoldsControlKey(requester, verdict, key))
    return Refusal(request->header, ControlError::kBadValue, verdict, key, state);
  ControlCounters counters = counters_;
  counters.since_reset_s = static_cast<uint64_t>(std::max(0.0, now - counting_since_));
  const Question question{*request, requester, verdict,  nonces_,
                          state,    now,       counters, HoldsControlKey(requester, verdict, key)};
  const BodyResult outcome = Perform(question);
  if (outcome.ok() && outcome->silent) return {};
  if (!outcome.ok()) return Refusal(request->header, outcome.error(), verdict, key, state);
  ++counters_.answered;
  const Body& body = *outcome;
  const auto reply = wire::ReplyHeader(request->header, state.Status().leap, body.status);
  Answer answer = Finished(
      wire::BuildControlReply(reply, body.payload, body.cuts, PaddingFor(verdict)), verdict, key);
  const Asked asked{datagram, requester, key, now};
  if (!MayHave(answer, asked)) return TooLong(asked, verdict, state);
  // With a nonce: who saw such a request could send it again, and events would be gone that nobody
  // has read.
  if (verdict == MacVerdict::kGood && ReadsState(request->header.op) &&
      question.ShowsNonce(SplitProof(request->data).nonce))
    state.ClearEvents(request->header.assoc);
  if (body.listed_of > 0 && !std::exchange(told_of_long_list_, true))
    answer.log = std::to_string(body.listed_of) + " associations: a tool is told of " +
                 std::to_string(kMostRows) + " at once, and only ntpq of ntpward asks for the rest";
  return answer;
}

}  // namespace ntpward::control
