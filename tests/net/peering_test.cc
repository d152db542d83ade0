// Which strangers become peers, and which broadcasts are listened to: real sockets on loopback, the
// test as ntpd-keys.
#include "ntpd/net/peering.h"

#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using core::Access;
using test::CountOf;
using test::Enable;
using test::Encoded;
using test::Harness;
using test::Next;
using test::Stranger;
using wire::Mode;

const IpAddress kStranger = IpAddress::V4(127, 0, 0, 1);
const IpAddress kOurs = IpAddress::V4(127, 0, 0, 7);
const IpAddress kEverybody = IpAddress::V4(127, 255, 255, 255);

std::vector<uint8_t> Mac(uint32_t key) { return test::SomeMac({key}); }
wire::Header Packet(Mode mode) { return test::PacketOf(mode); }

struct Net {
  Net() {
    h.Attach(&peering);
    h.node.start.broadcast_client = true;
    Enable(stranger.fd.get(), SOL_SOCKET, SO_BROADCAST);
    h.upstreams.Configure({});
  }
  void Come(const wire::Header& header, Bytes trailer, const IpAddress& to = kOurs) {
    stranger.Send(Encoded(header, trailer), {to, port});
    h.Spin();
  }
  // False: keys was not asked.
  bool Judge(msg::VerdictCode code) {
    const auto check = Next<msg::CheckMac>(&h.keys.far);
    if (!check) return false;
    msg::Verdict verdict;
    verdict.request = check->request;
    verdict.code = code;
    CHECK(h.keys.far.Send(verdict) == SendOutcome::kSent);
    (void)h.node.keys.OnReadable();
    return true;
  }
  // Keys seals what it is asked to seal.
  std::optional<msg::SealRequest> Seal() {
    const auto request = Next<msg::SealRequest>(&h.keys.far);
    if (!request) return std::nullopt;
    msg::Sealed sealed;
    sealed.request = request->request;
    sealed.transmit = NtpTimestamp::FromRaw(77);
    CHECK(sealed.mac.Assign(Mac(request->key.value)));
    CHECK(h.keys.far.Send(sealed) == SendOutcome::kSent);
    (void)h.node.keys.OnReadable();
    return request;
  }
  size_t followed() const { return h.upstreams.all().size(); }
  AssocId Only() const { return h.Only(); }
  core::PeerSnapshot Snapshot() const { return h.Snapshot(); }

  Harness h;
  int changes = 0;
  Peering peering{&h.node, &h.upstreams, [this] { ++changes; }};
  uint16_t port = h.Listen();
  Stranger stranger{kStranger};
};

// ---------------------------------------------------------------------------- peers

void AGoodMacMakesAPassivePeer(void**) {
  Net net;
  net.Come(Packet(Mode::kSymmetricActive), Mac(11));
  assert_int_equal(net.followed(), 0);
  assert_true(net.Judge(msg::VerdictCode::kGood));
  const core::PeerSnapshot peer = net.Snapshot();
  assert_true(peer.hmode == Mode::kSymmetricPassive);
  assert_false(peer.status.configured);
  assert_int_equal(peer.key.value, 11);
  assert_true(peer.remote == net.stranger.address());
  assert_false(net.stranger.Receive().has_value());  // it is answered at its poll
}

void OnlyItsKeyCountsFromThenOn(void**) {
  Net net;
  net.Come(Packet(Mode::kSymmetricActive), Mac(11));
  assert_true(net.Judge(msg::VerdictCode::kGood));
  net.Come(Packet(Mode::kSymmetricActive), Mac(12));
  assert_false(net.Judge(msg::VerdictCode::kGood));
  assert_int_equal(net.followed(), 1);
  assert_int_equal(net.Snapshot().counters.bad_auth, 1);
}

void ABadMacIsAnsweredWithANakAndForgotten(void**) {
  for (const msg::VerdictCode code : {msg::VerdictCode::kBad, msg::VerdictCode::kUnknownKey}) {
    Net net;
    net.Come(Packet(Mode::kSymmetricActive), Mac(11));
    assert_true(net.Judge(code));
    assert_int_equal(net.followed(), 0);
    const auto answer = net.stranger.Receive();
    assert_true(answer && answer->bytes.size() == 52);
    assert_true(wire::ParsePacket(answer->bytes)->crypto_nak);
  }
}

void AKeyForOthersIsNotAnswered(void**) {
  Net net;
  net.Come(Packet(Mode::kSymmetricActive), Mac(11));
  assert_true(net.Judge(msg::VerdictCode::kNotAllowed));
  assert_int_equal(net.followed(), 0);
  assert_false(net.stranger.Receive().has_value());
}

