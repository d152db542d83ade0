#include "ntpd/net/manycast_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ntpd/core/mobilisation.h"
#include "ntpd/net/peering.h"
#include "ntpd/net/random.h"

namespace ntpward::net {
namespace {

// Answers to one question whose MAC is looked at. Members of the group see the question and can
// forge answers to it; they must not keep ntpd-keys busy.
constexpr int kMostChecks = 64;

bool IsManycast(const Prototype& prototype) {
  return prototype.config.kind == msg::NetAssociationKind::kManycastClient;
}

// Would it be followed? As ntpd 4.2.8, `tos floor` and `tos ceiling` hold before there is an
// association.
bool IsOfUse(const wire::Header& reply, const msg::NetStart& start) {
  return reply.leap != wire::Leap::kAlarm && reply.stratum != 0 && reply.stratum >= start.floor &&
         reply.stratum < start.ceiling;
}

}  // namespace

ManycastClient::ManycastClient(Node* node, Upstreams* upstreams, std::function<void()> on_change,
                               uint16_t port)
    : node_(node),
      upstreams_(upstreams),
      on_change_(std::move(on_change)),
      port_(port),
      batch_(std::make_unique<ReceiveBatch>()) {}

core::ManycastConfig ManycastClient::ConfigOf(const Prototype& prototype) const {
  core::ManycastConfig config;
  config.poll = prototype.config.minpoll;
  const Bytes ttls = node_->start.ttls.span();
  config.ttls.assign(ttls.begin(), ttls.end());
  config.minclock = node_->start.minclock;
  config.maxclock = node_->start.maxclock;
  config.beacon = node_->start.beacon;
  return config;
}

// Sources that our time is made from.
size_t ManycastClient::Survivors() const {
  const auto ids = node_->engine->Ids();
  return static_cast<size_t>(std::count_if(ids.begin(), ids.end(), [&](AssocId id) {
    const auto status = wire::PeerStatus::FromWord(node_->engine->PeerStatusWord(id));
    return status.selection >= wire::Selection::kCandidate &&
           status.selection != wire::Selection::kBackup;
  }));
}

void ManycastClient::Maintain() {
  const MonoTime now = Timebase::Mono();
  const auto& prototypes = upstreams_->prototypes();
  std::erase_if(searches_, [&](const auto& entry) { return !prototypes.contains(entry.first); });
  for (const auto& [id, prototype] : prototypes) {
    if (!IsManycast(prototype)) continue;
    const core::ManycastConfig config = ConfigOf(prototype);
    // `tos` and `ttl` may be others since a reload.
    if (const auto old = searches_.find(id);
        old != searches_.end() && old->second.state.config() != config)
      searches_.erase(old);
    const auto found = searches_.try_emplace(id, core::ManycastSearch(config, now)).first;
    if (found->second.state.due(now)) Ask(prototype, &found->second);
  }
}

void ManycastClient::Ask(const Prototype& prototype, Search* search) {
  const MonoTime now = Timebase::Mono();
  ++search->question;
  search->checks = 0;
  search->readable.reset();
  search->socket.Close();
  const size_t servers =
      upstreams_->CountOfPool(prototype.line) - upstreams_->CountOfRefused(prototype.line);
  const auto hops = search->state.OnPoll(servers, Survivors(), now);
  if (!hops || !Open(prototype, search)) return;
  upstreams_->NoteHops(prototype.id, *hops);
  // Stratum and source tell the servers which of them are of no use to us.
  const core::SystemState& system = node_->engine->system();
  wire::Header header;
  header.leap = system.leap;
  header.version = prototype.config.version;
  header.mode = wire::Mode::kClient;
  header.stratum = system.synchronised() ? system.stratum : uint8_t{0};
  header.poll = static_cast<int8_t>(prototype.config.minpoll);
  header.precision = 0x20;  // "unset", as all our requests
  header.refid = system.synchronised() ? system.refid : 0;
  header.transmit = RandomNonce();
  if (prototype.config.autokey) return AskAutokey(prototype, search, header, *hops);
  if (prototype.config.key.is_none()) return Transmit(prototype, search, header, {}, *hops);
  msg::SealRequest seal;
  seal.path = {IpAddress(), prototype.config.address};
  seal.key = prototype.config.key;
  std::array<uint8_t, wire::kHeaderSize> covered;
  Writer writer(covered);
  wire::EncodeHeader(writer, header);
  CHECK(writer.Finish() && seal.covered.Assign(covered));
  node_->keys.Seal(seal, [this, id = prototype.id, question = search->question, header,
                          hops = *hops](const msg::Sealed* sealed) {
    const auto found = searches_.find(id);
    const auto asker = upstreams_->prototypes().find(id);
    if (found == searches_.end() || asker == upstreams_->prototypes().end()) return;
    if (found->second.question != question || sealed == nullptr || sealed->mac.empty()) return;
    Transmit(asker->second, &found->second, header, sealed->mac.span(), hops);
  });
}

// ASSOC to the whole group, as ntpd 4.2.8 does. The answers prove nothing: each server is then
// asked alone.
void ManycastClient::AskAutokey(const Prototype& prototype, Search* search,
                                const wire::Header& header, uint8_t hops) {
  const IpAddress from = LocalAddressTowards({prototype.config.address, port_});
  if (!node_->has_material || !node_->hasher || !node_->host.enabled() || from.is_none()) return;
  search->key = RandomSessionKeyId();
  const auto field = autokey::AssociationRequest(node_->host, prototype.id);
  std::vector<uint8_t> packet(wire::kHeaderSize + field.size() + wire::kMaxMacSize);
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  writer.Put(field);
  const keys::SessionDigest digest =
      node_->PublicMac({from, prototype.config.address}, search->key, writer.written());
  wire::EncodeMac(writer, {search->key, digest.span()});
  CHECK(!writer.failed());
  Transmit(prototype, search, header, writer.written().subspan(wire::kHeaderSize), hops, from);
}

bool ManycastClient::IsAssociation(const Prototype& prototype, const Search& search,
                                   const Datagram& datagram, const wire::Packet& packet) const {
  const auto fields = packet.extensions();
  if (!packet.mac || packet.mac->key != search.key || fields.empty() || !node_->hasher)
    return false;
  const auto head = wire::ParseAutokeyFieldHead(fields[0].field);
  const wire::AutokeyFieldHead wanted{
      true, false, static_cast<uint8_t>(wire::AutokeyCode::kAssociation), prototype.id.value};
  const keys::SessionDigest digest =
      node_->PublicMac({datagram.source.ip, datagram.local}, search.key, packet.covered);
  return head.ok() && *head == wanted && EqualConstantTime(digest.span(), packet.mac->digest);
}

// A socket of its own for each question, as for each exchange with a server.
bool ManycastClient::Open(const Prototype& prototype, Search* search) {
  auto socket = OpenForGroup(prototype.config.address.family, node_->start.dscp);
  if (!socket.ok()) {
    node_->reporter.Log(LogLevel::kDebug, socket.error().text);
    return false;
  }
  search->socket = std::move(socket).value();
  struct Argument {
    ManycastClient* self;
    AssocId id;
  };
  search->receive_argument = std::make_shared<Argument>(Argument{this, prototype.id});
  search->readable.reset(event_new(
      node_->base, search->socket.get(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* argument) {
        const auto* who = static_cast<Argument*>(argument);
        who->self->Receive(who->id);
      },
      search->receive_argument.get()));
  event_add(search->readable.get(), nullptr);
  return true;
}

void ManycastClient::Transmit(const Prototype& prototype, Search* search,
                              const wire::Header& header, Bytes trailer, uint8_t hops,
                              const IpAddress& from) {
  std::vector<uint8_t> packet(wire::kHeaderSize + trailer.size());
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  writer.Put(trailer);
  CHECK(writer.Finish());
  const SocketAddress group{prototype.config.address, port_};
  const bool sent = SendWithHops(search->socket.get(), packet, group, from, hops);
  node_->io.datagrams.OnSent(1, sent ? 0 : 1);
  ++node_->timer.polls;
  if (sent) return search->state.OnSent(header.transmit, Timebase::Mono());
  // An operator who forgot the route has to hear of it; the network may also come later.
  node_->reporter.Log(
      std::exchange(search->complained, true) ? LogLevel::kDebug : LogLevel::kWarning,
      "manycastclient " + group.ip.ToString() + ": " + std::strerror(errno) + "; asking again");
}

void ManycastClient::Receive(AssocId id) {
  const auto found = searches_.find(id);
  const auto prototype = upstreams_->prototypes().find(id);
  if (found == searches_.end() || prototype == upstreams_->prototypes().end()) return;
  const auto datagrams = batch_->Receive(found->second.socket.get());
  node_->io.OnWakeup(datagrams.size());
  for (const Datagram& datagram : datagrams)
    OnDatagram(prototype->second, &found->second, datagram);
}

void ManycastClient::OnDatagram(const Prototype& prototype, Search* search,
                                const Datagram& datagram) {
  ++node_->packets.received;
  const auto packet = wire::ParsePacket(datagram.bytes);
  if (datagram.truncated || !packet.ok()) {
    ++node_->packets.bad_format;
    return;
  }
  // Origin first: a sender who did not see the question gets no cryptography done. A crypto-NAK
  // makes nothing (CVE-2015-7871).
  const wire::Header& header = packet->header;
  if (datagram.source.port != port_ || !search->state.Matches(header, Timebase::Mono()) ||
      !IsOfUse(header, node_->start) || packet->crypto_nak || upstreams_->Has(datagram.source.ip)) {
    ++node_->packets.declined;
    return;
  }
  if (prototype.config.autokey) {
    if (IsAssociation(prototype, *search, datagram, *packet))
      return Follow(prototype, datagram.source, true);
    ++node_->packets.bad_auth;
    return;
  }
  if (!prototype.config.key.is_none()) return OnMac(prototype, search, datagram, *packet);
  Follow(prototype, datagram.source, false);
}

void ManycastClient::OnMac(const Prototype& prototype, Search* search, const Datagram& datagram,
                           const wire::Packet& packet) {
  const auto question = QuestionOf(packet, {datagram.source.ip, datagram.local});
  // Any other trusted key would make a good MAC, too (CVE-2015-7974).
  if (!question || question->key != prototype.config.key || !packet.extensions().empty() ||
      search->checks == kMostChecks) {
    ++node_->packets.bad_auth;
    return;
  }
  ++search->checks;
  node_->keys.Ask(
      *question,
      [this, id = prototype.id, asked = search->question,
       source = datagram.source](msg::VerdictCode code) {
        const auto found = searches_.find(id);
        const auto asker = upstreams_->prototypes().find(id);
        if (found == searches_.end() || asker == upstreams_->prototypes().end()) return;
        if (found->second.question != asked || code == msg::VerdictCode::kBusy) return;
        if (code == msg::VerdictCode::kGood) return Follow(asker->second, source, true);
        ++node_->packets.bad_auth;
      },
      Lane::kClients);
}

void ManycastClient::Follow(const Prototype& prototype, const SocketAddress& server,
                            bool authenticated) {
  if (upstreams_->Has(server.ip) ||
      AskMobilisation(node_, server, authenticated) != core::Mobilisation::kAllowed)
    return;
  const bool place = prototype.config.autokey
                         ? upstreams_->MakePlaceForManycast(prototype.line, server.ip)
                         : upstreams_->CountOfPool(prototype.line) < node_->start.maxclock;
  if (!place) return;
  node_->reporter.Info(msg::kLogPeerInfo, "Found manycast server " + server.ip.ToString(),
                       Cause::kStranger);
  upstreams_->AddManycast(prototype.line, server.ip);
  on_change_();
}

}  // namespace ntpward::net
