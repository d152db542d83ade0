// Autokey between peers over real sockets and a real channel: the test is the peer and ntpd-keys.
#include "ntpd/autokey/peer_dance.h"
#include "ntpd/net/peering.h"
#include "ntpd/net/random.h"
#include "tests/net/harness.h"
#include "tests/support/authority.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;
using autokey::test::kTestNow;
using autokey::test::Party;
using autokey::test::TestKey;
using core::Access;
using wire::AutokeyCode;
using wire::Mode;

const IpAddress kPeer = IpAddress::V4(127, 0, 0, 2);
const IpAddress kOurs = IpAddress::V4(127, 0, 0, 1);

constexpr AssocId kPeersId{222};

struct World {
  // `configured`: the peer is on a line of ours; else it is a stranger.
  explicit World(bool configured = true) {
    server.Sign(kTestNow);
    h.SetHost(client.material);
    h.node.start.crypto_enabled = h.node.start.identity_optional = true;
    h.Attach(&peering);
    msg::NetAssociation line;
    line.kind = msg::NetAssociationKind::kPeer;
    line.address = kPeer;
    line.autokey = true;
    if (configured) h.upstreams.Configure({line});
  }

  AssocId Only() const {
    CHECK(h.upstreams.all().size() == 1);
    return h.upstreams.all().begin()->first;
  }
  const Upstream& upstream() const { return *h.upstreams.Find(Only()); }
  uint32_t flags() const { return upstream().peer == nullptr ? 0 : upstream().peer->flags(); }
  core::PeerSnapshot Snapshot() const {
    auto snapshot = *h.node.engine->Snapshot(Only(), Timebase::Mono());
    snapshot.until_poll = snapshot.headway = snapshot.root_distance = snapshot.dispersion = 0;
    snapshot.filter = {};
    snapshot.since_received.reset();
    snapshot.since_reachable.reset();
    snapshot.counters = {};
    snapshot.flash = 0;
    return snapshot;
  }
  int samples() const { return h.node.engine->Find(Only())->filter().samples(); }

  // --- ntpd-keys

  void ServeKeys() {
    h.ServeKeys([this](Bytes message) { ServeOne(message); });
  }
  void ServeOne(Bytes bytes) {
    msg::KeyListMake make;
    msg::KeyListTake take;
    msg::KeyListAccept accept;
    msg::CookieIssue issue;
    msg::SealRequest seal;
    msg::CheckMac check;
    if (msg::Decode(bytes, &make)) {
      CHECK(make.association == Only() && make.path.source == kOurs);
      h.SayAsKeys(ListAnswer(client, make.request, make.now.value));
    } else if (msg::Decode(bytes, &take)) {
      h.SayAsKeys(msg::KeyListTaken{.request = take.request, .key = KeyId{++last_key}, .left = 50});
    } else if (msg::Decode(bytes, &accept)) {
      CHECK(accept.association == Only() && accept.path == (AddressPair{kPeer, kOurs}));
      ++accepted;
      h.SayAsKeys(msg::Verdict{.request = accept.request, .code = msg::VerdictCode::kGood});
    } else if (msg::Decode(bytes, &issue)) {
      CHECK(issue.association == Only());
      msg::ValueAnswer answer = client.Answer(issue);
      answer.request = issue.request;
      h.SayAsKeys(answer);
    } else if (msg::Decode(bytes, &seal)) {
      CHECK(seal.association == Only() && seal.key == KeyId{last_key});
      msg::Sealed sealed{.request = seal.request, .transmit = SystemTimeNow()};
      CHECK(sealed.mac.Assign(SomeMac(seal.key)));
      h.SayAsKeys(sealed);
    } else if (msg::Decode(bytes, &check)) {
      ++checks;
      h.SayAsKeys(msg::Verdict{.request = check.request, .code = verdict});
    } else {
      msg::ForgetAssociation forget;
      CHECK(msg::Decode(bytes, &forget));
      ++forgotten;
    }
  }
  static msg::ValueAnswer ListAnswer(const Party& party, uint32_t request, uint32_t now) {
    const std::array<uint8_t, 8> value = {0x11, 0x22, 0x33, 0x44, 0, 0, 0, 50};
    msg::ValueAnswer answer = party.Signed(now, now == 0 ? 0 : kTestNow, value);
    answer.request = request;
    return answer;
  }

  // --- the peer

