// Symmetric and broadcast associations: what may change them.
#include <cmath>

#include "ntpd/wire/refid.h"
#include "tests/core/association_fixture.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using test::At;
using test::kGood;
using test::kKey;
using test::kParameters;

constexpr NtpTimestamp kBase = NtpTimestamp::FromRaw(0xe000000000000000);
NtpTimestamp T(double seconds) { return kBase + NtpDuration::FromSeconds(seconds); }

AssociationConfig Config(HostMode mode, bool keyed = true) {
  AssociationConfig config;
  config.mode = mode;
  if (keyed) config.key = kKey;
  return config;
}

SystemState Synchronised() {
  SystemState system;
  system.leap = wire::Leap::kNone;
  system.stratum = 2;
  return system;
}

// One association, and packets as an honest peer 1 s ahead and 10 ms away would send them.
struct Fixture {
  explicit Fixture(const AssociationConfig& config)
      : association(AssocId{1}, {IpAddress::V4(10, 0, 0, 1), 123}, config, kParameters, -20, 5,
                    At(0)) {}
  wire::Header Send(double when) {
    const auto header = association.BuildRequest(At(when), T(999), Synchronised());
    association.OnSent(T(when), kKey);
    return header.value_or(wire::Header());
  }
  static wire::Header Packet(wire::Mode mode, double when) {
    wire::Header packet;
    packet.leap = wire::Leap::kNone;
    packet.mode = mode;
    packet.stratum = 2;
    packet.poll = 6;
    packet.precision = -20;
    packet.refid = 0x01020304;
    packet.reference = T(when - 30);
    packet.transmit = T(when + 1);
    return packet;
  }
  static wire::Header Answer(double asked, double when) {
    wire::Header packet = Packet(wire::Mode::kSymmetricActive, when);
    packet.origin = T(asked);
    packet.receive = T(asked + 1.01);
    return packet;
  }
  // A request and its answer at `*when`, which is then when the next is due; false when none is
  // sent.
  bool AskServer(double* when) {
    const auto request = association.BuildRequest(At(*when), T(*when + 0.5), Synchronised());
    if (!request) return false;
    assert_int_equal(request->mode, wire::Mode::kClient);
    association.OnSent(T(*when), kKey);
    wire::Header reply = Answer(0, *when);
    reply.mode = wire::Mode::kServer;
    reply.origin = request->transmit;
    reply.receive = reply.transmit = T(*when + 1.005);
    assert_true(Take(reply, *when + 0.01).ok());
    *when = static_cast<double>(association.next_poll().nanoseconds()) / 1e9;
    return true;
  }
  Result<Sample, Reject> Take(const wire::Header& packet, double when,
                              std::optional<MacVerdict> verdict = kGood) {
    return association.OnReply(packet, verdict, T(when), At(when));
  }
  PeerSnapshot State() const {
    PeerSnapshot snapshot = SnapshotOf(association, At(100));
    snapshot.counters = {};
    snapshot.flash = 0;
    return snapshot;
  }
  Association association;
};

// --- symmetric ----------------------------------------------------------------------------------

void APeersAnswerIsASample(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  const wire::Header sent = f.Send(0);
  assert_int_equal(sent.mode, wire::Mode::kSymmetricActive);
  assert_int_equal(sent.stratum, 2);
  const auto sample = f.Take(Fixture::Answer(0, 30), 30.01);
  assert_true(sample.ok());
  assert_true(std::abs(sample->offset - 1) < 1e-6);
  assert_true(std::abs(sample->delay - 0.02) < 1e-6);
  // Our next packet answers it.
  const wire::Header next = f.Send(64);
  assert_true(next.origin == T(31));
  assert_true(next.receive == T(30.01));
}

// CVE-2015-1799, CVE-2015-1853, CVE-2015-7979.
void ABadMacChangesNothingOfAPeer(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  f.Send(0);
  const PeerSnapshot before = f.State();
  const wire::Header packet = Fixture::Answer(0, 30);
  assert_int_equal(f.Take(packet, 30.01, MacVerdict{kKey, MacResult::kBad}).error(),
                   Reject::kBadMac);
  assert_int_equal(f.Take(packet, 30.01, std::nullopt).error(), Reject::kNoMac);
  assert_int_equal(f.Take(packet, 30.01, MacVerdict{KeyId{8}, MacResult::kGood}).error(),
                   Reject::kBadMac);
  assert_true(f.State() == before);
  // The genuine one still counts.
  assert_true(f.Take(packet, 30.01).ok());
}

