// Associations that talk by listening sockets: symmetric modes and broadcast, and those that a
// packet made.
#include <algorithm>
#include <array>

#include "ntpd/net/random.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {
namespace {

constexpr int kFastestEphemeral = 4;   // log2 s: a stranger does not make us faster than this
constexpr int kSlowestEphemeral = 10;  // log2 s

// The bits below what a clock can be read to are noise anyway: an off-path sender cannot guess
// them.
NtpTimestamp Blurred(NtpTimestamp time) {
  constexpr uint64_t kNoise = 0xff;  // 60 ns
  return NtpTimestamp::FromRaw((time.raw() & ~kNoise) | (RandomNumber() & kNoise));
}

}  // namespace

// The address that the route to it gives us, or else one that is listened on; none for what cannot
// be routed, such as some broadcasts, while all addresses are.
void Upstreams::LearnLocal(Upstream* upstream) {
  const IpAddress routed = LocalAddressTowards(upstream->remote);
  upstream->local = choose_source_(upstream->remote, routed).value_or(routed);
  if (!upstream->local.is_none()) NoteOwnAddresses(upstream);
}

// What is answered to an address that nobody listens on comes to nobody, and the sockets come and
// go with the interface lines. False when this poll cannot be sent: there is no socket to send by,
// or it was made for another address.
bool Upstreams::KeepSource(Upstream* upstream) {
  const auto source = choose_source_(upstream->remote, upstream->local);
  if (!source) {
    if (!std::exchange(upstream->said_no_source, true))
      node_->reporter.Log(LogLevel::kWarning,
                          upstream->label() +
                              ": no address is listened on from which it could be sent to: see the "
                              "interface lines and -I");
    return false;
  }
  upstream->said_no_source = false;
  if (*source == upstream->local) return true;
  const bool moved = !upstream->local.is_none();
  upstream->local = *source;
  NoteOwnAddresses(upstream);
  if (!moved) return true;
  // Session keys are made from the address.
  upstream->peer.reset();
  if (upstream->own_list != nullptr) upstream->own_list->Void();
  node_->engine->Restart(upstream->id, wire::RefidCode("INIT"), Timebase::Mono());
  return false;
}

void Upstreams::SendListening(Upstream* upstream, const wire::Header& header) {
  if (upstream->config.key.is_none()) {
    wire::Header stamped = header;
    stamped.transmit = Blurred(node_->time.Now());
    return TransmitListening(upstream, stamped, {}, KeyId{});
  }
  SealAndTransmit(upstream, header, upstream->config.key);
}

// ntpd-keys writes the transmit time.
void Upstreams::SealAndTransmit(Upstream* upstream, const wire::Header& header, KeyId key) {
  msg::SealRequest request;
  if (upstream->peer != nullptr) request.association = upstream->id;
  request.path = {upstream->local, upstream->remote.ip};
  request.key = key;
  request.correction = node_->time.Correction();
  std::array<uint8_t, wire::kHeaderSize> covered;
  Writer writer(covered);
  wire::EncodeHeader(writer, header);
  CHECK(writer.Finish() && request.covered.Assign(covered));
  node_->keys.Seal(request, [this, id = upstream->id, exchange = upstream->exchange, header,
                             key](const msg::Sealed* sealed) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end() || found->second->exchange != exchange) return;
    if (sealed == nullptr) return;  // the next poll asks again
    if (sealed->mac.empty()) {
      // No such key, or a list that ntpd-keys has lost without our knowing.
      if (found->second->peer != nullptr) found->second->peer->OnNoKey();
      return;
    }
    wire::Header stamped = header;
    stamped.transmit = sealed->transmit;
    TransmitListening(found->second.get(), stamped, sealed->mac.span(), key);
  });
}

void Upstreams::TransmitListening(Upstream* upstream, const wire::Header& header, Bytes trailer,
                                  KeyId key) {
  upstream->sent_key = key;
  std::array<uint8_t, wire::kHeaderSize + msg::kMaxMac> packet;
  Writer writer(packet);
  wire::EncodeHeader(writer, header);
  writer.Put(trailer);
  CHECK(!writer.failed());
  if (!send_ || !send_(upstream->remote, upstream->local, upstream->config.ttl, writer.written())) {
    node_->reporter.Log(LogLevel::kDebug, "send to " + upstream->label() + " failed");
    return;
  }
  node_->engine->OnSent(upstream->id, header.transmit, key);
}