// CVE-2015-7871: a crypto-NAK is four octets of zero, which anybody can send.
void ANakMobilisesNothing(void**) {
  const std::vector<uint8_t> nak(4, 0);
  Net net;
  for (const bool authentication : {true, false}) {
    net.h.node.start.authentication = authentication;
    for (const Mode mode :
         {Mode::kSymmetricActive, Mode::kSymmetricPassive, Mode::kServer, Mode::kBroadcast}) {
      net.Come(Packet(mode), nak);
      net.Come(Packet(mode), nak, kEverybody);
    }
  }
  assert_int_equal(net.followed(), 0);
  assert_int_equal(net.changes, 0);
  assert_int_equal(CountOf<msg::CheckMac>(&net.h.keys.far), 0);
}

void WithoutAMacOnlyIfAuthIsDisabled(void**) {
  Net net;
  net.Come(Packet(Mode::kSymmetricActive), {});
  assert_int_equal(net.followed(), 0);
  assert_true(net.stranger.Receive().has_value());  // answered as a client is
  net.h.node.start.authentication = false;
  net.Come(Packet(Mode::kSymmetricActive), {});
  assert_int_equal(net.followed(), 1);
}

void WhoMayNotPeerIsAnsweredUnderItsKey(void**) {
  Net net;
  net.h.Restrict(core::AccessFlags(static_cast<uint16_t>(Access::kNoEpeer)));
  const wire::Header packet = Packet(Mode::kSymmetricActive);
  net.Come(packet, Mac(11));
  assert_true(net.Judge(msg::VerdictCode::kGood));
  const auto seal = net.Seal();
  assert_true(seal && seal->key == KeyId{11});
  assert_int_equal(seal->covered.span()[0] & 7, 2);
  assert_int_equal(net.followed(), 0);
  const auto answer = net.stranger.Receive();
  assert_true(answer && answer->bytes.size() == 68);
  assert_true(answer->header().origin == packet.transmit);
  assert_true(answer->header().transmit == NtpTimestamp::FromRaw(77));  // as keys wrote it
}

void IppeerlimitHolds(void**) {
  Net net;
  net.h.node.access.SetDefault(Family::kIpv4, core::AccessFlags());
  core::AccessEntry entry;
  entry.address = kStranger;
  entry.mask = core::AccessList::Mask(Family::kIpv4, 32);
  entry.ippeerlimit = 1;
  net.h.node.access.Add(entry);
  net.Come(Packet(Mode::kSymmetricActive), Mac(11));
  assert_true(net.Judge(msg::VerdictCode::kGood));
  assert_int_equal(net.followed(), 1);
  Stranger second(kStranger);
  second.Send(Encoded(Packet(Mode::kSymmetricActive), Mac(11)), {kOurs, net.port});
  net.h.Spin();
  assert_true(net.Judge(msg::VerdictCode::kGood));
  assert_int_equal(net.followed(), 1);
}

void TwoPacketsAtOnceMakeOnePeer(void**) {
  Net net;
  for (int i = 0; i < 2; ++i)
    net.stranger.Send(Encoded(Packet(Mode::kSymmetricActive), Mac(11)), {kOurs, net.port});
  net.h.Spin();
  const auto first = Next<msg::CheckMac>(&net.h.keys.far);
  const auto second = Next<msg::CheckMac>(&net.h.keys.far);
  assert_true(first && second);
  for (const auto& check : {first, second}) {
    msg::Verdict verdict;
    verdict.request = check->request;
    verdict.code = msg::VerdictCode::kGood;
    CHECK(net.h.keys.far.Send(verdict) == SendOutcome::kSent);
  }
  (void)net.h.node.keys.OnReadable();
  assert_int_equal(net.followed(), 1);
}

// ---------------------------------------------------------------------------- broadcasts

void ABroadcastUnderAGoodMacIsListenedTo(void**) {
  Net net;
  net.Come(Packet(Mode::kBroadcast), Mac(11), kEverybody);
  assert_int_equal(net.followed(), 0);
  assert_true(net.Judge(msg::VerdictCode::kGood));
  assert_int_equal(net.followed(), 1);
  assert_int_equal(net.changes, 1);
  // It measures the path first.
  assert_true(net.Snapshot().hmode == Mode::kClient);
}