// Anyone can make the MAC behind a field: it gives no time, and only an answer shows that the peer
// is there.
void APacketWithFieldsMovesNoStateOfAPeer(void**) {
  AssociationConfig config = Config(HostMode::kSymmetricActive, false);
  config.autokey = true;
  Fixture f(config);
  f.Send(0);
  assert_true(f.Take(Fixture::Answer(0, 30), 30.01).ok());
  f.Send(64);
  const PeerSnapshot before = f.State();
  wire::Header forged = Fixture::Packet(wire::Mode::kSymmetricActive, 70);
  assert_false(f.association.AnswersUs(forged));
  assert_true(f.association.OnHeard(forged, T(70.01), At(70.01)).ok());
  assert_true(f.State() == before);
  assert_int_equal(f.association.schedule().reach(), 2);
  // It does not take the place of what was proved, as long as that is recent.
  wire::Header ours = *f.association.BuildRequest(At(128), T(999), Synchronised());
  assert_true(ours.origin == T(31));
  f.association.FillHeard(&ours);
  assert_true(ours.origin == T(31) && ours.receive == T(30.01));

  const wire::Header answer = Fixture::Answer(64, 129);
  assert_true(f.association.AnswersUs(answer));
  assert_true(f.association.OnHeard(answer, T(129.01), At(129.01)).ok());
  assert_int_equal(f.association.schedule().reach() & 1, 1);
}

void ACryptoNakOfAPeerNeedsTheOriginOfOurLastPacket(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  f.Send(0);
  f.Send(64);
  constexpr MacVerdict kNak{KeyId{}, MacResult::kCryptoNak};
  assert_int_equal(f.Take(Fixture::Answer(0, 65), 65.01, kNak).error(), Reject::kBadMac);
  assert_int_equal(f.Take(Fixture::Answer(64, 65), 65.01, kNak).error(), Reject::kCryptoNak);
}

// CVE-2016-4953, CVE-2016-1547: neither ends an ephemeral association.
void BadAuthenticationDoesNotEndAnEphemeralAssociation(void**) {
  AssociationConfig config = Config(HostMode::kSymmetricPassive);
  config.ephemeral = true;
  Fixture f(config);
  f.Send(0);
  for (int i = 0; i < 50; ++i) {
    (void)f.Take(Fixture::Answer(0, 1 + i), 2 + i, MacVerdict{kKey, MacResult::kBad});
    (void)f.Take(Fixture::Answer(0, 1 + i), 2 + i, MacVerdict{KeyId{}, MacResult::kCryptoNak});
  }
  assert_false(f.association.expired());
  assert_true(f.Take(Fixture::Answer(0, 100), 100.01).ok());
}

void AnEphemeralAssociationEndsWhenItsHostIsSilent(void**) {
  AssociationConfig config = Config(HostMode::kSymmetricPassive);
  config.ephemeral = true;
  Fixture f(config);
  for (int i = 0; i < 12; ++i) f.Send(64 * i);
  assert_false(f.association.expired());
  f.Send(64 * 12);
  assert_true(f.association.expired());
}

void ThePeerThatPollsMoreOftenSetsThePace(void**) {
  AssociationConfig config = Config(HostMode::kSymmetricActive);
  config.poll.minpoll = 6;
  config.poll.maxpoll = 10;
  Fixture f(config);
  f.Send(0);
  wire::Header packet = Fixture::Answer(0, 30);
  packet.poll = 7;
  assert_true(f.Take(packet, 30.01).ok());
  f.association.SetSystemPoll(10);
  assert_int_equal(f.association.schedule().poll(), 7);
  for (int poll : {-128, 0, 127}) {
    f.Send(1000 + poll);
    packet = Fixture::Answer(1000 + poll, 1001 + poll);
    packet.poll = static_cast<int8_t>(poll);
    assert_true(f.Take(packet, 1001.01 + poll).ok());
    assert_in_range(f.association.schedule().maxpoll(), 6, 10);
  }
}

void AStepVoidsWhatAPeerSaid(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  f.Send(0);
  assert_true(f.Take(Fixture::Answer(0, 30), 30.01).ok());
  f.association.OnClockStep();
  assert_true(f.Send(64).origin.is_zero());
}

// Two peers without a key, 32 s after the other.
struct Pair {
  Pair() {
    for (int i = 0; i < 3; ++i) (void)Pass(&constant, &changed), (void)Pass(&changed, &constant);
    assert_true(Pass(&constant, &changed) && Pass(&changed, &constant));
  }
  bool Pass(Fixture* from, Fixture* to) {
    now += 32;
    wire::Header packet = from->Send(now);
    packet.transmit = T(now);
    return to->Take(packet, now + 0.01, std::nullopt).ok();
  }

  const AssociationConfig config = Config(HostMode::kSymmetricActive, false);
  double now = 0;
  Fixture constant{config};
  Fixture changed{config};
};

