#include "ntpd/net/peering.h"

#include <algorithm>
#include <array>

#include "ntpd/core/source_access.h"

namespace ntpward::net {
namespace {

bool Contains(const auto& groups, const IpAddress& address) {
  return std::any_of(groups.begin(), groups.end(), [&](const IpAddress& group) {
    return group.family == address.family && group.octets == address.octets;
  });
}

constexpr std::array<uint8_t, 4> kCryptoNak = {};

bool AsksWhoWeAre(const wire::Extension& extension) {
  const auto head = wire::ParseAutokeyFieldHead(extension.field);
  return head.ok() && !head->response && !head->error &&
         head->code == static_cast<uint8_t>(wire::AutokeyCode::kAssociation);
}

}  // namespace

bool IsToEverybody(const Datagram& datagram) {
  return datagram.destination.family == Family::kIpv4 && !datagram.destination.is_multicast() &&
         datagram.destination != datagram.local;
}

core::Mobilisation AskMobilisation(Node* node, const SocketAddress& source, bool authenticated) {
  const core::AccessEntry& access = node->access.Match(source);
  core::MobilisationRequest request;
  request.flags = access.flags;
  request.ippeerlimit = access.ippeerlimit;
  request.authenticated = authenticated;
  request.auth_required = node->start.authentication;
  request.of_address = node->engine->CountEphemeral(source.ip);
  request.of_all = node->engine->CountEphemeral(std::nullopt);
  const core::Mobilisation answer = core::MayMobilise(request);
  if (answer != core::Mobilisation::kAllowed && authenticated)
    node->reporter.Log(LogLevel::kInfo,
                       source.ip.ToString() + ": no association: restrict or its limits forbid it",
                       Cause::kStranger);
  return answer;
}

bool Peering::IsForListeners(const Datagram& datagram) const {
  if (datagram.destination.is_multicast())
    return Contains(node_->start.multicast_groups, datagram.destination);
  return IsToEverybody(datagram) && node_->start.broadcast_client;
}

bool Peering::Take(const Datagram& datagram, core::AccessFlags flags, const wire::Packet& packet,
                   NtpTimestamp arrival) {
  const auto [fate, id] = node_->engine->DispatchPacket(datagram.source, packet.header.mode);
  const bool broadcast = packet.header.mode == wire::Mode::kBroadcast;
  // A broadcast to us alone comes from somebody who cannot send where broadcasts are sent.
  if (broadcast && !IsForListeners(datagram)) return false;
  if (broadcast && upstreams_->IsOfAnotherList(id, datagram.destination)) return true;
  if (fate == core::Fate::kProcess) {
    if (upstreams_->Refuses(id, flags, packet.header.version)) return true;
    upstreams_->Deliver(id, packet, arrival, datagram.local);
    return true;
  }
  if (broadcast && fate == core::Fate::kDiscard) upstreams_->NoteAnnouncer(id, packet);
  if (fate != core::Fate::kMobiliseBroadcast) return false;
  // Whether it proves who it is AskMobilisation() asks.
  if (core::RefusedBy(flags, packet.header.version, /*keyed=*/true)) return false;
  OnBroadcast(datagram, packet);
  return true;
}

bool Peering::AskMac(const AddressPair& path, const wire::Packet& packet,
                     KeysClient::OnVerdict done) {
  const auto question = QuestionOf(packet, path);
  if (!question || !question->key.is_symmetric() || !packet.extensions().empty()) return false;
  node_->keys.Ask(*question, std::move(done), Lane::kClients);
  return true;
}

// ---------------------------------------------------------------------------- broadcast servers

void Peering::OnBroadcast(const Datagram& datagram, const wire::Packet& packet) {
  const wire::Header& header = packet.header;
  if (header.leap == wire::Leap::kAlarm || header.stratum == 0 || packet.crypto_nak) return;
  Broadcast broadcast{datagram.source, datagram.local, datagram.destination, header, KeyId{}};
  if (!packet.mac) {
    if (AskMobilisation(node_, broadcast.source, false) == core::Mobilisation::kAllowed)
      MobiliseListener(broadcast);
    return;
  }
  broadcast.key = packet.mac->key;
  if (broadcast.key.is_autokey()) return OnAutokeyBroadcast(datagram, packet);
  (void)AskMac({broadcast.source.ip, broadcast.heard}, packet,
               [this, broadcast](msg::VerdictCode code) {
                 if (code == msg::VerdictCode::kGood &&
                     AskMobilisation(node_, broadcast.source, true) == core::Mobilisation::kAllowed)
                   MobiliseListener(broadcast);
               });
}

// Its MAC and its field are such as anyone can make: they say where to ask, and no more. With
// `novolley` nothing may be asked, so that nobody can prove anything.
void Peering::OnAutokeyBroadcast(const Datagram& datagram, const wire::Packet& packet) {
  if (node_->start.novolley || !node_->has_material || !node_->hasher || !node_->host.enabled())
    return;
  const auto fields = packet.extensions();
  if (fields.empty()) return;
  const auto head = wire::ParseAutokeyFieldHead(fields[0].field);
  if (!head.ok() || !head->response || head->error ||
      head->code != static_cast<uint8_t>(wire::AutokeyCode::kAssociation))
    return;
  const AddressPair path{datagram.source.ip, datagram.destination};
  const keys::SessionDigest digest = node_->PublicMac(path, packet.mac->key, packet.covered);
  if (!EqualConstantTime(digest.span(), packet.mac->digest)) return;
  if (AskMobilisation(node_, datagram.source, true) != core::Mobilisation::kAllowed ||
      !upstreams_->MakePlaceForUnproven(Upstreams::UnprovenKind::kBroadcastServer,
                                        datagram.source.ip))
    return;
  Upstreams::Ephemeral wanted;
  wanted.mode = core::HostMode::kClient;
  wanted.listen = true;
  wanted.remote = datagram.source;
  wanted.local = datagram.local;
  wanted.version = packet.header.version;
  wanted.poll = packet.header.poll;
  wanted.autokey = true;
  wanted.announcer = head->association;
  wanted.heard = datagram.destination;
  (void)upstreams_->AddEphemeral(wanted);
  on_change_();
}

const autokey::OwnKeyList* Peering::KeyListOf(uint32_t association) const {
  if (association == 0 || association > UINT16_MAX) return nullptr;
  const Upstream* upstream = upstreams_->Find(AssocId{static_cast<uint16_t>(association)});
  return upstream == nullptr ? nullptr : upstream->own_list.get();
}

void Peering::MobiliseListener(const Broadcast& broadcast) {
  // Two packets may have been looked at together.
  if (node_->engine->DispatchPacket(broadcast.source, wire::Mode::kBroadcast).fate !=
      core::Fate::kMobiliseBroadcast)
    return;
  const bool volley = !node_->start.novolley;
  Upstreams::Ephemeral wanted;
  wanted.mode = volley ? core::HostMode::kClient : core::HostMode::kBroadcastClient;
  wanted.listen = volley;
  wanted.remote = broadcast.source;
  wanted.local = broadcast.local;
  wanted.heard = broadcast.heard;
  wanted.key = broadcast.key;
  wanted.version = broadcast.header.version;
  wanted.poll = broadcast.header.poll;
  (void)upstreams_->AddEphemeral(wanted);
  on_change_();
}

// ---------------------------------------------------------------------------- peers

bool Peering::OnPeer(const Route& route, const core::Request& request, const wire::Packet& packet) {
  Candidate candidate{route, request, KeyId{}};
  if (packet.crypto_nak) return false;
  if (!packet.mac) return !node_->start.authentication && MobilisePassive(candidate);
  candidate.key = packet.mac->key;
  if (candidate.key.is_autokey()) {
    OnAutokeyPeer(candidate, packet);
    return true;
  }
  return AskMac({route.client.ip, route.server}, packet,
                [this, candidate](msg::VerdictCode code) { OnPeerVerdict(candidate, code); });
}

void Peering::OnPeerVerdict(const Candidate& candidate, msg::VerdictCode code) {
  switch (code) {
    case msg::VerdictCode::kGood:
      if (!MobilisePassive(candidate)) AnswerSealed(candidate);
      return;
    case msg::VerdictCode::kBad:
    case msg::VerdictCode::kUnknownKey:
      return RefuseMac(candidate);
    default:
      return;  // not ours to answer, or too busy
  }
}

void Peering::RefuseMac(const Candidate& candidate) {
  if (candidate.request.flags.has(core::Access::kNoTrust)) return;
  wire::Header reply =
      core::BuildReply(candidate.request.header, wire::Mode::kSymmetricPassive,
                       candidate.request.received, node_->engine->system(), Timebase::Mono());
  reply.transmit = node_->time.Now();
  answer_(candidate.route, reply, kCryptoNak);
}

// Only ASSOC begins anything. Whoever sends something else takes us for a peer that we were before
// we were started anew; the crypto-NAK tells it so. Before ASSOC there may be what it has to say of
// our first answer.
bool Peering::IsFirstOfADance(const Candidate& candidate, const wire::Packet& packet) const {
  const auto fields = packet.extensions();
  if (!node_->has_material || !node_->hasher || !node_->host.enabled()) return false;
  if (std::none_of(fields.begin(), fields.end(), AsksWhoWeAre)) return false;
  const AddressPair path{candidate.route.client.ip, candidate.route.server};
  const keys::SessionDigest digest = node_->PublicMac(path, candidate.key, packet.covered);
  return EqualConstantTime(digest.span(), packet.mac->digest);
}

// Nothing is kept of it, so that who writes in others' names takes no place. The field is there
// because a peer under Autokey hears nothing else; as a request it also hastens the next packet of
// one of ntpd 4.2.8. It is as short as can be, hence no longer than ASSOC, and so is the answer.
void Peering::AnswerFirst(const Candidate& candidate) {
  const Route& route = candidate.route;
  wire::Header reply =
      core::BuildReply(candidate.request.header, wire::Mode::kSymmetricPassive,
                       candidate.request.received, node_->engine->system(), Timebase::Mono());
  reply.transmit = first_answer_.TransmitTime(route.client, route.server, node_->time.Now());
  std::array<uint8_t, wire::kHeaderSize + wire::kShortFieldSize + wire::kMaxMacSize> packet;
  Writer writer(packet);
  wire::EncodeHeader(writer, reply);
  wire::EncodeShortField(writer, autokey::kFirstAnswerField);
  const KeyId key = RandomSessionKeyId();
  const keys::SessionDigest digest =
      node_->PublicMac(route.path().Reversed(), key, writer.written());
  wire::EncodeMac(writer, {key, digest.span()});
  CHECK(writer.Finish());
  answer_(route, reply, writer.written().subspan(wire::kHeaderSize));
}

// Its MAC is such as anyone can make: it has to show that it reads what is sent to its address. Of
// those that do few are tried at once.
void Peering::OnAutokeyPeer(const Candidate& candidate, const wire::Packet& packet) {
  const SocketAddress& source = candidate.route.client;
  // A host that will know its keys in a moment must not send its peers back to the start.
  if (node_->start.crypto_enabled && !node_->has_material) return;
  if (node_->engine->DispatchPacket(source, packet.header.mode).fate !=
      core::Fate::kMobilisePassive)
    return;
  if (!IsFirstOfADance(candidate, packet)) return RefuseMac(candidate);
  const IpAddress& ours = candidate.route.server;
  if (ours.is_none() || AskMobilisation(node_, source, true) != core::Mobilisation::kAllowed)
    return;
  const NtpTimestamp origin = packet.header.origin;
  if (!first_answer_.IsEchoed(origin, source, ours, node_->time.Now()))
    return AnswerFirst(candidate);
  if (!upstreams_->MakePlaceForUnproven(Upstreams::UnprovenKind::kPassivePeer, source.ip)) return;
  Upstreams::Ephemeral wanted;
  wanted.mode = core::HostMode::kSymmetricPassive;
  wanted.remote = source;
  wanted.local = ours;
  wanted.version = packet.header.version;
  wanted.poll = packet.header.poll;
  wanted.autokey = true;
  const AssocId id = upstreams_->AddEphemeral(wanted);
  // The first answer was a packet of this association, as far as the peer can tell.
  node_->engine->OnSent(id, origin, KeyId{});
  upstreams_->Deliver(id, packet, candidate.request.received, candidate.route.server);
  on_change_();
}

bool Peering::MobilisePassive(const Candidate& candidate) {
  const SocketAddress& source = candidate.route.client;
  const wire::Header& header = candidate.request.header;
  if (node_->engine->DispatchPacket(source, header.mode).fate != core::Fate::kMobilisePassive)
    return true;  // there is one by now; its next packet finds it
  if (AskMobilisation(node_, source, !candidate.key.is_none()) != core::Mobilisation::kAllowed)
    return false;
  Upstreams::Ephemeral wanted;
  wanted.mode = core::HostMode::kSymmetricPassive;
  wanted.remote = source;
  wanted.local = candidate.route.server;
  wanted.key = candidate.key;
  wanted.version = header.version;
  wanted.poll = header.poll;
  const AssocId id = upstreams_->AddEphemeral(wanted);
  upstreams_->DeliverProved(id, header, candidate.key, candidate.request.received);
  return true;
}

void Peering::AnswerSealed(const Candidate& candidate) {
  const wire::Header reply =
      core::BuildReply(candidate.request.header, wire::Mode::kSymmetricPassive,
                       candidate.request.received, node_->engine->system(), Timebase::Mono());
  msg::SealRequest seal;
  seal.path = {candidate.route.server, candidate.route.client.ip};
  seal.key = candidate.key;
  seal.correction = node_->time.Correction();
  std::array<uint8_t, wire::kHeaderSize> covered;
  Writer writer(covered);
  wire::EncodeHeader(writer, reply);
  CHECK(writer.Finish() && seal.covered.Assign(covered));
  node_->keys.Seal(
      seal,
      [this, route = candidate.route, reply](const msg::Sealed* sealed) {
        if (sealed == nullptr || sealed->mac.empty()) return;
        wire::Header stamped = reply;
        stamped.transmit = sealed->transmit;
        answer_(route, stamped, sealed->mac.span());
      },
      Lane::kClients);
}

}  // namespace ntpward::net