void OtherBroadcastsMakeNothing(void**) {
  Net net;
  net.Come(Packet(Mode::kBroadcast), {}, kEverybody);  // no MAC
  net.Come(Packet(Mode::kBroadcast), Mac(11), kOurs);  // to us alone
  wire::Header unsynchronised = Packet(Mode::kBroadcast);
  unsynchronised.leap = wire::Leap::kAlarm;
  net.Come(unsynchronised, Mac(11), kEverybody);
  assert_false(net.Judge(msg::VerdictCode::kGood));
  net.Come(Packet(Mode::kBroadcast), Mac(11), kEverybody);
  assert_true(net.Judge(msg::VerdictCode::kBad));
  net.h.node.start.broadcast_client = false;
  net.Come(Packet(Mode::kBroadcast), Mac(11), kEverybody);
  assert_false(net.Judge(msg::VerdictCode::kGood));
  assert_int_equal(net.followed(), 0);
  assert_false(net.stranger.Receive().has_value());
}

// CVE-2016-7427: what a forger sends must not make us refuse what the server sends next.
void AForgedBroadcastShutsNobodyOut(void**) {
  Net net;
  net.h.node.start.novolley = true;
  net.Come(Packet(Mode::kBroadcast), Mac(11), kEverybody);
  assert_true(net.Judge(msg::VerdictCode::kGood));
  assert_int_equal(net.Snapshot().counters.received, 0);
  wire::Header forged = Packet(Mode::kBroadcast);
  forged.transmit = forged.transmit + NtpDuration::FromSeconds(3600);
  forged.poll = 17;
  net.Come(forged, Mac(11), kEverybody);
  assert_true(net.Judge(msg::VerdictCode::kBad));
  const auto before = net.h.node.engine->Find(net.Only())->filter().samples();
  net.Come(Packet(Mode::kBroadcast), Mac(11), kEverybody);
  assert_true(net.Judge(msg::VerdictCode::kGood));
  assert_int_equal(net.h.node.engine->Find(net.Only())->filter().samples(), before + 1);
}

void AReloadForgetsWhatIsNoLongerHeard(void**) {
  Net net;
  net.Come(Packet(Mode::kBroadcast), Mac(11), kEverybody);
  assert_true(net.Judge(msg::VerdictCode::kGood));
  net.h.upstreams.Configure({});
  assert_int_equal(net.followed(), 1);
  // A peer is none of those.
  Stranger peer(IpAddress::V4(127, 0, 0, 9));
  peer.Send(Encoded(Packet(Mode::kSymmetricActive), Mac(12)), {kOurs, net.port});
  net.h.Spin();
  assert_true(net.Judge(msg::VerdictCode::kGood));
  assert_int_equal(net.followed(), 2);
  net.h.node.start.broadcast_client = false;
  net.h.upstreams.Configure({});
  assert_true(net.Snapshot().hmode == Mode::kSymmetricPassive);
}

void AGroupsServerGoesWithItsGroup(void**) {
  Net net;
  const IpAddress group = IpAddress::V4(224, 0, 1, 1);
  CHECK(net.h.node.start.multicast_groups.Push(group));
  Upstreams::Ephemeral server;
  server.mode = core::HostMode::kClient;
  server.listen = true;
  server.remote = net.stranger.address();
  server.heard = group;
  (void)net.h.upstreams.AddEphemeral(server);
  net.h.upstreams.Configure({});
  assert_int_equal(net.followed(), 1);
  net.h.node.start.multicast_groups.Clear();
  net.h.upstreams.Configure({});
  assert_int_equal(net.followed(), 0);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AGoodMacMakesAPassivePeer),
      cmocka_unit_test(OnlyItsKeyCountsFromThenOn),
      cmocka_unit_test(ABadMacIsAnsweredWithANakAndForgotten),
      cmocka_unit_test(AKeyForOthersIsNotAnswered),
      cmocka_unit_test(ANakMobilisesNothing),
      cmocka_unit_test(WithoutAMacOnlyIfAuthIsDisabled),
      cmocka_unit_test(WhoMayNotPeerIsAnsweredUnderItsKey),
      cmocka_unit_test(IppeerlimitHolds),
      cmocka_unit_test(TwoPacketsAtOnceMakeOnePeer),
      cmocka_unit_test(ABroadcastUnderAGoodMacIsListenedTo),
      cmocka_unit_test(OtherBroadcastsMakeNothing),
      cmocka_unit_test(AForgedBroadcastShutsNobodyOut),
      cmocka_unit_test(AReloadForgetsWhatIsNoLongerHeard),
      cmocka_unit_test(AGroupsServerGoesWithItsGroup),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