// It answers what the other one says, whose origin is of the time before, and is believed by that.
void APeerThatStartedAnewIsHeardAtOnce(void**) {
  Pair pair;
  Fixture after(pair.config);
  assert_false(pair.Pass(&pair.constant, &after));
  assert_true(pair.Pass(&after, &pair.constant));
  assert_true(pair.Pass(&pair.constant, &after));
}

void APeerWhoseClockWasSteppedIsHeardAtOnce(void**) {
  Pair pair;
  pair.changed.association.OnClockStep();
  assert_false(pair.Pass(&pair.constant, &pair.changed));
  assert_true(pair.Pass(&pair.changed, &pair.constant));
  assert_true(pair.Pass(&pair.constant, &pair.changed));
  // Both of them, as after a leap second that both got wrong.
  pair.changed.association.OnClockStep();
  pair.constant.association.OnClockStep();
  for (int i = 0; i < 2; ++i)
    (void)pair.Pass(&pair.constant, &pair.changed), (void)pair.Pass(&pair.changed, &pair.constant);
  assert_true(pair.Pass(&pair.constant, &pair.changed));
}

// It moves our next origin by chance, and nothing else.
void AForgerDoesNotKeepTwoPeersApart(void**) {
  const AssociationConfig config = Config(HostMode::kSymmetricActive, false);
  Fixture f(config);
  int heard = 0;
  for (int i = 0; i < 64; ++i) {
    f.Send(64 * i);
    const PeerSnapshot before = f.State();
    const double now = 64 * i + 32;
    for (double forged : {100000.0, 200000.0, 300000.0}) {
      assert_false(f.Take(Fixture::Answer(7, forged + i), now, std::nullopt).ok());
      assert_false(
          f.Take(Fixture::Packet(wire::Mode::kSymmetricActive, -forged - i), now, std::nullopt)
              .ok());
    }
    assert_false(f.Take(Fixture::Answer(7, now), now, std::nullopt).ok());
    assert_true(f.State() == before);
    wire::Header next;
    f.association.FillHeard(&next);
    heard += next.origin == T(now + 1);
  }
  assert_true(heard >= 2);
}

void ASilentPeerIsUnreachable(void**) {
  Fixture f(Config(HostMode::kSymmetricActive));
  f.Send(0);
  assert_true(f.Take(Fixture::Answer(0, 30), 30.01).ok());
  for (int i = 1; i <= 8; ++i) f.Send(64 * i);
  assert_int_equal(f.association.schedule().reach(), 0);
}

// --- broadcast ----------------------------------------------------------------------------------

void AServerThatIsNotSynchronisedBroadcastsNothing(void**) {
  Fixture f(Config(HostMode::kBroadcast));
  assert_false(f.association.BuildRequest(At(0), T(0), SystemState()).has_value());
  const auto sent = f.association.BuildRequest(At(64), T(0), Synchronised());
  assert_int_equal(sent.value().mode, wire::Mode::kBroadcast);
  assert_true(sent->origin.is_zero() && sent->receive.is_zero());
}

void ABroadcastServerBelievesNobody(void**) {
  Fixture f(Config(HostMode::kBroadcast));
  f.Send(0);
  for (int mode = 0; mode < 8; ++mode) {
    wire::Header packet = Fixture::Answer(0, 1);
    packet.mode = static_cast<wire::Mode>(mode);
    assert_false(f.Take(packet, 1.01).ok());
  }
  assert_int_not_equal(f.association.Unfit(At(2), {}), 0);
}

void AListenerTakesTheConfiguredDelayWithoutAVolley(void**) {
  AssociationConfig config = Config(HostMode::kBroadcastClient);
  config.delay = 0.02;
  Fixture f(config);
  const auto sample = f.Take(Fixture::Packet(wire::Mode::kBroadcast, 10), 10.01);
  assert_true(sample.ok());
  assert_true(std::abs(sample->offset - 1) < 1e-6);
  assert_false(f.association.BuildRequest(At(64), T(1), Synchronised()).has_value());
}

void AListenerSendsAVolleyThenListens(void**) {
  AssociationConfig config = Config(HostMode::kClient);
  config.listen = true;
  config.poll.iburst = true;
  Fixture f(config);
  double when = 0;
  for (int i = 0; i < 8; ++i) {
    const double asked = when;
    assert_true(f.AskServer(&when));
    // A broadcast does not answer a request.
    assert_int_equal(f.Take(Fixture::Packet(wire::Mode::kBroadcast, asked), asked).error(),
                     Reject::kBadMode);
  }
  assert_false(f.association.BuildRequest(At(when), T(1), Synchronised()).has_value());
  assert_int_equal(f.association.hmode(), HostMode::kBroadcastClient);
  const auto sample = f.Take(Fixture::Packet(wire::Mode::kBroadcast, when), when + 0.005);
  assert_true(sample.ok());
  assert_true(std::abs(sample->delay - 0.01) < 1e-6);
  assert_true(std::abs(sample->offset - 1) < 1e-6);
}

