// One peer under Autokey and we, on loopback.
#pragma once

#include <utility>

#include "ntpd/net/peering.h"
#include "tests/net/peer_keys.h"

namespace ntpward::test {

inline const IpAddress kPeer = IpAddress::V4(127, 0, 0, 2);
inline const IpAddress kOurs = IpAddress::V4(127, 0, 0, 1);
inline constexpr AssocId kPeersId{222};

// A peer that speaks Autokey with us over real sockets; the test is ntpd-keys, too.
struct PeerWorld {
  // `configured`: the peer is on a line of ours; else it is a stranger.
  explicit PeerWorld(bool configured = true) {
    h.SetHost(keys.ours.material);
    h.node.start.crypto_enabled = h.node.start.identity_optional = true;
    h.Attach(&peering);
    msg::NetAssociation line;
    line.kind = msg::NetAssociationKind::kPeer;
    line.address = kPeer;
    line.autokey = true;
    if (configured) h.upstreams.Configure({line});
  }

  AssocId Only() const { return h.Only(); }
  const net::Upstream& upstream() const { return *h.upstreams.Find(Only()); }
  uint32_t flags() const { return upstream().peer == nullptr ? 0 : upstream().peer->flags(); }
  core::PeerSnapshot Snapshot() const {
    core::PeerSnapshot snapshot = Lasting(h.Snapshot());
    snapshot.dispersion = 0;
    snapshot.filter = {};
    return snapshot;
  }
  int samples() const { return h.node.engine->Find(Only())->filter().samples(); }

  // --- ntpd-keys

  void ServeKeys() {
    h.ServeKeys([this](Bytes message) { ServeOne(message); });
  }
  void ServeOne(Bytes bytes) {
    msg::CheckMac check;
    msg::ForgetAssociation forget;
    if (keys.Serve(&h, bytes, [this](const auto& asked) { Look(asked); })) return;
    if (msg::Decode(bytes, &check)) {
      ++checks;
      h.SayAsKeys(msg::Verdict{.request = check.request, .code = verdict});
    } else {
      CHECK(msg::Decode(bytes, &forget));
      ++forgotten;
    }
  }
  void Look(const msg::KeyListMake& make) {
    CHECK(make.association == Only() && make.path.source == kOurs);
  }
  void Look(const msg::KeyListTake&) {}
  void Look(const msg::KeyListAccept& accept) {
    CHECK(accept.association == Only() && accept.path == (AddressPair{kPeer, kOurs}));
    ++accepted;
  }
  void Look(const msg::CookieIssue& issue) { CHECK(issue.association == Only()); }
  void Look(const msg::SealRequest& seal) {
    CHECK(seal.association == Only() && seal.key == KeyId{keys.last_key});
  }

  // --- the peer

  // What we send at a poll; none when nothing came.
  std::optional<Stranger::Got> Poll() {
    h.upstreams.Poll(Only());
    ServeKeys();
    return peer.Receive();
  }
  wire::Header Header(NtpTimestamp origin, wire::Mode mode = wire::Mode::kSymmetricActive) {
    wire::Header header = PacketOf(mode);
    header.origin = origin;
    header.receive = header.transmit;
    return header;
  }
  std::vector<uint8_t> WithFields(const wire::Header& header, Bytes fields, KeyId key = {77777}) {
    return h.WithPublicMac({kPeer, kOurs}, key, Encoded(header, fields));
  }
  void Come(Bytes packet) {
    peer.Send(packet, {kOurs, port});
    h.Spin();
    ServeKeys();
  }
  std::vector<uint8_t> Answer(const Stranger::Got& got) { return server.Answer(&dance, got); }
  // One packet each way; false when we had nothing to send.
  bool Step() {
    const auto got = Poll();
    if (!got) return false;
    Come(WithFields(Header(got->header().transmit), Answer(*got), {++peers_key}));
    return true;
  }
  // Until the peer's list is known.
  void Follow() {
    for (int i = 0; i < 12 && !(upstream().peer != nullptr && upstream().peer->follows_list()); ++i)
      CHECK(Step());
    CHECK(upstream().peer->follows_list());
  }

  Stranger peer{kPeer};
  Harness h{peer.address().port};
  net::Peering peering{&h.node, &h.upstreams, [this] { ++changes; }};
  uint16_t port = h.Listen();
  PeerKeys keys;
  PeerHost server;
  autokey::PeerDance dance{kPeersId, {.optional_here = true}, 12, {kPeer, kOurs}, MonoTime()};
  msg::VerdictCode verdict = msg::VerdictCode::kGood;
  uint32_t peers_key = 300000;
  int changes = 0, checks = 0, accepted = 0, forgotten = 0;
};

// The code of the field at that place.
inline wire::AutokeyCode CodeOf(const Stranger::Got& got, size_t field = 0) {
  const auto packet = *wire::ParsePacket(got.bytes);
  CHECK(packet.extensions().size() > field);
  return static_cast<wire::AutokeyCode>(packet.extensions()[field].field[1]);
}

// What a peer sends first.
inline std::vector<uint8_t> AssociationRequest(PeerHost& host) {
  return autokey::AssociationRequest(host.party.host, kPeersId);
}

}  // namespace ntpward::test
