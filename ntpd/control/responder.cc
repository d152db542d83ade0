#include "ntpd/control/responder.h"

#include "ntpd/control/variable_table.h"
#include "ntpd/control/variables.h"
#include "ntpd/wire/packet.h"

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
};
using BodyResult = Result<Body, ControlError>;

Body TextBody(uint16_t status, const wire::VariableListWriter& list) {
  const Bytes text = AsBytes(list.text());
  return {status, {text.begin(), text.end()}, list.cuts()};
}

Body AssociationTable(const StateView& state) {
  const std::vector<AssociationStatus> rows = state.Associations();
  Body body{state.Status().word(), std::vector<uint8_t>(rows.size() * 4), {}};
  Writer writer(body.payload);
  for (const AssociationStatus& row : rows) {
    writer.U16(row.id.value);
    writer.U16(row.status.word());
    body.cuts.push_back(writer.size());
  }
  CHECK(writer.Finish());
  return body;
}

BodyResult PeerVariables(AssocId id, Bytes data, const StateView& state) {
  const std::optional<PeerView> peer = state.Peer(id);
  if (!peer) return Fail(ControlError::kBadAssociation);
  const auto names = TRY(RequestedNames(data));
  return TextBody(peer->status.word(), TRY(ReadPeer(*peer, names)));
}

BodyResult SystemVariables(Bytes data, const StateView& state) {
  const auto names = TRY(RequestedNames(data));
  return TextBody(state.Status().word(), TRY(ReadSystem(state.System(), names)));
}

BodyResult ClockVariables(AssocId id, Bytes data, const StateView& state) {
  const std::optional<ClockView> clock = state.Clock(id);
  if (!clock) return Fail(ControlError::kBadAssociation);
  const auto names = TRY(RequestedNames(data));
  return TextBody(clock->status.word(), TRY(ReadClock(*clock, names)));
}

// Only the status word.
BodyResult NothingButStatus(AssocId id, const StateView& state) {
  if (id.value == 0) return Body{state.Status().word(), {}, {}};
  const std::optional<PeerView> peer = state.Peer(id);
  if (!peer) return Fail(ControlError::kBadAssociation);
  return Body{peer->status.word(), {}, {}};
}

BodyResult Perform(const wire::ControlRequest& request, const StateView& state) {
  const AssocId id = request.header.assoc;
  switch (request.header.op) {
    case ControlOp::kUnspecified:
      return NothingButStatus(id, state);
    case ControlOp::kReadStatus:
      return id.value == 0 ? BodyResult(AssociationTable(state)) : PeerVariables(id, {}, state);
    case ControlOp::kReadVariables:
      return id.value == 0 ? SystemVariables(request.data, state)
                           : PeerVariables(id, request.data, state);
    case ControlOp::kReadClock:
      return ClockVariables(id, request.data, state);
    // What changes something has no way in here; traps would send to whoever asks (S3118, S3119),
    // saving a configuration would write files (CVE-2015-7703).
    case ControlOp::kWriteVariables:
    case ControlOp::kWriteClock:
    case ControlOp::kSetTrap:
    case ControlOp::kUnsetTrap:
    case ControlOp::kConfigure:
    case ControlOp::kSaveConfig:
    case ControlOp::kReadOrderedList:
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
  Answer answer{std::move(datagrams), std::nullopt};
  if (verdict == MacVerdict::kGood) answer.seal = key;
  return answer;
}

Answer ErrorAnswer(const wire::ControlHeader& request, ControlError error, MacVerdict verdict,
                   KeyId key, const StateView& state) {
  return Finished({wire::BuildControlError(request, state.Status().leap, error)}, verdict, key);
}

bool ReadsState(ControlOp op) {
  return op == ControlOp::kReadStatus || op == ControlOp::kReadVariables;
}

}  // namespace

Admission Responder::Admit(Bytes datagram, const IpAddress& source, MonoTime now) {
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
  if (!limiter_.Allow(source, now)) {
    ++counters_.rate_limited;
    return Admission::kDrop;
  }
  // Four octets too many look like a key identifier; an old monitoring plug-in sends them.
  const bool has_mac = request.ok() && request->mac && !request->mac->digest.empty();
  return has_mac ? Admission::kCheckMac : Admission::kAnswer;
}

Answer Responder::Respond(Bytes datagram, MacVerdict verdict, KeyId key, StateView& state) {
  const auto request = wire::ParseControlRequest(datagram);
  if (!request.ok()) {
    const auto header = wire::DecodeControlHeader(datagram);
    if (request.error() != ControlReject::kBadFormat || !header.ok()) return {};
    ++counters_.answered, ++counters_.errors;
    return ErrorAnswer(*header, ControlError::kBadFormat, MacVerdict::kNone, key, state);
  }
  ++counters_.answered;
  const BodyResult body = Perform(*request, state);
  if (!body.ok()) {
    ++counters_.errors;
    return ErrorAnswer(request->header, body.error(), verdict, key, state);
  }
  const auto reply = wire::ReplyHeader(request->header, state.Status().leap, body->status);
  if (verdict == MacVerdict::kGood && ReadsState(request->header.op))
    state.ClearEvents(request->header.assoc);
  return Finished(wire::BuildControlReply(reply, body->payload, body->cuts, PaddingFor(verdict)),
                  verdict, key);
}

}  // namespace ntpward::control
