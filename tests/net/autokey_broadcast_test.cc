// A broadcast server under Autokey is followed, from list to list.
#include "tests/net/broadcast_world.h"

namespace ntpward::net {
namespace {

using autokey::test::kTestNow;
using test::Broadcast;
using test::BroadcastWorld;
using test::Encoded;
using test::kAnnouncer;
using test::kServer;
using wire::AutokeyCode;

void AServerThatProvedItselfIsListenedTo(void**) {
  BroadcastWorld world;
  world.Follow();
  for (int i = 0; i < 5; ++i) assert_true(world.Genuine());
  // A list that goes on with some lost.
  for (int i = 0; i < 3; ++i) (void)world.list.Take();
  assert_true(world.Genuine());
}

// `novolley`: nobody may be asked, so nobody can prove anything. No association, which would wait
// for proofs for ever, and no question. The same packet makes one where asking is allowed.
void WithoutAVolleyNothingIsAskedOfABroadcastServer(void**) {
  for (const bool novolley : {true, false}) {
    BroadcastWorld world;
    world.h.node.start.novolley = novolley;
    world.Send(world.Packet(Broadcast(), world.NameAs(kAnnouncer), *world.list.Take()));
    world.ServeKeys();
    assert_int_equal(world.h.upstreams.all().size(), novolley ? 0 : 1);
    if (!novolley) world.h.upstreams.Poll(world.upstream().id);
    world.Pass();
    assert_int_equal(world.socket.Receive().has_value(), !novolley);
  }
}

// The announcement of a new list was lost. The server is asked, and tells it again.
void AMissedListIsAskedFor(void**) {
  BroadcastWorld world;
  world.Follow();
  assert_true(world.Genuine());
  const auto view = [&] { return world.h.view.Peer(world.upstream().id)->autokey; };
  assert_int_equal(view()->key_list->key.value, world.list.announced().value);
  assert_int_equal(view()->key_list->sequence, world.list.sequence());
  world.ForgetQuestions();
  world.list = BroadcastWorld::NewList(world.hasher);
  assert_false(world.Genuine());
  const auto asked = world.socket.Receive();
  assert_true(asked.has_value());
  const auto packet = *wire::ParsePacket(asked->bytes);
  assert_true(packet.header.mode == wire::Mode::kClient);
  assert_int_equal(packet.extensions()[0].field[1], static_cast<int>(AutokeyCode::kAutokey));
  const auto answer = [&](const wire::Header& header) {
    const auto list =
        world.Announcement(++world.now, world.list.announced(), world.list.sequence());
    world.socket.Send(
        world.h.WithPublicMac({kServer, asked->from.ip}, packet.mac->key, Encoded(header, list)),
        asked->from);
    world.h.Spin();
    world.ServeKeys();
  };
  // Not the answer to our question: nothing is taken of it.
  wire::Header reply = test::ReplyTo(packet.header);
  reply.origin = NtpTimestamp::FromRaw(reply.origin.raw() ^ 1);
  answer(reply);
  assert_false(world.Genuine());
  // And nothing more was asked because of that, as anybody could make us ask.
  assert_false(world.socket.Receive().has_value());
  answer(test::ReplyTo(packet.header));
  for (int i = 0; i < 3; ++i) assert_true(world.Genuine());
  assert_int_equal(view()->key_list->key.value, world.list.announced().value);
  assert_true(world.listens());
}

// Its identifiers are others then, and even the packet that announces its list is lost on us: the
// server says that it has no list under the old one, and is asked by the one that it names now.
void AServerThatWasStartedAnewIsFollowed(void**) {
  BroadcastWorld world;
  world.Follow();
  assert_true(world.Genuine());
  const AssocId id = world.upstream().id;
  // And again, soon after.
  for (int restart = 0; restart < 2; ++restart) {
    world.RestartServer();
    assert_false(world.Genuine());
    for (int second = 0; second < 4; ++second) {
      world.AnswerForASecond();
    }
    for (int i = 0; i < 3; ++i) assert_true(world.Genuine());
  }
  assert_int_equal(world.upstream().id.value, id.value);
  assert_true(world.listens());
}

// Then it was set right and started anew. It would have been refused for an hour, as somebody who
// plays old announcements.
void AServerWhoseClockWasAheadIsFollowed(void**) {
  BroadcastWorld world;
  world.now = kTestNow + 10000;
  world.Follow();
  assert_true(world.Genuine());
  const AssocId id = world.upstream().id;
  world.RestartServer();
  world.now = kTestNow + 5000;
  int seconds = 0;
  for (bool good = false; !good; ++seconds) {
    assert_true(seconds < 40);
    if (seconds % 8 == 0) good = world.Genuine();
    world.AnswerOne();
    world.Pass();
  }
  for (int i = 0; i < 3; ++i) assert_true(world.Genuine());
  assert_true(world.upstream().announced->timestamp().value < kTestNow + 6000);
  assert_int_equal(world.upstream().id.value, id.value);
  assert_true(world.listens());
  // An old announcement is refused as before.
  const auto old = world.Announcement(kTestNow + 4000, KeyId{0x70000001}, 9);
  world.Send(world.Packet(Broadcast(), old, *world.list.Take()));
  assert_true(world.upstream().announced->key() == world.list.announced());
}

void OurBroadcastsHaveTheSameIdentifierAfterAStart(void**) {
  test::Harness h;
  autokey::test::Party server("server", autokey::test::TestKey::Shared(0), true, autokey::kIff);
  h.SetHost(server.material);
  msg::NetAssociation line;
  line.kind = msg::NetAssociationKind::kBroadcast;
  line.autokey = true;
  line.address = IpAddress::V4(224, 0, 1, 1);
  h.upstreams.Configure({line});
  assert_int_equal(h.Only().value, autokey::CustomaryAnnouncer(line.address));
  // Without lists there is nothing to ask for.
  h.upstreams.Configure({});
  line.autokey = false;
  line.key = KeyId{3};
  h.upstreams.Configure({line});
  assert_int_not_equal(h.Only().value, autokey::CustomaryAnnouncer(line.address));
}

// The server has a list for each address that it broadcasts to, and we hear both.
void TheOtherListOfAServerIsNoneOfOurs(void**) {
  BroadcastWorld world;
  const IpAddress group = IpAddress::V4(224, 0, 1, 1);
  CHECK(world.h.node.start.multicast_groups.Push(group));
  world.Follow();
  world.ForgetQuestions();
  const auto before = world.h.node.packets;
  const int checks = world.checks;
  keys::KeyList list = keys::KeyList::Make(world.hasher, {kServer, group}, 0, 50);
  for (int i = 0; i < 5; ++i) {
    const auto packet = world.h.WithPublicMac({kServer, group}, *list.Take(),
                                              Encoded(Broadcast(), world.NameAs(kAnnouncer + 1)));
    net::Datagram datagram;
    datagram.bytes = packet;
    datagram.source = world.socket.address();
    datagram.destination = group;
    assert_true(world.peering.Take(datagram, {}, *wire::ParsePacket(packet), SystemTimeNow()));
    world.ServeKeys();
  }
  assert_int_equal(world.checks, checks);
  assert_int_equal(world.h.node.packets.bad_auth, before.bad_auth);
  assert_int_equal(world.AskedFor(AutokeyCode::kAutokey), 0);
  assert_true(world.Genuine());
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AServerThatProvedItselfIsListenedTo),
      cmocka_unit_test(WithoutAVolleyNothingIsAskedOfABroadcastServer),
      cmocka_unit_test(AMissedListIsAskedFor),
      cmocka_unit_test(AServerThatWasStartedAnewIsFollowed),
      cmocka_unit_test(AServerWhoseClockWasAheadIsFollowed),
      cmocka_unit_test(OurBroadcastsHaveTheSameIdentifierAfterAStart),
      cmocka_unit_test(TheOtherListOfAServerIsNoneOfOurs),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