  autokey::DanceContext PeersContext() {
    return {server.host, server.certificates, MonoTime(), NtpSeconds{++now}, true};
  }
  // What we send at a poll; none when nothing came.
  std::optional<Stranger::Got> Poll() {
    h.upstreams.Poll(Only());
    ServeKeys();
    return peer.Receive();
  }
  wire::Header Header(NtpTimestamp origin, Mode mode = Mode::kSymmetricActive) {
    wire::Header header;
    header.leap = wire::Leap::kNone;
    header.mode = mode;
    header.stratum = 2;
    header.poll = 6;
    header.precision = -20;
    header.refid = 0x0a000001;
    header.origin = origin;
    header.receive = header.reference = header.transmit = SystemTimeNow();
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
  // The peer's dance takes our packet and says what it answers.
  std::vector<uint8_t> Answer(const Stranger::Got& got) {
    const auto packet = *wire::ParsePacket(got.bytes);
    for (const wire::Extension& field : packet.extensions())
      Run(dance.OnField(field.field, true, PeersContext()));
    if (dance.DueList(6, PeersContext())) CHECK(dance.OnListMade(ListAnswer(server, 1, now)));
    dance.OnKeyTaken(20);
    return dance.NextPacket(PeersContext()).fields;
  }
  void Run(const autokey::PeerResult& result) {
    if (result.question)
      (void)dance.OnValue(result.question->ticket, server.Answer(result.question->operation));
    if (result.accept) dance.OnListVerdict(msg::VerdictCode::kGood);
    for (const auto& job : result.dance.jobs)
      (void)dance.OnVerdict(job.ticket, msg::VerdictCode::kGood, PeersContext());
  }
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
  Peering peering{&h.node, &h.upstreams, [this] { ++changes; }};
  uint16_t port = h.Listen();
  Party server{"server", TestKey::Shared(0), true};
  Party client{"client", TestKey::Shared(1), true};
  autokey::PeerDance dance{kPeersId, {.optional_here = true}, 12, {kPeer, kOurs}, MonoTime()};
  msg::VerdictCode verdict = msg::VerdictCode::kGood;
  uint32_t now = kTestNow;
  uint32_t last_key = 100000, peers_key = 300000;
  int changes = 0, checks = 0, accepted = 0, forgotten = 0;
};

AutokeyCode CodeOf(const Stranger::Got& got, size_t field = 0) {
  const auto packet = *wire::ParsePacket(got.bytes);
  CHECK(packet.extensions().size() > field);
  return static_cast<AutokeyCode>(packet.extensions()[field].field[1]);
}

std::vector<uint8_t> AssociationRequest(Party& party) {
  return autokey::AssociationRequest(party.host, kPeersId);
}

// ---------------------------------------------------------------------------- a peer on a line

void APeerIsFollowedOnceItsListIsSigned(void**) {
  World world;
  const auto first = world.Poll();
  assert_true(first && CodeOf(*first) == AutokeyCode::kAssociation);
  assert_true(first->header().mode == Mode::kSymmetricActive);
  assert_int_equal(wire::ParsePacket(first->bytes)->mac->key.value, world.last_key);
  world.Come(world.WithFields(world.Header(first->header().transmit), world.Answer(*first)));
  assert_int_not_equal(world.flags(), 0);
  world.Follow();
  assert_int_equal(world.accepted, 1);
  // The packet that announced it counts, as its key comes next.
  assert_int_equal(world.checks, 1);
  assert_int_equal(world.samples(), 1);
  const auto answered = world.Poll();
  world.Come(Encoded(world.Header(answered->header().transmit), SomeMac({++world.peers_key})));
  assert_int_equal(world.samples(), 2);
  // Nothing was asked, and there is nothing to ask without time: a bare header, sealed by
  // ntpd-keys.
  const auto bare = world.Poll();
  assert_true(bare && wire::ParsePacket(bare->bytes)->extensions().empty());
}

void WhatDoesNotAnswerUsProvesNothing(void**) {
  World world;
  const auto first = world.Poll();
  const std::vector<uint8_t> answer = world.Answer(*first);
  const core::PeerSnapshot before = world.Snapshot();
  const NtpTimestamp other = first->header().transmit + NtpDuration::FromSeconds(1e-6);
  for (const NtpTimestamp origin : {NtpTimestamp(), other})
    world.Come(world.WithFields(world.Header(origin), answer));
  auto broken = world.WithFields(world.Header(first->header().transmit), answer);
  broken.back() ^= 1;
  world.Come(broken);
  world.Come(Encoded(world.Header(first->header().transmit), answer));  // no MAC
  assert_int_equal(world.flags(), 0);
  assert_true(world.Snapshot() == before);
  world.Come(world.WithFields(world.Header(first->header().transmit), answer));
  assert_int_not_equal(world.flags(), 0);
}

// Both ends' origins are at stake: the peer, too, drops an answer to what it never sent.
void ForgedPacketsDoNotTakeTheGenuineOnesPlace(void**) {
  World world;
  const auto flood = [&] {
    for (int i = 0; i < 10; ++i)
      world.Come(world.WithFields(world.Header(NtpTimestamp()), AssociationRequest(world.server)));
  };
  auto got = world.Poll();
  for (int i = 0; i < 12; ++i) {
    flood();
    const wire::Header genuine = world.Header(got->header().transmit);
    world.Come(world.WithFields(genuine, world.Answer(*got), {++world.peers_key}));
    if (world.upstream().peer->follows_list()) return;
    flood();
    got = world.Poll();
    assert_true(got && got->header().origin == genuine.transmit);
  }
  fail_msg("the list was not followed");
}

void ABareHeaderBeforeTheListIsNotLookedAt(void**) {
  World world;
  const auto first = world.Poll();
  const core::PeerSnapshot before = world.Snapshot();
  world.Come(Encoded(world.Header(first->header().transmit), SomeMac({99999})));
  assert_int_equal(world.checks, 0);
  assert_true(world.Snapshot() == before);
}

void AWrongKeyChangesNothing(void**) {
  World world;
  world.Follow();
  (void)world.Poll();
  const core::PeerSnapshot before = world.Snapshot();
  const uint32_t flags = world.flags();
  const int checks = world.checks;
  for (const msg::VerdictCode code :
       {msg::VerdictCode::kBad, msg::VerdictCode::kSequence, msg::VerdictCode::kUnknownKey}) {
    world.verdict = code;
    world.Come(Encoded(world.Header(NtpTimestamp()), SomeMac({99999})));
    world.Come(world.WithFields(world.Header(NtpTimestamp()), AssociationRequest(world.server)));
  }
  assert_int_equal(world.checks, checks + 6);
  assert_true(world.Snapshot() == before);
  assert_int_equal(world.flags(), flags);
  assert_true(world.upstream().peer->follows_list());
}

void OnlyANakThatAnswersOurLastPacketStartsOver(void**) {
  World world;
  world.Follow();
  const auto got = world.Poll();
  const std::vector<uint8_t> nak(4, 0);
  world.Come(Encoded(world.Header(NtpTimestamp()), nak));
  world.Come(Encoded(world.Header(NtpTimestamp::FromRaw(got->header().transmit.raw() ^ 1)), nak));
  assert_int_not_equal(world.flags(), 0);
  assert_int_equal(world.forgotten, 0);
  world.Come(Encoded(world.Header(got->header().transmit), nak));
  assert_int_equal(world.flags(), 0);
  assert_int_equal(world.forgotten, 1);
  world.Follow();
}

void TheLossOfKeysIsAskedFor(void**) {
  World world;
  world.Follow();
  world.h.upstreams.OnKeysRestarted();
  assert_false(world.upstream().peer->follows_list());
  world.Follow();
  assert_int_equal(world.accepted, 2);
}

// ---------------------------------------------------------------------------- strangers

// The first packet of a stranger, and our answer to it.
Stranger::Got FirstAnswerTo(World& world, Stranger& stranger, const wire::Header& header) {
  const IpAddress from = stranger.address().ip;
  const auto question = world.h.WithPublicMac({from, kOurs}, {88888},
                                              Encoded(header, AssociationRequest(world.server)));
  stranger.Send(question, {kOurs, world.port});
  world.h.Spin();
  const auto answer = stranger.Receive();
  CHECK(answer && answer->bytes.size() <= question.size());
  CHECK(answer->header().mode == Mode::kSymmetricPassive);
  CHECK(answer->header().origin == header.transmit);
  return *answer;
}

void AStrangerIsTriedWhenItHasSentOurTimeBack(void**) {
  World world(false);
  const auto first = FirstAnswerTo(world, world.peer, world.Header(NtpTimestamp()));
  assert_true(CodeOf(first) == AutokeyCode::kNull);
  assert_true(wire::ParsePacket(first.bytes)->field_count == 1);
  assert_true(world.h.upstreams.all().empty());
  assert_true(world.h.node.engine->Ids().empty());
  assert_int_equal(world.changes, 0);
  // Nothing tells it from a packet of an association, so that its next one says the same again.
  const wire::Header header = world.Header(first.header().transmit);
  world.Come(world.WithFields(header, world.Answer(first)));
  const core::PeerSnapshot peer = world.Snapshot();
  assert_true(peer.hmode == Mode::kSymmetricPassive);
  assert_false(peer.status.configured);
  assert_int_equal(world.changes, 1);
  assert_false(world.upstream().failure.has_value());
  // It is answered at its poll. Its name is known, as it heard us.
  assert_false(world.peer.Receive().has_value());
  const auto answer = world.Poll();
  assert_true(answer && answer->header().origin == header.transmit);
  assert_true(answer->header().mode == Mode::kSymmetricPassive);
  assert_true(CodeOf(*answer) == AutokeyCode::kAssociation);
  assert_true(CodeOf(*answer, 1) == AutokeyCode::kCertificate);
  world.Come(world.WithFields(world.Header(answer->header().transmit), world.Answer(*answer)));
  world.Follow();
}

// As peers of the reference's kind, which say before it that they cannot do what was asked.
void WhatIsSaidOfTheFirstAnswerIsNoFailure(void**) {
  World world(false);
  const auto first = FirstAnswerTo(world, world.peer, world.Header(NtpTimestamp()));
  std::vector<uint8_t> fields(wire::kShortFieldSize);
  Writer writer(fields);
  wire::EncodeErrorField(writer, autokey::kFirstAnswerField);
  const auto request = AssociationRequest(world.server);
  fields.insert(fields.end(), request.begin(), request.end());
  world.Come(world.WithFields(world.Header(first.header().transmit), fields));
  assert_false(world.upstream().failure.has_value());
  const auto answer = world.Poll();
  assert_true(answer && CodeOf(*answer) == AutokeyCode::kAssociation);
}

void OnlyWhoGotAnAnswerCanSendItsTimeBack(void**) {
  World world(false);
  const NtpTimestamp told =
      FirstAnswerTo(world, world.peer, world.Header(NtpTimestamp())).header().transmit;
  const auto come = [&](Stranger& stranger, NtpTimestamp origin) {
    stranger.Send(
        world.h.WithPublicMac({stranger.address().ip, kOurs}, {88888},
                              Encoded(world.Header(origin), AssociationRequest(world.server))),
        {kOurs, world.port});
    world.h.Spin();
    return !world.h.upstreams.all().empty();
  };
  for (int bit = 0; bit < 64; ++bit)
    assert_false(come(world.peer, NtpTimestamp::FromRaw(told.raw() ^ uint64_t{1} << bit)));
  Stranger other_port(kPeer), other_address(IpAddress::V4(127, 0, 0, 3));
  assert_false(come(other_port, told));
  assert_false(come(other_address, told));
  assert_true(come(world.peer, told));
}

bool IsNak(const std::optional<Stranger::Got>& got) {
  return got && got->bytes.size() == 52 && wire::ParsePacket(got->bytes)->crypto_nak;
}

// A peer that we had before we were started anew.
void WhoGoesOnWithAPeerThatWeForgotIsToldSo(void**) {
  World world(false);
  const wire::Header header = world.Header(NtpTimestamp());
  const std::vector<std::vector<uint8_t>> packets = {
      Encoded(header, SomeMac({99999})),
      world.WithFields(header, autokey::AnnouncementRequest(5)),
      world.WithFields(header, autokey::AssociationResponse(world.server.host, 5)),
  };
  for (const auto& packet : packets) {
    world.Come(packet);
    const auto answer = world.peer.Receive();
    assert_true(IsNak(answer));
    assert_true(answer->header().origin == header.transmit);
  }
  auto broken = world.WithFields(header, AssociationRequest(world.server));
  broken.back() ^= 1;
  world.Come(broken);
  assert_true(IsNak(world.peer.Receive()));
  assert_true(world.h.upstreams.all().empty());
}

void WhoMayNotPeerMakesNothing(void**) {
  const auto come = [](World& world) {
    world.Come(world.WithFields(world.Header(NtpTimestamp()), AssociationRequest(world.server)));
    return world.h.upstreams.all().empty();
  };
  World forbidden(false);
  forbidden.h.Restrict(core::AccessFlags(static_cast<uint16_t>(Access::kNoEpeer)));
  assert_true(come(forbidden));
  assert_false(forbidden.peer.Receive().has_value());
  // Without keys of our own nobody can be believed.
  World keyless(false);
  keyless.h.node.has_material = false;
  assert_true(come(keyless));
  assert_false(keyless.peer.Receive().has_value());
  keyless.h.node.start.crypto_enabled = false;
  assert_true(come(keyless));
  assert_true(IsNak(keyless.peer.Receive()));
}

// ASSOC of somebody who writes that address as his own, and does not hear what is sent there.
void ForgeAs(World& world, const IpAddress& from) {
  Stranger(from).Send(world.h.WithPublicMac(
                          {from, kOurs}, {88888},
                          Encoded(world.Header(NtpTimestamp()), AssociationRequest(world.server))),
                      {kOurs, world.port});
  world.h.Spin();
}
// Somebody who is there.
void ComeAs(World& world, const IpAddress& from) {
  Stranger stranger(from);
  const auto first = FirstAnswerTo(world, stranger, world.Header(NtpTimestamp()));
  stranger.Send(world.h.WithPublicMac({from, kOurs}, {88888},
                                      Encoded(world.Header(first.header().transmit),
                                              AssociationRequest(world.server))),
                {kOurs, world.port});
  world.h.Spin();
}
// Somebody of a network of his own.
IpAddress Of(uint8_t network) { return IpAddress::V4(127, 0, network, 1); }
void ComeAs(World& world, uint8_t network) { ComeAs(world, Of(network)); }
// As if they had come earlier.
void Age(World& world, double seconds) {
  for (const auto& [id, upstream] : world.h.upstreams.all()) {
    const core::Trial trial =
        std::exchange(upstream->trial, core::Trial(upstream->trial.since() + -seconds));
    upstream->trial.Note(upstream->peer->dance().progress(), false, trial.advanced() + -seconds);
  }
}
bool Has(const World& world, uint8_t network) { return world.h.upstreams.Has(Of(network)); }

void FewStrangersAreTriedAtOnce(void**) {
  World world(false);
  for (uint8_t network = 10; network < 30; ++network) ComeAs(world, network);
  assert_int_equal(world.h.upstreams.all().size(), 4);
}

// Each of another network, as one who makes addresses up can choose.
void Flood(World& world, int count) {
  for (int i = 0; i < count; ++i) {
    const auto random = static_cast<uint32_t>(RandomNumber());
    ForgeAs(world, IpAddress::V4(127, static_cast<uint8_t>(1 + random % 250),
                                 static_cast<uint8_t>(random >> 8), 1));
  }
}

// How many packets a newcomer sends until we try it, each with `forged` others before it.
int PacketsUntilTried(int forged) {
  World world(false);
  NtpTimestamp origin;
  for (int packets = 1; packets <= 10; ++packets) {
    Flood(world, forged);
    world.Come(world.WithFields(world.Header(origin), AssociationRequest(world.server)));
    if (world.h.upstreams.Has(kPeer)) return packets;
    const auto answer = world.peer.Receive();
    if (answer) origin = answer->header().transmit;
  }
  return -1;
}

void AFloodOfFirstPacketsTakesNoPlaceAndNoTime(void**) {
  assert_int_equal(PacketsUntilTried(0), 2);
  // Its packets come 2 s apart.
  assert_int_equal(PacketsUntilTried(2000), 2);
}

void NeighboursHaveOnePlace(void**) {
  World world(false);
  for (uint8_t last = 10; last < 30; ++last) ComeAs(world, IpAddress::V4(127, 0, 9, last));
  assert_int_equal(world.h.upstreams.all().size(), 1);
  ComeAs(world, 30);
  assert_true(Has(world, 30));
}

void WhoAnsweredUsKeepsItsPlace(void**) {
  World world(false);
  for (uint8_t network = 10; network < 14; ++network) ComeAs(world, network);
  Age(world, 60);
  for (uint8_t network = 20; network < 40; ++network) ComeAs(world, network);
  assert_int_equal(world.h.upstreams.all().size(), 4);
  for (uint8_t network = 10; network < 14; ++network) assert_true(Has(world, network));
}

// It speaks Autokey, and proves nothing.
void WhoAnswersForeverWithoutGettingFurtherMakesRoom(void**) {
  World world(false);
  ComeAs(world, 10);
  Age(world, 10);
  for (uint8_t network = 11; network < 14; ++network) ComeAs(world, network);
  Age(world, core::kStandstillSeconds - 11);
  ComeAs(world, 23);
  assert_true(Has(world, 10) && !Has(world, 23));
  Age(world, 2);
  ComeAs(world, 23);
  assert_true(!Has(world, 10) && Has(world, 23));
  assert_int_equal(world.h.upstreams.all().size(), 4);
}

// A real peer stays, whatever comes after it and however often.
void WhoProvedItselfGoesForNobody(void**) {
  World world(false);
  const auto first = FirstAnswerTo(world, world.peer, world.Header(NtpTimestamp()));
  world.Come(world.WithFields(world.Header(first.header().transmit), world.Answer(first)));
  world.Follow();
  assert_true(world.upstream().peer->identified());
  const AssocId id = world.Only();
  for (int hour = 0; hour < 10; ++hour) {
    Age(world, 3600);
    world.h.upstreams.Maintain(Timebase::Mono());
    for (uint8_t network = 10; network < 30; ++network) ComeAs(world, network);
    assert_int_equal(world.h.upstreams.all().size(), 5);
    assert_non_null(world.h.upstreams.Find(id));
  }
}

// Each of them is refused with a line, and the lines are few.
void AFloodThatNoepeerForbidsHidesNoEvents(void**) {
  World world(false);
  world.h.Restrict(Access::kNoEpeer);
  int refused = 0, events = 0;
  const auto drain = [&] {
    while (const auto bytes = world.h.supervisor.far.Receive()) {
      msg::LogLine line;
      if (!msg::Decode(*bytes, &line)) continue;
      refused += line.text.text().find("no association") != std::string_view::npos;
      events += line.text.text().find("unreachable") != std::string_view::npos;
    }
  };
  for (int i = 0; i < 2; ++i)
    for (int network = 10; network < 230; ++network) {
      ForgeAs(world, Of(static_cast<uint8_t>(network)));
      drain();
    }
  assert_true(world.h.upstreams.all().empty());
  assert_in_range(refused, 100, 110);
  for (int i = 0; i < 50; ++i)
    world.h.node.reporter.Event(
        {.id = AssocId{9}, .code = static_cast<uint8_t>(wire::PeerEvent::kUnreachable)},
        "10.0.0.2");
  drain();
  assert_int_equal(events, 50);
}

// Each kind has places of its own.
void ForgedBroadcastsTakeNoPeersPlace(void**) {
  World world(false);
  world.h.node.start.broadcast_client = true;
  const IpAddress everybody = IpAddress::V4(127, 255, 255, 255);
  for (uint8_t network = 10; network < 30; ++network) {
    const IpAddress from = Of(network);
    Stranger stranger(from);
    Enable(stranger.fd.get(), SOL_SOCKET, SO_BROADCAST);
    stranger.Send(
        world.h.WithPublicMac({from, everybody}, {88888},
                              Encoded(world.Header(NtpTimestamp(), Mode::kBroadcast),
                                      autokey::AssociationResponse(world.server.host, 5))),
        {everybody, world.port});
    world.h.Spin();
  }
  assert_int_equal(world.h.upstreams.all().size(), 4);
  ComeAs(world, 40);
  assert_true(Has(world, 40));
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(APeerIsFollowedOnceItsListIsSigned),
      cmocka_unit_test(WhatDoesNotAnswerUsProvesNothing),
      cmocka_unit_test(ForgedPacketsDoNotTakeTheGenuineOnesPlace),
      cmocka_unit_test(ABareHeaderBeforeTheListIsNotLookedAt),
      cmocka_unit_test(AWrongKeyChangesNothing),
      cmocka_unit_test(OnlyANakThatAnswersOurLastPacketStartsOver),
      cmocka_unit_test(TheLossOfKeysIsAskedFor),
      cmocka_unit_test(AStrangerIsTriedWhenItHasSentOurTimeBack),
      cmocka_unit_test(WhatIsSaidOfTheFirstAnswerIsNoFailure),
      cmocka_unit_test(OnlyWhoGotAnAnswerCanSendItsTimeBack),
      cmocka_unit_test(WhoGoesOnWithAPeerThatWeForgotIsToldSo),
      cmocka_unit_test(WhoMayNotPeerMakesNothing),
      cmocka_unit_test(FewStrangersAreTriedAtOnce),
      cmocka_unit_test(AFloodOfFirstPacketsTakesNoPlaceAndNoTime),
      cmocka_unit_test(NeighboursHaveOnePlace),
      cmocka_unit_test(WhoAnsweredUsKeepsItsPlace),
      cmocka_unit_test(WhoAnswersForeverWithoutGettingFurtherMakesRoom),
      cmocka_unit_test(WhoProvedItselfGoesForNobody),
      cmocka_unit_test(ForgedBroadcastsTakeNoPeersPlace),
      cmocka_unit_test(AFloodThatNoepeerForbidsHidesNoEvents),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
