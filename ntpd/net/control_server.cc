#include "ntpd/net/control_server.h"

#include "ntpd/net/random.h"
#include "ntpd/wire/control_message.h"

namespace ntpward::net {
namespace {

control::MacVerdict FromCode(msg::VerdictCode code) {
  switch (code) {
    case msg::VerdictCode::kGood:
      return control::MacVerdict::kGood;
    case msg::VerdictCode::kBad:
      return control::MacVerdict::kBad;
    default:
      return control::MacVerdict::kUnknownKey;
  }
}

}  // namespace

ControlServer::ControlServer(Node* node, control::StateView* state)
    : node_(node), state_(state), responder_(RandomNumber(), {RandomNumber(), RandomNumber()}) {}

void ControlServer::OnDatagram(const Route& route, core::AccessFlags flags, Bytes datagram) {
  const Asker asker{route, {route.client, !flags.has(core::Access::kNoMruList)}};
  switch (responder_.Admit(datagram, route.client.ip, Timebase::Mono())) {
    case control::Admission::kDrop:
      return;
    case control::Admission::kAnswer:
      return Respond(asker, datagram, control::MacVerdict::kNone, KeyId{});
    case control::Admission::kCheckMac:
      return Check(asker, datagram);
  }
}

void ControlServer::Check(const Asker& asker, Bytes datagram) {
  const auto request = wire::ParseControlRequest(datagram);
  msg::CheckMac check;
  if (!request.ok() || !request->mac || !check.covered.Assign(request->mac->covered) ||
      !check.digest.Assign(request->mac->digest) || check.digest.empty() ||
      request->mac->key.is_none())
    return Respond(asker, datagram, control::MacVerdict::kUnknownKey, KeyId{});
  check.key = request->mac->key;
  check.path = asker.route.path();
  node_->keys.Ask(
      check,
      [this, asker, key = check.key,
       kept = std::vector<uint8_t>(datagram.begin(), datagram.end())](msg::VerdictCode code) {
        if (code == msg::VerdictCode::kBusy) return;  // nothing is known of it: ntpq asks again
        Respond(asker, kept, FromCode(code), key);
      },
      Lane::kClients);
}

void ControlServer::Respond(const Asker& asker, Bytes datagram, control::MacVerdict verdict,
                            KeyId key) {
  const control::Answer answer =
      responder_.Respond(datagram, asker.requester, verdict, key, *state_, Timebase::Mono());
  for (const std::vector<uint8_t>& reply : answer.datagrams) {
    if (answer.seal) {
      SealAndSend(asker.route, reply, *answer.seal);
    } else {
      send_(asker.route, reply);
    }
  }
}

void ControlServer::SealAndSend(const Route& route, std::vector<uint8_t> reply, KeyId key) {
  msg::SealRequest request;
  request.path = route.path().Reversed();
  request.key = key;
  if (!request.covered.Assign(reply)) return;
  node_->keys.Seal(
      request,
      [this, route, reply](const msg::Sealed* sealed) {
        if (sealed == nullptr || sealed->mac.empty()) return;
        std::vector<uint8_t> packet = reply;
        packet.insert(packet.end(), sealed->mac.span().begin(), sealed->mac.span().end());
        send_(route, packet);
      },
      Lane::kClients);
}

}  // namespace ntpward::net
