// Requests with fields of Autokey, which are under a MAC that anyone can make.
#include "ntpd/net/random.h"
#include "ntpd/net/time_server.h"

namespace ntpward::net {

void TimeServer::OnAutokey(const Route& asked_route, const core::Request& request,
                           core::RateDecision rate, const wire::Packet& packet) {
  Route route = asked_route;
  // Access rules and limits first: a crypto-NAK is an answer, too.
  const auto answer = core::AnswerRequest(request, rate, node_->engine->system(), Timebase::Mono());
  if (!answer.ok() || answer->kiss) return OnPlain(route, request, rate);
  if (!node_->has_material || !node_->hasher || !node_->host.enabled()) {
    // A host that will know its keys in a moment must not send its clients back to the start.
    const bool soon = node_->start.crypto_enabled && !node_->has_material;
    if (!soon) SendNak(route, request);
    return;
  }
  const keys::SessionDigest digest =
      node_->PublicMac(route.asked_path(), packet.mac->key, packet.covered);
  if (!EqualConstantTime(digest.span(), packet.mac->digest)) {
    ++node_->packets.bad_auth;
    return SendNak(route, request);
  }
  // IPv6 does not say by which address we heard a group; the reply's key is hashed with it.
  if (route.server.is_none() || route.server.is_multicast())
    route.server =
        SourceTowards(route.client, LocalAddressTowards(route.client)).value_or(IpAddress());
  // A group is asked who is there: long answers, and work for the key process, go to who asks us
  // alone.
  const auto asked = wire::ParseAutokeyFieldHead(packet.extensions()[0].field);
  if (!route.group.is_none() &&
      (!asked.ok() || asked->code != static_cast<uint8_t>(wire::AutokeyCode::kAssociation))) {
    ++node_->packets.declined;
    return;
  }
  if (wire::IsOldAutokeyRequest(packet.extensions()[0].type)) ++node_->packets.autokey_version_1;
  AnswerField(route, answer->header, packet.mac->key, packet.extensions()[0].field);
}

autokey::ServerContext TimeServer::Context() const {
  return {node_->host,
          node_->certificates,
          node_->time.Seconds(),
          node_->synchronised(),
          [this](uint32_t association) {
            return peering_ == nullptr ? nullptr : peering_->KeyListOf(association);
          },
          Timebase::Mono(),
          static_cast<uint32_t>(RandomNumber())};
}

void TimeServer::AnswerField(const Route& route, const wire::Header& header, KeyId key,
                             Bytes field) {
  const autokey::ServerAnswer answer = autokey_.OnRequest(field, route.path(), Context());
  if (answer.kind != autokey::ServerAnswer::Kind::kAskKeys)
    return FinishField(route, header, key, answer);
  std::visit(
      [&](const auto& operation) {
        node_->keys.AskValue(
            operation,
            [this, route, header, key, pending = answer.pending](const msg::ValueAnswer& value) {
              FinishField(route, header, key, autokey_.OnValueAnswer(pending, value));
            },
            Lane::kPrivate);
      },
      *answer.operation);
}

void TimeServer::FinishField(const Route& route, const wire::Header& header, KeyId key,
                             const autokey::ServerAnswer& done) {
  if (!done.statistics.empty())
    node_->reporter.CryptoStatistics(route.client.ip.ToString(), done.statistics, Cause::kStranger);
  if (done.kind == autokey::ServerAnswer::Kind::kReply) ReplyField(route, header, key, done.field);
}

void TimeServer::ReplyField(const Route& route, const wire::Header& reply, KeyId key, Bytes field) {
  std::vector<uint8_t> packet(wire::kHeaderSize + field.size() + wire::kMaxMacSize);
  Writer writer(packet);
  wire::Header header = reply;
  header.transmit = node_->LeavingTime();
  wire::EncodeHeader(writer, header);
  writer.Put(field);
  CHECK(writer.Finish());
  const keys::SessionDigest digest =
      node_->PublicMac(route.path().Reversed(), key, writer.written());
  wire::EncodeMac(writer, {key, digest.span()});
  Send(route, writer.written());
}

}  // namespace ntpward::net