// With Autokey the volley goes on until the server's key list is there; then any key counts whose
// place in the list was judged, and none else.
void AnAutokeyListenerWaitsForTheKeyList(void**) {
  AssociationConfig config = Config(HostMode::kClient, false);
  config.autokey = config.listen = true;
  config.poll.iburst = true;
  Fixture f(config);
  f.association.AllowListening(false);
  double when = 0;
  for (int i = 0; i < 12; ++i) assert_true(f.AskServer(&when));
  f.association.AllowListening(true);
  assert_false(f.AskServer(&when));
  const auto heard = [&](std::optional<MacVerdict> verdict) {
    when += 1;
    return f.Take(Fixture::Packet(wire::Mode::kBroadcast, when), when, verdict);
  };
  assert_true(heard(MacVerdict{KeyId{70001}, MacResult::kGood}).ok());
  assert_int_equal(heard(MacVerdict{KeyId{70002}, MacResult::kBad}).error(), Reject::kBadMac);
  assert_int_equal(heard(std::nullopt).error(), Reject::kNoMac);
  assert_int_equal(heard(MacVerdict{KeyId{}, MacResult::kCryptoNak}).error(), Reject::kBadMac);
  assert_true(heard(MacVerdict{KeyId{70003}, MacResult::kGood}).ok());
}

// CVE-2015-7979: one bad packet does not tear the association down. CVE-2015-7973: nor does a
// replay.
void AListenerSurvivesForgedAndReplayedBroadcasts(void**) {
  Fixture f(Config(HostMode::kBroadcastClient));
  assert_true(f.Take(Fixture::Packet(wire::Mode::kBroadcast, 10), 10).ok());
  const PeerSnapshot before = f.State();
  const wire::Header future = Fixture::Packet(wire::Mode::kBroadcast, 1e6);
  assert_int_equal(f.Take(future, 20, MacVerdict{kKey, MacResult::kBad}).error(), Reject::kBadMac);
  assert_int_equal(f.Take(future, 20, std::nullopt).error(), Reject::kNoMac);
  assert_int_equal(f.Take(future, 20, MacVerdict{KeyId{}, MacResult::kCryptoNak}).error(),
                   Reject::kBadMac);
  assert_int_equal(f.Take(Fixture::Packet(wire::Mode::kBroadcast, 10), 20).error(),
                   Reject::kDuplicate);
  assert_true(f.State() == before);
  assert_true(f.Take(Fixture::Packet(wire::Mode::kBroadcast, 74), 74).ok());
}

void ABroadcastKissDoesNotSilenceAListener(void**) {
  Fixture f(Config(HostMode::kBroadcastClient));
  wire::Header kiss = Fixture::Packet(wire::Mode::kBroadcast, 10);
  kiss.leap = wire::Leap::kAlarm;
  kiss.stratum = 0;
  kiss.refid = wire::RefidCode("DENY");
  assert_false(f.Take(kiss, 10).ok());
  assert_false(f.association.stopped());
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(APeersAnswerIsASample),
      cmocka_unit_test(ABadMacChangesNothingOfAPeer),
      cmocka_unit_test(APacketWithFieldsMovesNoStateOfAPeer),
      cmocka_unit_test(ACryptoNakOfAPeerNeedsTheOriginOfOurLastPacket),
      cmocka_unit_test(BadAuthenticationDoesNotEndAnEphemeralAssociation),
      cmocka_unit_test(AnEphemeralAssociationEndsWhenItsHostIsSilent),
      cmocka_unit_test(ThePeerThatPollsMoreOftenSetsThePace),
      cmocka_unit_test(AStepVoidsWhatAPeerSaid),
      cmocka_unit_test(APeerThatStartedAnewIsHeardAtOnce),
      cmocka_unit_test(APeerWhoseClockWasSteppedIsHeardAtOnce),
      cmocka_unit_test(AForgerDoesNotKeepTwoPeersApart),
      cmocka_unit_test(ASilentPeerIsUnreachable),
      cmocka_unit_test(AServerThatIsNotSynchronisedBroadcastsNothing),
      cmocka_unit_test(ABroadcastServerBelievesNobody),
      cmocka_unit_test(AListenerTakesTheConfiguredDelayWithoutAVolley),
      cmocka_unit_test(AListenerSendsAVolleyThenListens),
      cmocka_unit_test(AnAutokeyListenerWaitsForTheKeyList),
      cmocka_unit_test(AListenerSurvivesForgedAndReplayedBroadcasts),
      cmocka_unit_test(ABroadcastKissDoesNotSilenceAListener),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
