// Autokey with a peer on a line of ours: whom it is followed by, and what a forger cannot change.
#include "tests/net/peer_world.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;
using World = PeerWorld;
using wire::AutokeyCode;
using wire::Mode;

void APeerIsFollowedOnceItsListIsSigned(void**) {
  World world;
  const auto first = world.Poll();
  assert_true(first && CodeOf(*first) == AutokeyCode::kAssociation);
  assert_true(first->header().mode == Mode::kSymmetricActive);
  assert_int_equal(wire::ParsePacket(first->bytes)->mac->key.value, world.keys.last_key);
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
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
