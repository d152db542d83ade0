// Peers that are let in by their certificate trail alone (`identity optional`): anybody can have
// one, so that they take no more than their share of the places. Real associations, each of which
// has danced with the test over real sockets; the test is ntpd-keys, too.
#include "ntpd/autokey/identity_policy.h"
#include "ntpd/core/mobilisation.h"
#include "ntpd/net/peering.h"
#include "tests/net/peer_keys.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

const IpAddress kOurs = IpAddress::V4(127, 0, 0, 1);

IpAddress Of(uint8_t network, uint8_t last = 1) { return IpAddress::V4(127, 0, network, last); }

// One peer's end of its dance with us.
struct Peer {
  explicit Peer(const IpAddress& address)
      : socket(address),
        dance(AssocId{222}, {.optional_here = true}, 12, {address, kOurs}, MonoTime()) {}
  Stranger socket;
  autokey::PeerDance dance;
  AssocId id;  // ours for it
};

struct World {
  // The peers of our lines are asked on that port.
  explicit World(uint16_t peers_port = 123) : h(peers_port) {
    h.SetHost(keys.ours.material);
    h.node.start.crypto_enabled = h.node.start.identity_optional = true;
    h.Attach(&peering);
  }

  void ServeKeys() {
    h.ServeKeys([this](Bytes message) {
      msg::CheckMac check;
      if (keys.Serve(&h, message, [](const auto&) {})) return;
      if (msg::Decode(message, &check))
        h.SayAsKeys(msg::Verdict{.request = check.request, .code = msg::VerdictCode::kGood});
    });
  }

  // A packet each way.
  void Step(Peer* peer) {
    h.upstreams.Poll(peer->id);
    ServeKeys();
    const auto got = peer->socket.Receive();
    CHECK(got.has_value());
    wire::Header header = ReplyTo(got->header());
    header.mode = wire::Mode::kSymmetricActive;
    const IpAddress from = peer->socket.address().ip;
    const auto packet = Encoded(header, peers.Answer(&peer->dance, *got));
    peer->socket.Send(h.WithPublicMac({from, kOurs}, {++peers_key}, packet), {kOurs, port});
    h.Spin();
    ServeKeys();
  }
  void Dance(Peer* peer) {
    for (int i = 0; i < 12 && !IsIdentified(peer->id); ++i) Step(peer);
    CHECK(IsIdentified(peer->id));
    CHECK(Find(peer->id)->peer->dance().identity() ==
          autokey::SchemeLabel(msg::IdentityScheme::kNone));
  }

  // --- we

  const Upstream* Find(AssocId id) const { return h.upstreams.Find(id); }
  bool IsIdentified(AssocId id) const {
    return Find(id)->peer != nullptr && Find(id)->peer->identified();
  }
  // One that came to us and has shown its trail; what we think of it a second later.
  bool LetIn(const IpAddress& address) {
    Peer peer(address);
    CHECK(h.upstreams.MakePlaceForUnproven(Upstreams::UnprovenKind::kPassivePeer, address));
    Upstreams::Ephemeral wanted;
    wanted.remote = peer.socket.address();
    wanted.local = kOurs;
    wanted.autokey = true;
    peer.id = h.upstreams.AddEphemeral(wanted);
    Dance(&peer);
    h.upstreams.Maintain(Timebase::Mono());
    return Has(address);
  }
  bool Has(const IpAddress& address) const { return h.upstreams.Has(address); }
  size_t size() const { return h.upstreams.all().size(); }

  Harness h;
  Peering peering{&h.node, &h.upstreams, [] {}};
  uint16_t port = h.Listen();
  PeerKeys keys;
  PeerHost peers;
  uint32_t peers_key = 300000;
};

constexpr auto kOfNetwork = static_cast<uint8_t>(core::kMostLetInOfNetwork);
constexpr auto kOfAll = static_cast<uint8_t>(core::kMostLetIn);

void ANetworkHasItsShare(void**) {
  World world;
  for (uint8_t last = 1; last <= kOfNetwork; ++last) assert_true(world.LetIn(Of(9, last)));
  for (uint8_t last = 200; last < 210; ++last) assert_false(world.LetIn(Of(9, last)));
  // Those that were there before are there.
  for (uint8_t last = 1; last <= kOfNetwork; ++last) assert_true(world.Has(Of(9, last)));
  assert_int_equal(world.size(), kOfNetwork);
  assert_true(world.LetIn(Of(10)));
}

void AllNetworksTogetherHaveTheirs(void**) {
  World world;
  for (uint8_t network = 10; network < 10 + kOfAll; ++network)
    assert_true(world.LetIn(Of(network)));
  for (uint8_t network = 100; network < 110; ++network) assert_false(world.LetIn(Of(network)));
  assert_int_equal(world.size(), kOfAll);
  assert_int_equal(world.h.node.engine->CountEphemeral(std::nullopt), kOfAll);
  // The other half is for those that prove who they are: nobody can tell before.
  assert_true(world.size() + core::kMostUnproven <= core::kMostEphemeral);
  for (uint8_t network = 120; network < 124; ++network)
    assert_true(
        world.h.upstreams.MakePlaceForUnproven(Upstreams::UnprovenKind::kPassivePeer, Of(network)));
}

void WhoGoesMakesRoom(void**) {
  World world;
  for (uint8_t network = 10; network < 10 + kOfAll; ++network)
    assert_true(world.LetIn(Of(network)));
  assert_false(world.LetIn(Of(100)));
  world.h.upstreams.End(*world.h.upstreams.FindAddress(Of(12)));
  assert_true(world.LetIn(Of(101)));
  assert_false(world.LetIn(Of(102)));
}

// Whom the operator named is counted among no strangers, and does not go for them.
void APeerOnALineTakesNobodysShare(void**) {
  Peer named(Of(9, 100));
  World world(named.socket.address().port);
  msg::NetAssociation line;
  line.kind = msg::NetAssociationKind::kPeer;
  line.address = Of(9, 100);
  line.autokey = true;
  world.h.upstreams.Configure({line});
  named.id = *world.h.upstreams.FindAddress(line.address);
  world.Dance(&named);
  for (uint8_t last = 1; last <= kOfNetwork; ++last) assert_true(world.LetIn(Of(9, last)));
  assert_false(world.LetIn(Of(9, 200)));
  assert_true(world.Has(line.address));
  assert_int_equal(world.size(), kOfNetwork + 1);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ANetworkHasItsShare),
      cmocka_unit_test(AllNetworksTogetherHaveTheirs),
      cmocka_unit_test(WhoGoesMakesRoom),
      cmocka_unit_test(APeerOnALineTakesNobodysShare),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
