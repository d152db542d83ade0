// A broadcast server under Autokey and its listener: real sockets on loopback, the test as the
// server and as ntpd-keys, whose key lists are the real ones.
#pragma once

#include <tuple>

#include "keys/key_list.h"
#include "ntpd/net/peering.h"
#include "tests/net/dance_keys.h"
#include "tests/net/harness.h"

namespace ntpward::test {

inline const IpAddress kServer = IpAddress::V4(127, 0, 0, 2);
inline const IpAddress kOther = IpAddress::V4(127, 0, 0, 3);
inline const IpAddress kEverybody = IpAddress::V4(127, 255, 255, 255);
inline constexpr uint32_t kAnnouncer = 0x4711;

keys::SessionKeyHasher NewHasher();

inline wire::Header Broadcast() { return PacketOf(wire::Mode::kBroadcast); }

struct BroadcastWorld {
  BroadcastWorld();

  const net::Upstream& upstream() const { return *h.upstreams.Find(h.Only()); }
  core::PeerSnapshot Snapshot() const;
  bool listens() const {
    return h.node.engine->Find(upstream().id)->hmode() == core::HostMode::kBroadcastClient;
  }
  // All that a forger would like to change.
  auto State() const {
    const net::Upstream& one = upstream();
    return std::make_tuple(one.dance->flags(), one.dance->proven(), one.announced->accepted(),
                           one.announced->key(), one.announced->sequence(),
                           one.announced->timestamp().value, Snapshot());
  }

  // --- the server

  // AUTO: the end of a list.
  std::vector<uint8_t> Announcement(uint32_t timestamp, KeyId key, uint32_t number) const;
  std::vector<uint8_t> Name() const { return NameAs(announcer); }
  std::vector<uint8_t> NameAs(uint32_t id) const {
    return autokey::AssociationResponse(server.host, id);
  }
  // A broadcast with `field`, if any, and a MAC by `key` such as anyone can make.
  std::vector<uint8_t> Packet(const wire::Header& header, Bytes field, KeyId key) {
    return h.WithPublicMac({kServer, kEverybody}, key, Encoded(header, field));
  }
  void Send(Bytes packet, const IpAddress& to = kEverybody);
  // The server's next broadcast; true when it was taken for time.
  bool Genuine();
  // From its first broadcast until it is listened to.
  void Follow();
  // A poll of ours, and the server's answer.
  void Volley();
  void AnswerOne();
  // Time passes for what we ask beside.
  void Pass(double seconds = 1);
  // A second passes, and the server answers what is asked.
  void AnswerForASecond() {
    AnswerOne();
    Pass();
    ServeKeys();
  }
  std::vector<uint8_t> Answer(const wire::Packet& request, const IpAddress& from);
  // The server has another host key and certificate.
  void RenewKeys();
  static keys::KeyList NewList(keys::SessionKeyHasher& hasher) {
    return keys::KeyList::Make(hasher, {kServer, kEverybody}, 0, 50);
  }
  // It was started anew: other identifiers, another list.
  void RestartServer();
  // A broadcast in the server's name by who cannot hear it.
  void Forge(uint32_t id) { Send(Packet(Broadcast(), NameAs(id), KeyId{0x5fe916ea})); }
  // Questions that came to the server get no answer.
  void ForgetQuestions() {
    while (socket.Receive()) {
    }
  }
  // Questions of this kind that came to the server and have no answer.
  int AskedFor(wire::AutokeyCode code);

  // --- ntpd-keys

  // Answers all that it was asked.
  void ServeKeys() {
    h.ServeKeys([this](Bytes message) { ServeOne(message); });
  }
  void ServeOne(Bytes bytes);
  // It was reloaded, or died.
  void RestartKeys();
  // As keys/mac_operations.cc: the MAC, then the list.
  msg::VerdictCode Judge(const msg::CheckMac& check);

  Harness h;
  int changes = 0;
  net::Peering peering{&h.node, &h.upstreams, [this] { ++changes; }};
  uint16_t port = h.Listen();
  Stranger socket{kServer};
  Stranger other{kOther};
  autokey::test::Party server{"server", autokey::test::TestKey::Shared(0), true, autokey::kIff};
  autokey::test::Party client{"client", autokey::test::TestKey::Shared(1), false};
  keys::SessionKeyHasher hasher = NewHasher();
  keys::KeyList list = NewList(hasher);
  std::optional<keys::KeySequence> sequence;  // what ntpd-keys accepted
  uint32_t now = autokey::test::kTestNow;
  std::optional<MonoTime> passed;  // until when Pass() has come
  uint32_t announcer = kAnnouncer;
  uint32_t asked_as = 0;  // the identifier that its list was asked for by last
  int checks = 0;
  std::vector<uint8_t> last;  // the server's last broadcast
};

}  // namespace ntpward::test
