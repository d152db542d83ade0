// Forgers of an Autokey server's broadcasts, and strangers who name themselves broadcast servers.
#include "tests/net/broadcast_world.h"

namespace ntpward::net {
namespace {

using autokey::test::kTestNow;
using autokey::test::Party;
using autokey::test::TestKey;
using test::Broadcast;
using test::BroadcastWorld;
using test::Encoded;
using test::kAnnouncer;
using test::kEverybody;
using test::kOther;
using test::kServer;
using test::Stranger;

// The server has lists under its own alone.
void MadeUpIdentifiersChangeNothing(void**) {
  BroadcastWorld world;
  world.Follow();
  world.ForgetQuestions();
  for (uint32_t i = 0; i < 20; ++i) world.Forge(0x6000 + i);
  world.AnswerOne();
  assert_int_equal(world.asked_as, kAnnouncer);
  assert_true(world.Genuine());
  for (int i = 0; i < 300; ++i) world.Pass();
  assert_false(world.socket.Receive().has_value());
}

// They put the new one off when it was started anew, by a few questions.
void MadeUpIdentifiersDoNotHideANewOne(void**) {
  BroadcastWorld world;
  world.Follow();
  world.RestartServer();
  int seconds = 0, asked = 0;
  for (bool good = false; !good; ++seconds) {
    assert_true(seconds < 5000);
    world.Forge(0x6000 + static_cast<uint32_t>(seconds));
    if (world.list.left() == 0) world.list = BroadcastWorld::NewList(world.hasher);
    if (seconds % 8 == 0) good = world.Genuine();
    world.asked_as = 0;
    world.AnswerForASecond();
    asked += world.asked_as != 0 ? 1 : 0;
  }
  assert_true(asked <= 4 + seconds / 8);
}

// It has the identifier that everybody can tell, however many others are named. Its listener was
// made by a forged one, too.
void AFloodOfIdentifiersDoesNotHideAServerOfOurs(void**) {
  BroadcastWorld world;
  world.announcer = autokey::CustomaryAnnouncer(kEverybody);
  uint32_t forged = 0x6000;
  const auto flood = [&] {
    for (int i = 0; i < 50; ++i) world.Forge(forged++);
  };
  flood();
  for (int i = 0; i < 40 && !world.listens(); ++i) {
    flood();
    world.Volley();
  }
  assert_true(world.Genuine());
  // Started anew it has no list at first.
  world.RestartServer();
  world.announcer = 0;
  int seconds = 0;
  for (bool good = false; !good; ++seconds) {
    assert_true(seconds < 60);
    flood();
    if (seconds == 10) world.announcer = autokey::CustomaryAnnouncer(kEverybody);
    if (seconds > 10 && seconds % 8 == 0) good = world.Genuine();
    world.AnswerForASecond();
  }
  assert_true(world.listens());
}

// The packet that made the association was forged, or the server was started anew during our
// volley.
void TheIdentifierIsLearnedDuringTheVolley(void**) {
  BroadcastWorld world;
  world.Forge(0x0815);
  for (int i = 0; i < 40 && !world.listens(); ++i) {
    if (i == 2) world.Send(world.Packet(Broadcast(), world.Name(), *world.list.Take()));
    world.Volley();
  }
  assert_true(world.upstream().announced->accepted());
  assert_true(world.Genuine());
}

// Only who answers us can have us ask: a forged list has a signature that does not fit, too.
void AForgedListBeginsNoRenewal(void**) {
  BroadcastWorld world;
  world.Follow();
  world.ForgetQuestions();
  auto forged = world.Announcement(world.now + 60, KeyId{0x70000001}, 3);
  forged.back() ^= 1;
  for (int i = 0; i < 20; ++i) {
    world.Send(world.Packet(Broadcast(), forged, KeyId{0x5fe916ea}));
    world.Pass(4);
    world.ServeKeys();
    assert_false(world.upstream().dance->renewing());
  }
  // One question for the list that a key out of order stood for.
  assert_true(world.socket.Receive().has_value());
  assert_false(world.socket.Receive().has_value());
  assert_true(world.Genuine());
}

// From the server's own address and port, as a forger on another network can write it.
void ForgedBroadcastsDoNoHarm(void**) {
  BroadcastWorld world;
  world.Follow();
  assert_true(world.Genuine());
  const KeyId used = world.list.taken();
  const auto honest = world.State();
  const auto later = [] {
    wire::Header header = Broadcast();
    header.transmit = header.transmit + NtpDuration::FromSeconds(3600);
    header.poll = 17;
    return header;
  };
  const uint32_t stamp = world.upstream().announced->timestamp().value;
  const KeyId announced = world.list.announced();
  auto unsigned_list = world.Announcement(stamp + 60, KeyId{0x70000001}, 3);
  unsigned_list.back() ^= 1;
  auto of_another = world.Announcement(stamp + 60, KeyId{0x70000001}, 3);
  of_another[7] ^= 1;
  const std::vector<uint8_t> nak(4, 0), junk(20, 0x5a);
  const std::vector<std::vector<uint8_t>> forged = {
      world.last,                                         // the very same again
      world.Packet(later(), world.Name(), used),          // the last key, other contents
      world.Packet(later(), world.Name(), announced),     // the end of the list
      world.Packet(later(), world.Name(), {0x5fe916ea}),  // a key of his own
      world.Packet(later(), world.Name(), {1}),
      world.Packet(later(), {}, {0x5fe916ea}),                                       // no field
      world.Packet(later(), world.Announcement(stamp - 60, {0x70000001}, 9), used),  // an old list
      world.Packet(later(), world.Announcement(stamp, announced, world.list.sequence()), used),
      world.Packet(later(), world.Announcement(stamp + 60, {0x70000001}, 100), used),
      world.Packet(later(), world.Announcement(stamp + 60, {0x70000001}, 0xffffffff), used),
      world.Packet(later(), unsigned_list, {0x5fe916ea}),
      world.Packet(later(), of_another, {0x5fe916ea}),
      Encoded(later(), nak),
      Encoded(later(), junk),
      Encoded(later()),
  };
  for (size_t i = 0; i < forged.size(); ++i) {
    const auto processed = world.h.node.packets.processed;
    world.Send(forged[i]);
    if (world.h.node.packets.processed != processed) fail_msg("forgery %zu was taken", i);
    if (world.State() != honest) fail_msg("forgery %zu changed something", i);
  }
  assert_true(world.Genuine());
}

// Whoever is at the server's address before it has proved itself gets no further by it.
void ForgeriesDuringTheDanceDoNoHarm(void**) {
  BroadcastWorld world;
  world.Send(world.Packet(Broadcast(), world.Name(), KeyId{0x5fe916ea}));
  for (int i = 0; i < 40 && !world.listens(); ++i) {
    const auto before = world.State();
    world.Send(world.Packet(Broadcast(), world.Name(), KeyId{0x5fe916eb}));
    world.Send(world.Packet(Broadcast(), world.Announcement(kTestNow, {0x70000001}, 9),
                            KeyId{0x5fe916ec}));
    world.Send(Encoded(Broadcast(), std::vector<uint8_t>(4, 0)));
    assert_true(world.State() == before);
    world.Volley();
  }
  assert_true(world.upstream().announced->accepted());
  assert_true(world.Genuine());
}

// Anyone can name himself a broadcast server, once for each address that he can write as his own.
void StrangersAreTriedFewAtATime(void**) {
  BroadcastWorld world;
  world.Follow();
  for (int i = 0; i < 20; ++i) {
    const IpAddress from = IpAddress::V4(127, 1, static_cast<uint8_t>(i + 1), 1);
    Stranger stranger(from);
    test::Enable(stranger.fd.get(), SOL_SOCKET, SO_BROADCAST);
    stranger.Send(world.h.WithPublicMac({from, kEverybody}, KeyId{0x5fe916ea},
                                        Encoded(Broadcast(), world.Name())),
                  {kEverybody, world.port});
    world.h.Spin();
  }
  assert_int_equal(world.h.upstreams.all().size(), 1 + 4);
  assert_true(world.Genuine());
}

// One of another group has the place of its network until it is refused, and goes for the server;
// that very address is not tried again then, before we are configured anew.
void ANeighbourOfAnotherGroupMakesRoom(void**) {
  BroadcastWorld world;
  Party neighbour("neighbour", TestKey::Shared(2), true, autokey::kIff);
  neighbour.Sign(kTestNow);
  const auto broadcast = [&] {
    world.other.Send(world.h.WithPublicMac(
                         {kOther, kEverybody}, KeyId{0x5fe916ea},
                         Encoded(Broadcast(), autokey::AssociationResponse(neighbour.host, 0x99))),
                     {kEverybody, world.port});
    world.h.Spin();
  };
  broadcast();
  assert_true(world.upstream().remote.ip == kOther);
  for (int i = 0; i < 40 && !world.upstream().refused; ++i) {
    // Before that it has the place of the network.
    if (i > 0) world.Send(world.Packet(Broadcast(), world.Name(), KeyId{0x5fe916ea}));
    assert_true(world.upstream().remote.ip == kOther);
    world.h.upstreams.Poll(world.upstream().id);
    world.ServeKeys();
    const auto request = world.other.Receive();
    if (!request) continue;
    const auto packet = *wire::ParsePacket(request->bytes);
    const auto field = test::ServersAnswer(&neighbour, packet.extensions()[0].field,
                                           {request->from.ip, kOther}, ++world.now);
    world.other.Send(world.h.WithPublicMac({kOther, request->from.ip}, packet.mac->key,
                                           Encoded(test::ReplyTo(packet.header), field)),
                     request->from);
    world.h.Spin();
    world.ServeKeys();
  }
  assert_true(world.upstream().refused);
  world.Send(world.Packet(Broadcast(), world.Name(), KeyId{0x5fe916ea}));
  assert_true(world.upstream().remote.ip == kServer);
  broadcast();
  for (int i = 0; i < 40 && !world.listens(); ++i) world.Volley();
  assert_true(world.Genuine());
  broadcast();
  assert_true(world.upstream().remote.ip == kServer);
  world.h.upstreams.Configure({});
  broadcast();
  assert_int_equal(world.h.upstreams.all().size(), 2);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(MadeUpIdentifiersChangeNothing),
      cmocka_unit_test(MadeUpIdentifiersDoNotHideANewOne),
      cmocka_unit_test(AFloodOfIdentifiersDoesNotHideAServerOfOurs),
      cmocka_unit_test(TheIdentifierIsLearnedDuringTheVolley),
      cmocka_unit_test(AForgedListBeginsNoRenewal),
      cmocka_unit_test(ForgedBroadcastsDoNoHarm),
      cmocka_unit_test(ForgeriesDuringTheDanceDoNoHarm),
      cmocka_unit_test(StrangersAreTriedFewAtATime),
      cmocka_unit_test(ANeighbourOfAnotherGroupMakesRoom),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
