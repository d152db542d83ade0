// Peers under Autokey that nobody configured: who is tried, how many, and who makes room for whom.
#include "ntpd/net/random.h"
#include "tests/net/peer_world.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;
using World = PeerWorld;
using core::Access;
using wire::AutokeyCode;
using wire::Mode;

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
      world.WithFields(header, autokey::AssociationResponse(world.server.party.host, 5)),
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
IpAddress Neighbour(uint8_t last) { return IpAddress::V4(127, 0, 9, last); }
bool HasNeighbour(const World& world, uint8_t last) {
  return world.h.upstreams.Has(Neighbour(last));
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

int LinesOf(World& world, std::string_view part) {
  int lines = 0;
  while (const auto bytes = world.h.supervisor.far.Receive()) {
    msg::LogLine line;
    lines += msg::Decode(*bytes, &line) && line.text.text().find(part) != std::string_view::npos;
  }
  return lines;
}

void WhoFindsNoPlaceIsSpokenOfNowAndThen(void**) {
  World world(false);
  ComeAs(world, Neighbour(1));
  for (uint8_t last = 2; last < 10; ++last) ComeAs(world, Neighbour(last));
  assert_int_equal(
      LinesOf(world, "127.0.9.2: no association yet: 127.0.9.1, another peer of its network, has"),
      1);
  World full(false);
  for (uint8_t network = 10; network < 18; ++network) ComeAs(full, network);
  assert_int_equal(LinesOf(full, "127.0.14.1: no association yet: 4 other peers have"), 1);
}

// It would hold the place from one half hour to the next, as it is the first to know of the end.
void WhoKeptOthersOutWaitsForThem(void**) {
  World world(false);
  const auto half_an_hour = [&] {
    Age(world, 2000);
    world.h.upstreams.Maintain(Timebase::Mono());
    assert_true(world.h.upstreams.all().empty());
  };
  ComeAs(world, Neighbour(1));
  half_an_hour();
  // Nobody else wanted it.
  ComeAs(world, Neighbour(1));
  assert_true(HasNeighbour(world, 1));
  ComeAs(world, Neighbour(2));
  assert_false(HasNeighbour(world, 2));
  half_an_hour();
  ComeAs(world, Neighbour(1));
  assert_false(HasNeighbour(world, 1));
  ComeAs(world, Neighbour(2));
  assert_true(HasNeighbour(world, 2));
  // Our keys are others now.
  world.h.upstreams.OnHostMaterial({.certificate = true, .key = true, .signer = true});
  half_an_hour();
  ComeAs(world, Neighbour(1));
  assert_true(HasNeighbour(world, 1));
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

// A client in symmetric modes: it asks what only those ask who have accepted our certificate, and
// answers us. Of itself it proves nothing.
void FollowAs(World& world, const IpAddress& from) {
  Stranger stranger(from);
  const auto say = [&](const Stranger::Got& got, Bytes fields) {
    stranger.Send(world.h.WithPublicMac({from, kOurs}, {88888},
                                        Encoded(world.Header(got.header().transmit), fields)),
                  {kOurs, world.port});
    world.h.Spin();
  };
  say(FirstAnswerTo(world, stranger, world.Header(NtpTimestamp())),
      AssociationRequest(world.server));
  const auto id = world.h.upstreams.FindAddress(from);
  CHECK(id.has_value());
  world.h.upstreams.Poll(*id);
  world.h.ServeKeys(
      [&](Bytes message) { (void)world.keys.Serve(&world.h, message, [](const auto&) {}); });
  const auto polled = stranger.Receive();
  CHECK(polled.has_value());
  say(*polled, autokey::AnnouncementRequest(kPeersId.value));
}

// Its neighbours come, we read our keys again, and half an hour is over.
void WhoFollowsUsGoesForNobody(void**) {
  World world(false);
  FollowAs(world, Neighbour(1));
  const AssocId id = world.Only();
  ComeAs(world, Neighbour(2));
  assert_true(HasNeighbour(world, 2));
  world.h.upstreams.OnHostMaterial({.certificate = true, .key = true, .signer = true});
  Age(world, core::kStandstillSeconds + 1);
  ComeAs(world, Neighbour(3));
  assert_true(HasNeighbour(world, 1) && !HasNeighbour(world, 2) && HasNeighbour(world, 3));
  Age(world, 2000);
  world.h.upstreams.Maintain(Timebase::Mono());
  assert_int_equal(world.Only().value, id.value);
  // It is believed in nothing.
  assert_false(world.upstream().peer->identified());
  // Whoever visits us once in hours holds no place for that.
  world.h.upstreams.Maintain(Timebase::Mono() + 100);
  assert_true(HasNeighbour(world, 1));
  world.h.upstreams.Maintain(Timebase::Mono() + 4 * 1024);
  assert_false(HasNeighbour(world, 1));
}

// It sends bare headers when all is said, and takes time from what answers the last of them.
void TheBareHeadersOfAFollowerAreAnswered(void**) {
  World world(false);
  const auto first = FirstAnswerTo(world, world.peer, world.Header(NtpTimestamp()));
  world.Come(
      world.WithFields(world.Header(first.header().transmit), AssociationRequest(world.server)));
  auto polled = world.Poll();
  assert_true(polled.has_value());
  const auto bare = [&] {
    const wire::Header header = world.Header(polled->header().transmit);
    world.Come(Encoded(header, SomeMac({99999})));
    polled = world.Poll();
    assert_true(polled.has_value());
    return polled->header().origin == header.transmit;
  };
  assert_false(bare());
  world.Come(world.WithFields(world.Header(polled->header().transmit),
                              autokey::AnnouncementRequest(kPeersId.value)));
  polled = world.Poll();
  assert_true(polled.has_value());
  assert_true(bare());
  assert_int_equal(world.samples(), 0);
}

// Anybody who has addresses can follow us. Those beyond the share are tried like others.
void FollowersOfANetworkHaveTheirShare(void**) {
  World world(false);
  constexpr auto kShare = static_cast<uint8_t>(core::kMostLetInOfNetwork);
  for (uint8_t last = 1; last <= kShare + 1; ++last) FollowAs(world, Neighbour(last));
  ComeAs(world, Neighbour(100));
  assert_false(HasNeighbour(world, 100));
  Age(world, core::kStandstillSeconds + 1);
  ComeAs(world, Neighbour(100));
  assert_true(HasNeighbour(world, 100));
  assert_false(HasNeighbour(world, kShare + 1));
  for (uint8_t last = 1; last <= kShare; ++last) assert_true(HasNeighbour(world, last));
  // Those of other networks come as before.
  ComeAs(world, 30);
  assert_true(Has(world, 30));
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
                                      autokey::AssociationResponse(world.server.party.host, 5))),
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
      cmocka_unit_test(WhoFindsNoPlaceIsSpokenOfNowAndThen),
      cmocka_unit_test(WhoKeptOthersOutWaitsForThem),
      cmocka_unit_test(WhoProvedItselfGoesForNobody),
      cmocka_unit_test(WhoFollowsUsGoesForNobody),
      cmocka_unit_test(TheBareHeadersOfAFollowerAreAnswered),
      cmocka_unit_test(FollowersOfANetworkHaveTheirShare),
      cmocka_unit_test(ForgedBroadcastsTakeNoPeersPlace),
      cmocka_unit_test(AFloodThatNoepeerForbidsHidesNoEvents),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
