// A broadcast server under Autokey has a new key, or we have a new ntpd-keys: it is listened to all
// the same.
#include "tests/net/broadcast_world.h"

namespace ntpward::net {
namespace {

using test::Broadcast;
using test::BroadcastWorld;
using wire::AutokeyCode;

// Ours was reloaded, or died. The list goes on where it was, and none of its keys is good twice.
void ANewKeyProcessCostsNoBroadcast(void**) {
  BroadcastWorld world;
  world.Follow();
  for (int i = 0; i < 3; ++i) assert_true(world.Genuine());
  const KeyId used = world.list.taken();
  const auto told = world.Announcement(world.upstream().announced->timestamp().value,
                                       world.list.announced(), world.list.sequence());
  world.sequence.reset();
  world.RestartKeys();
  const auto is_taken = [&](Bytes packet) {
    const auto before = world.h.node.packets.processed;
    world.Send(packet);
    return world.h.node.packets.processed != before;
  };
  assert_false(is_taken(world.Packet(Broadcast(), world.Name(), used)));
  // Not even with the announcement, heard again.
  assert_false(is_taken(world.Packet(Broadcast(), told, used)));
  assert_true(world.Genuine());
  for (int i = 0; i < 20; ++i) world.Pass(50);
  assert_true(world.listens());
  assert_true(world.Genuine());
}

// The server's new key signs its lists: it proves itself anew beside, and the association stays.
void AServerWithANewKeyIsProvedAnewAndListenedTo(void**) {
  BroadcastWorld world;
  world.Follow();
  assert_true(world.Genuine());
  const AssocId id = world.upstream().id;
  const uint64_t sent = world.Snapshot().counters.sent;
  world.ForgetQuestions();
  world.RenewKeys();
  world.list = BroadcastWorld::NewList(world.hasher);
  assert_false(world.Genuine());
  int seconds = 0;
  for (bool good = false; !good; ++seconds) {
    assert_true(seconds < 30);
    world.AnswerForASecond();
    assert_true(world.listens());
    if (seconds % 8 == 7) good = world.Genuine();
  }
  assert_int_equal(world.upstream().id.value, id.value);
  assert_int_equal(world.Snapshot().counters.sent, sent);
  for (int i = 0; i < 3; ++i) assert_true(world.Genuine());
  assert_true(world.upstream().dance->trail().server()->key == world.server.key->public_key());
  // Once is enough.
  for (int i = 0; i < 300; ++i) world.Pass();
  assert_false(world.socket.Receive().has_value());
}

// At a reload the server goes on with its list and tells it again under the new key's signature:
// that is proved beside, and no broadcast is lost.
void ANewKeyUnderTheSameListCostsNoBroadcast(void**) {
  BroadcastWorld world;
  world.Follow();
  assert_true(world.Genuine());
  world.ForgetQuestions();
  world.RenewKeys();
  // Whoever is off the path has no key of the list: nobody is asked because of him.
  const auto told = world.Announcement(++world.now, world.list.announced(), world.list.sequence());
  world.Send(world.Packet(Broadcast(), told, world.list.taken()));
  assert_int_equal(world.AskedFor(AutokeyCode::kAutokey), 1);
  for (int i = 0; i < 60; ++i) world.Pass();
  assert_false(world.upstream().dance->renewing());
  world.Send(world.Packet(Broadcast(), told, *world.list.Take()));
  bool proved = false;
  for (int seconds = 0; seconds < 40; ++seconds) {
    world.AnswerForASecond();
    proved = world.upstream().dance->trail().server()->key == world.server.key->public_key();
    assert_true(world.Genuine());
  }
  assert_true(proved);
  assert_true(world.listens());
  assert_true(world.Genuine());
}

// Our ntpd-keys died: the cookie is asked for beside, and seldom.
void ALostCookieIsAskedForBeside(void**) {
  BroadcastWorld world;
  world.Follow();
  world.RestartKeys();
  world.ForgetQuestions();
  assert_false(world.upstream().dance->has_cookie());
  for (int i = 0; i < 60; ++i) world.Pass();
  world.AnswerOne();
  assert_true(world.upstream().dance->has_cookie());
  for (int i = 0; i < 300; ++i) world.Pass();
  // One question was all.
  assert_false(world.socket.Receive().has_value());
  assert_true(world.Genuine());
}

// Our clock was set by the broadcasts alone: what is asked of who has time is asked beside.
void WhatAVolleyLeftUnaskedIsAskedBeside(void**) {
  BroadcastWorld world;
  world.server.host.SetLeap(
      {37, NtpSeconds{3692217600}, NtpSeconds{autokey::test::kTestNow + 1000000}});
  world.server.Sign(autokey::test::kTestNow);
  world.Follow();
  assert_int_equal(world.upstream().dance->flags() & autokey::kLeap, 0);
  world.h.Synchronise();
  world.ForgetQuestions();
  world.Pass();
  world.AnswerOne();
  assert_int_equal(world.upstream().dance->flags() & autokey::kLeap, autokey::kLeap);
  for (int i = 0; i < 30; ++i) world.Pass();
  assert_false(world.socket.Receive().has_value());
  assert_true(world.Genuine());
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ANewKeyProcessCostsNoBroadcast),
      cmocka_unit_test(AServerWithANewKeyIsProvedAnewAndListenedTo),
      cmocka_unit_test(ANewKeyUnderTheSameListCostsNoBroadcast),
      cmocka_unit_test(ALostCookieIsAskedForBeside),
      cmocka_unit_test(WhatAVolleyLeftUnaskedIsAskedBeside),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