void Upstreams::Deliver(AssocId id, const wire::Packet& packet, NtpTimestamp t4,
                        const IpAddress& local) {
  const auto found = upstreams_.find(id);
  if (found == upstreams_.end()) return;
  Upstream* upstream = found->second.get();
  if (upstream->local.is_none() && !local.is_none()) {
    upstream->local = local;
    NoteOwnAddress(local);
  }
  OnPacket(upstream, packet, t4);
}

void Upstreams::DeliverProved(AssocId id, const wire::Header& header, KeyId key, NtpTimestamp t4) {
  if (!upstreams_.contains(id)) return;
  std::optional<core::MacVerdict> verdict;
  if (!key.is_none()) verdict = core::MacVerdict{key, core::MacResult::kGood};
  Finish(id, header, verdict, t4);
}

AssocId Upstreams::AddEphemeral(const Ephemeral& wanted) {
  auto upstream = std::make_unique<Upstream>();
  upstream->id = NewId();
  upstream->line = kNoLine;
  upstream->remote = wanted.remote;
  upstream->local = wanted.local;
  upstream->heard = wanted.heard;
  if (!wanted.local.is_none()) NoteOwnAddress(wanted.local);
  upstream->config.kind = msg::NetAssociationKind::kPeer;
  upstream->config.address = wanted.remote.ip;
  upstream->config.key = wanted.key;
  upstream->config.version = wanted.version;
  core::AssociationConfig config;
  config.mode = wanted.mode;
  config.listen = wanted.listen;
  config.poll.iburst = wanted.listen;
  config.poll.minpoll =
      std::clamp(static_cast<int>(wanted.poll), kFastestEphemeral, kSlowestEphemeral);
  config.poll.maxpoll = kSlowestEphemeral;
  config.delay = node_->start.broadcast_delay;
  config.ephemeral = true;
  config.version = wanted.version;
  if (!wanted.key.is_none()) config.key = wanted.key;
  const AssocId id = upstream->id;
  upstream->mobilised = Timebase::Mono();
  const bool peer = wanted.mode == core::HostMode::kSymmetricPassive;
  if (wanted.autokey) {
    upstream->config.autokey = config.autokey = true;
    upstream->config.ident = node_->start.ident;
  }
  if (wanted.autokey && peer) {
    CHECK(MakePeer(upstream.get()));
  } else if (wanted.autokey) {
    upstream->dance =
        std::make_unique<autokey::RenewingDance>(id, PolicyOf(*upstream), upstream->mobilised);
    upstream->announced = std::make_unique<autokey::AnnouncedList>(
        id, msg::KeyListUse::kBroadcast, AddressPair{wanted.remote.ip, wanted.heard});
    upstream->announcer =
        autokey::Announcer(wanted.announcer, autokey::CustomaryAnnouncer(wanted.heard));
  }
  Store(std::move(upstream), config);
  if (wanted.autokey && !peer) node_->engine->AllowListening(id, false);
  return id;
}

void Upstreams::AddManycast(size_t line, const IpAddress& address) {
  if (Has(address) || CountOfPool(line) >= node_->start.maxclock) return;
  AddServer(line, address, true);
}

// A reload may have taken `broadcastclient` or a `multicastclient` group away.
void Upstreams::RemoveUnheard() {
  const auto is_heard = [this](const IpAddress& to) {
    if (to.is_none()) return true;
    if (!to.is_multicast()) return node_->start.broadcast_client;
    const auto& groups = node_->start.multicast_groups;
    return std::any_of(groups.begin(), groups.end(), [&](const IpAddress& group) {
      return group.family == to.family && group.octets == to.octets;
    });
  };
  for (const AssocId id : node_->engine->Ids()) {
    const auto found = upstreams_.find(id);
    if (found != upstreams_.end() && !is_heard(found->second->heard)) Remove(id);
  }
}

void Upstreams::RemoveExpired() {
  for (const AssocId id : node_->engine->Expired()) Remove(id);
}

}  // namespace ntpward::net
