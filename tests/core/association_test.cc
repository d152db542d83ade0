// What may change an association, and what must not: forged, replayed and broken replies.
//
// Interleaved modes do not exist here (CVE-2018-7184); symmetric and broadcast modes are in
// modes_test.cc and dispatch_test.cc.
#include "ntpd/core/association.h"

#include <cmath>
#include <cstring>

#include "ntpd/core/engine.h"
#include "ntpd/wire/refid.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

const Parameters kParameters;
constexpr NtpTimestamp kNonce = NtpTimestamp::FromRaw(0xdeadbeefcafef00d);
constexpr NtpTimestamp kSendTime = NtpTimestamp::FromRaw(0xe000000012345678);
constexpr KeyId kKey{7};

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }
NtpTimestamp Later(double seconds) { return kSendTime + NtpDuration::FromSeconds(seconds); }

// One association and the exchange that it started at 0 s.
struct Fixture {
  explicit Fixture(AssociationConfig config = {})
      : association(AssocId{1}, {IpAddress::V4(10, 0, 0, 1), 123}, config, kParameters, -20, 5,
                    At(0)) {
    Send();
  }
  void Send(NtpTimestamp nonce = kNonce, double when = 0, KeyId key = kKey) {
    request = *association.BuildRequest(At(when), nonce);
    association.OnSent(Later(when), key);
  }
  // What an honest server answers: 10 ms each way, its clock 1 s ahead.
  wire::Header Reply(double when = 0) const {
    wire::Header reply;
    reply.leap = wire::Leap::kNone;
    reply.mode = wire::Mode::kServer;
    reply.stratum = 2;
    reply.poll = 6;
    reply.precision = -20;
    reply.root_delay = wire::NtpShort::FromSeconds(0.01);
    reply.root_dispersion = wire::NtpShort::FromSeconds(0.01);
    reply.refid = 0x01020304;
    reply.origin = request.transmit;
    reply.reference = Later(when - 30);
    reply.receive = Later(when + 1.010);
    reply.transmit = Later(when + 1.011);
    return reply;
  }
  Result<Sample, Reject> Take(const wire::Header& reply, double when = 0,
                              std::optional<MacVerdict> verdict = std::nullopt) {
    return association.OnReply(reply, verdict, Later(when + 0.021), At(when + 0.021));
  }
  // Everything that selection, the schedule or mode 6 depend on, but for the counters.
  PeerSnapshot State() const {
    PeerSnapshot snapshot = SnapshotOf(association, At(1));
    snapshot.counters = {};
    snapshot.flash = 0;
    return snapshot;
  }

  Association association;
  wire::Header request;
};

AssociationConfig Keyed() {
  AssociationConfig config;
  config.key = kKey;
  return config;
}
AssociationConfig Autokeyed() {
  AssociationConfig config;
  config.autokey = true;
  return config;
}
constexpr MacVerdict kGood{kKey, MacResult::kGood};

// --- the exchange -------------------------------------------------------------------------------

void SampleHoldsOffsetDelayAndDispersion(void**) {
  Fixture f;
  const auto sample = f.Take(f.Reply());
  assert_true(sample.ok());
  assert_true(std::abs(sample->offset - 1.0) < 1e-9);
  assert_true(std::abs(sample->delay - 0.020) < 1e-9);
  assert_true(std::abs(sample->dispersion - (2 * Log2Seconds(-20) + 15e-6 * 0.021)) < 1e-12);
}

void SampleIsRightAcrossAnEra(void**) {
  Fixture f;
  const NtpTimestamp t1 = NtpTimestamp::FromRaw(0xffffffff80000000);  // half a second before
  f.association.OnSent(t1, KeyId{});
  wire::Header reply = f.Reply();
  reply.receive = t1 + NtpDuration::FromSeconds(5.01);
  reply.transmit = t1 + NtpDuration::FromSeconds(5.02);
  reply.reference = t1;
  const auto sample =
      f.association.OnReply(reply, std::nullopt, t1 + NtpDuration::FromSeconds(0.03), At(0.03));
  assert_true(sample.ok());
  assert_true(std::abs(sample->offset - 5.0) < 1e-9);
  assert_true(std::abs(sample->delay - 0.02) < 1e-9);
}

void HugeOffsetsDoNotOverflow(void**) {
  for (double seconds : {-2.1e9, 2.1e9}) {
    Fixture f;
    wire::Header reply = f.Reply();
    reply.receive = Later(seconds);
    reply.transmit = Later(seconds + 0.001);
    reply.reference = Later(seconds);
    const auto sample = f.Take(reply);
    assert_true(sample.ok());
    assert_true(std::abs(sample->offset - seconds) < 1);
  }
}

// CVE-2020-13817: nothing predictable, and none of our time, in a request.
void RequestDisclosesNothingButTheNonce(void**) {
  Fixture f;
  assert_true(f.request.transmit == kNonce);
  assert_true(f.request.origin.is_zero() && f.request.receive.is_zero());
  assert_true(f.request.reference.is_zero());
  assert_int_equal(f.request.stratum, 0);
  assert_int_equal(f.request.refid, 0);
  assert_int_equal(f.request.root_delay.raw(), 0);
}

void EveryBitOfTheNonceCounts(void**) {
  for (int bit = 0; bit < 64; ++bit) {
    Fixture f;
    wire::Header reply = f.Reply();
    reply.origin = NtpTimestamp::FromRaw(kNonce.raw() ^ (uint64_t{1} << bit));
    assert_true(f.Take(reply).error() == Reject::kBogusOrigin);
  }
}

void ZeroNonceIsNeverSent(void**) {
  Fixture f;
  f.Send(NtpTimestamp());
  assert_false(f.request.transmit.is_zero());
}

// CVE-2015-8138, CVE-2016-7431.
void RejectsZeroOriginWithNothingOutstanding(void**) {
  Fixture f;
  assert_true(f.Take(f.Reply()).ok());
  wire::Header reply = f.Reply();
  reply.origin = NtpTimestamp();
  const PeerSnapshot before = f.State();
  assert_true(f.Take(reply).error() == Reject::kZeroOrigin);
  assert_true(f.State() == before);
}

void RejectsReplyToVoidedNonce(void**) {
  Fixture f;
  const wire::Header late = f.Reply();
  f.Send(NtpTimestamp::FromRaw(99), 64);
  assert_true(f.Take(late, 64).error() == Reject::kBogusOrigin);
  assert_true(f.Take(f.Reply(64), 64).ok());
}

void RejectsASecondCopy(void**) {
  Fixture f;
  const wire::Header reply = f.Reply();
  assert_true(f.Take(reply).ok());
  assert_true(f.Take(reply).error() == Reject::kDuplicate);
  assert_int_equal(f.association.counters().old, 1);
  assert_true((f.association.packet_flash() & wire::kFlashDuplicate) != 0);
}

// CVE-2016-9042: a forged reply must not reset the expected origin.
void ForgedReplyDoesNotCostTheGenuineOne(void**) {
  Fixture f;
  wire::Header forged = f.Reply();
  forged.origin = NtpTimestamp::FromRaw(1);
  for (int i = 0; i < 100; ++i) assert_false(f.Take(forged).ok());
  assert_int_equal(f.association.counters().bogus_origin, 100);
  assert_true(f.Take(f.Reply()).ok());
}

// CVE-2016-1548, CVE-2016-4956: the origin of an interleaved reply is our receive time.
void InterleavedReplyIsRefused(void**) {
  Fixture f;
  assert_true(f.Take(f.Reply()).ok());
  f.Send(NtpTimestamp::FromRaw(99), 64);
  wire::Header reply = f.Reply(64);
  reply.origin = Later(0.021);
  assert_true(f.Take(reply, 64).error() == Reject::kBogusOrigin);
}

void OnlyServerModeIsAReply(void**) {
  for (wire::Mode mode :
       {wire::Mode::kUnspecified, wire::Mode::kSymmetricActive, wire::Mode::kSymmetricPassive,
        wire::Mode::kClient, wire::Mode::kBroadcast, wire::Mode::kControl}) {
    Fixture f;
    wire::Header reply = f.Reply();
    reply.mode = mode;
    assert_true(f.Take(reply).error() == Reject::kBadMode);
  }
}

void MatchReplyChangesNothing(void**) {
  Fixture f;
  const PeerSnapshot before = f.State();
  for (int i = 0; i < 3; ++i) assert_true(f.association.MatchReply(f.Reply()).ok());
  assert_true(f.State() == before);
  assert_true(f.Take(f.Reply()).ok());
}

void SteppedClockVoidsTheExchange(void**) {
  Fixture f;
  f.association.OnClockStep();
  assert_true(f.Take(f.Reply()).error() == Reject::kNotAsked);
}

// CVE-2015-8139: what mode 6 sees cannot hold the nonce or the send time of a live exchange.
void SnapshotNeverHoldsALiveTransmitTime(void**) {
  Fixture f;
  assert_true(f.Take(f.Reply()).ok());
  const NtpTimestamp nonce = NtpTimestamp::FromRaw(0x1122334455667788);
  f.Send(nonce, 64);
  const PeerSnapshot snapshot = SnapshotOf(f.association, At(64));
  for (uint64_t secret : {nonce.raw(), Later(64).raw()})
    assert_null(memmem(&snapshot, sizeof snapshot, &secret, sizeof secret));
}

// --- MACs ---------------------------------------------------------------------------------------

// CVE-2015-1798.
void KeyedAssociationDropsABareReply(void**) {
  for (const AssociationConfig& config : {Keyed(), Autokeyed()}) {
    Fixture f(config);
    assert_true(f.Take(f.Reply()).error() == Reject::kNoMac);
    assert_true(f.Take(f.Reply(), 0, kGood).ok());
    assert_true(f.association.authentic());
  }
}

// CVE-2015-1799, CVE-2015-1853, CVE-2016-4955: nothing changes before the MAC is good.
void BadMacLeavesTheStateIdentical(void**) {
  for (const AssociationConfig& config : {AssociationConfig{}, Keyed(), Autokeyed()}) {
    Fixture f(config);
    const PeerSnapshot before = f.State();
    wire::Header reply = f.Reply();
    reply.leap = wire::Leap::kAddSecond;
    assert_true(f.Take(reply, 0, MacVerdict{kKey, MacResult::kBad}).error() == Reject::kBadMac);
    assert_true(f.State() == before);
    assert_int_equal(f.association.counters().bad_auth, 1);
    assert_true(f.Take(f.Reply(), 0, kGood).ok());
  }
}

// CVE-2015-7974, CVE-2016-1567: a good MAC of another trusted key proves another party.
void GoodMacOfAnotherKeyIsRefused(void**) {
  for (const AssociationConfig& config : {Keyed(), Autokeyed()}) {
    Fixture f(config);
    assert_true(f.Take(f.Reply(), 0, MacVerdict{KeyId{8}, MacResult::kGood}).error() ==
                Reject::kBadMac);
  }
}

void AutokeyReplyNeedsTheKeyOfItsOwnRequest(void**) {
  Fixture f(Autokeyed());
  f.Send(kNonce, 64, KeyId{70000});
  assert_true(f.Take(f.Reply(64), 64, kGood).error() == Reject::kBadMac);
  assert_true(f.Take(f.Reply(64), 64, MacVerdict{KeyId{70000}, MacResult::kGood}).ok());
}

void KeyedRequestSentWithoutKeyProvesNothing(void**) {
  Fixture f(Autokeyed());
  f.Send(kNonce, 64, KeyId{});
  assert_true(f.Take(f.Reply(64), 64, MacVerdict{KeyId{}, MacResult::kGood}).error() ==
              Reject::kBadMac);
}

// CVE-2016-1547: a crypto-NAK counts only for the exchange in flight, with key 0, on a keyed
// association; and even then it changes nothing by itself.
void CryptoNakNeedsTheOutstandingOriginAndKeyZero(void**) {
  Fixture f(Keyed());
  const MacVerdict nak{KeyId{}, MacResult::kCryptoNak};
  const PeerSnapshot before = f.State();
  wire::Header forged = f.Reply();
  forged.origin = NtpTimestamp::FromRaw(5);
  assert_true(f.Take(forged, 0, nak).error() == Reject::kBogusOrigin);
  assert_true(f.Take(f.Reply(), 0, MacVerdict{kKey, MacResult::kCryptoNak}).error() ==
              Reject::kBadMac);
  assert_true(f.Take(f.Reply(), 0, nak).error() == Reject::kCryptoNak);
  assert_true(f.State() == before);
  assert_true(f.Take(f.Reply(), 0, kGood).ok());
  Fixture plain;
  assert_true(plain.Take(plain.Reply(), 0, nak).error() == Reject::kBadMac);
}

// CVE-2015-7871, CVE-2016-4957: nobody is mobilised, nothing is dereferenced.
void ReplyForAnUnknownAssociationCreatesNothing(void**) {
  Engine engine({}, At(0));
  Fixture f;
  for (const auto& verdict :
       {std::optional<MacVerdict>(), std::optional(MacVerdict{KeyId{}, MacResult::kCryptoNak})}) {
    assert_true(engine.OnReply(AssocId{9}, f.Reply(), verdict, Later(1), At(1)).error() ==
                Reject::kNotAsked);
  }
  assert_false(engine.OnHeard(AssocId{9}, f.Reply(), At(1)).ok());
  assert_true(engine.Ids().empty());
}

void ReplyWithExtensionFieldsCountsForReachAndNothingElse(void**) {
  Fixture f(Autokeyed());
  assert_true(f.association.OnHeard(f.Reply(), At(0.02)).ok());
  assert_int_equal(f.association.schedule().reach(), 1);
  assert_int_equal(f.association.schedule().unreach(), 0);
  assert_false(f.association.filter().has_sample());
  assert_int_equal(f.association.stratum(), 16);
  assert_true(f.association.OnHeard(f.Reply(), At(0.03)).error() == Reject::kDuplicate);
}

// --- kisses of death ----------------------------------------------------------------------------

wire::Header Kiss(const Fixture& f, uint32_t code, int8_t poll = 6) {
  wire::Header kiss = f.Reply();
  kiss.leap = wire::Leap::kAlarm;
  kiss.stratum = 0;
  kiss.refid = code;
  kiss.poll = poll;
  return kiss;
}

// CVE-2015-7704, CVE-2015-7705.
void KissNeedsTheMatchingOrigin(void**) {
  for (uint32_t code :
       {wire::RefidCode("RATE"), wire::RefidCode("DENY"), wire::RefidCode("RSTR")}) {
    Fixture f;
    wire::Header kiss = Kiss(f, code, 17);
    kiss.origin = NtpTimestamp::FromRaw(4711);
    const PeerSnapshot before = f.State();
    assert_true(f.Take(kiss).error() == Reject::kBogusOrigin);
    assert_true(f.State() == before);
    assert_false(f.association.stopped());
  }
}

void KissNeedsAMacOnAKeyedAssociation(void**) {
  Fixture f(Keyed());
  const PeerSnapshot before = f.State();
  assert_true(f.Take(Kiss(f, wire::RefidCode("DENY"))).error() == Reject::kNoMac);
  assert_true(f.State() == before);
  assert_true(f.Take(Kiss(f, wire::RefidCode("DENY")), 0, kGood).error() == Reject::kDenied);
}

// S3767: a RATE with a wild poll field asserted.
void RateWithAnyPollSlowsDownWithinBounds(void**) {
  for (int poll = 0; poll < 256; ++poll) {
    Fixture f;
    const wire::Header kiss =
        Kiss(f, wire::RefidCode("RATE"), static_cast<int8_t>(static_cast<uint8_t>(poll)));
    assert_true(f.Take(kiss).error() == Reject::kRate);
    assert_in_range(f.association.schedule().poll(), 7, 10);
    assert_true(f.association.next_poll() - At(0) > 100);
    // The discipline cannot bring it back below what RATE asked for.
    const int slowed = f.association.schedule().poll();
    f.association.SetSystemPoll(3);
    assert_int_equal(f.association.schedule().poll(), slowed);
  }
}

void DenyStopsUntilRestart(void**) {
  for (uint32_t code : {wire::RefidCode("DENY"), wire::RefidCode("RSTR")}) {
    Fixture f;
    assert_true(f.Take(Kiss(f, code)).error() == Reject::kDenied);
    assert_true(f.association.stopped());
    assert_false(f.association.due(At(1e9)));
    f.association.Restart(wire::RefidCode("INIT"), At(100));
    assert_true(f.association.due(At(100)));
  }
}

void OtherKissCodesAreOnlyUnsynchronised(void**) {
  Fixture f;
  assert_true(f.Take(Kiss(f, wire::RefidCode("INIT"))).error() == Reject::kKiss);
  assert_false(f.association.stopped());
  assert_int_equal(f.association.schedule().poll(), 6);
}

// --- packet tests -------------------------------------------------------------------------------

// CVE-2016-4954: a spoofed packet set the leap bits.
void FieldsCommitOnlyAfterAllChecks(void**) {
  Fixture f;
  assert_true(f.Take(f.Reply()).ok());
  f.Send(NtpTimestamp::FromRaw(99), 64);
  wire::Header spoof = f.Reply(64);
  spoof.leap = wire::Leap::kAddSecond;
  spoof.stratum = 1;
  spoof.origin = kNonce;
  const PeerSnapshot before = f.State();
  assert_false(f.Take(spoof, 64).ok());
  assert_true(f.State() == before);
  assert_true(f.association.last_header().leap == wire::Leap::kNone);
}

// CVE-2020-11868: a spoof delayed the next poll.
void SpoofLeavesTheScheduleUnchanged(void**) {
  Fixture f;
  const MonoTime next = f.association.next_poll();
  wire::Header spoof = f.Reply();
  spoof.poll = 17;
  spoof.origin = NtpTimestamp::FromRaw(4);
  for (int i = 0; i < 1000; ++i) assert_false(f.Take(spoof).ok());
  assert_true(f.association.next_poll() == next);
  assert_int_equal(f.association.schedule().reach(), 0);
}

void PollFieldOfAGenuineReplyDoesNotRuleUs(void**) {
  Fixture f;
  wire::Header reply = f.Reply();
  reply.poll = 17;
  assert_true(f.Take(reply).ok());
  assert_int_equal(f.association.schedule().poll(), 6);
}

void UnsynchronisedServerIsReachedButNotSampled(void**) {
  for (int i = 0; i < 3; ++i) {
    Fixture f;
    wire::Header reply = f.Reply();
    if (i == 0) reply.leap = wire::Leap::kAlarm;
    if (i == 1) reply.stratum = 16;
    if (i == 2) reply.stratum = 255;
    assert_true(f.Take(reply).error() == Reject::kUnsynchronised);
    assert_int_equal(f.association.schedule().reach(), 1);
    assert_true((f.association.packet_flash() & wire::kFlashStratum) != 0);
    assert_false(f.association.filter().has_sample());
    assert_true((f.association.Unfit(At(1), {}) & wire::kFlashPeerStratum) != 0);
  }
}

void UnsetTimesAreRefused(void**) {
  for (int i = 0; i < 2; ++i) {
    Fixture f;
    wire::Header reply = f.Reply();
    (i == 0 ? reply.receive : reply.transmit) = NtpTimestamp();
    assert_true(f.Take(reply).error() == Reject::kBadTimestamp);
    assert_true((f.association.packet_flash() & wire::kFlashUnsynchronised) != 0);
  }
}

void ImpossibleRoundTripsAreRefused(void**) {
  Fixture backwards;
  assert_true(
      backwards.association.OnReply(backwards.Reply(), std::nullopt, Later(-1), At(1)).error() ==
      Reject::kBadTimestamp);
  Fixture slow;
  wire::Header reply = slow.Reply();
  reply.transmit = Later(1000);
  assert_true(slow.Take(reply).error() == Reject::kBadTimestamp);
  Fixture reversed;
  reply = reversed.Reply();
  reply.transmit = reply.receive + NtpDuration::FromSeconds(-0.5);
  assert_true(reversed.Take(reply).error() == Reject::kBadTimestamp);
}

void DelayIsNeverBelowThePrecision(void**) {
  Fixture f;
  wire::Header reply = f.Reply();
  reply.receive = Later(0);
  reply.transmit = Later(0.5);  // longer than the round trip
  const auto sample = f.Take(reply);
  assert_true(sample.ok());
  assert_true(sample->delay == Log2Seconds(-20));
}

void FarRootAndFutureReferenceAreRefused(void**) {
  Fixture far;
  wire::Header reply = far.Reply();
  reply.root_dispersion = wire::NtpShort::FromSeconds(15.99);
  reply.root_delay = wire::NtpShort::FromSeconds(0.1);
  assert_true(far.Take(reply).error() == Reject::kBadHeader);
  assert_true((far.association.packet_flash() & wire::kFlashHeader) != 0);
  Fixture future;
  reply = future.Reply();
  reply.reference = reply.transmit + NtpDuration::FromSeconds(1);
  assert_true(future.Take(reply).error() == Reject::kBadHeader);
}

// CVE-2015-5219: a precision below -31 divided by zero.
void EveryPrecisionIsSurvived(void**) {
  for (int precision = -128; precision < 128; ++precision) {
    Fixture f;
    wire::Header reply = f.Reply();
    reply.precision = static_cast<int8_t>(precision);
    const auto sample = f.Take(reply);
    assert_true(sample.ok());
    assert_true(std::isfinite(sample->dispersion));
    assert_true(sample->dispersion > 0 && sample->dispersion <= kMaxDispersion);
    assert_true(std::isfinite(f.association.RootDistanceAt(At(1))));
  }
}

// CVE-2016-7433: golden values of RFC 5905 section 11.1, computed by hand.
void RootDistanceFollowsTheFormula(void**) {
  RootDistanceTerms terms;
  terms.delay = 0.040;
  terms.root_delay = 0.020;
  terms.dispersion = 0.003;
  terms.root_dispersion = 0.005;
  terms.jitter = 0.001;
  terms.age = 100;
  // (0.040 + 0.020) / 2 + 0.003 + 0.005 + 0.0015 + 0.001
  assert_true(std::abs(RootDistance(terms, 15e-6, 0.001) - 0.0405) < 1e-12);
  assert_true(RootDistance({}, 15e-6, 0.001) == 0.001);
}

void SourceThatFollowsUsIsALoop(void**) {
  Fixture f;
  assert_true(f.Take(f.Reply()).ok());
  const uint32_t own[] = {0x0a0000ff, 0x01020304};
  assert_true((f.association.Unfit(At(1), own) & wire::kFlashPeerLoop) != 0);
  const uint32_t other[] = {0x0a0000ff};
  assert_true((f.association.Unfit(At(1), other) & wire::kFlashPeerLoop) == 0);
}

void RefidOfAStratumOneSourceIsNoAddress(void**) {
  Fixture f;
  wire::Header reply = f.Reply();
  reply.stratum = 1;
  assert_true(f.Take(reply).ok());
  const uint32_t own[] = {0x01020304};
  assert_true((f.association.Unfit(At(1), own) & wire::kFlashPeerLoop) == 0);
}

void NoselectIsNeverFit(void**) {
  AssociationConfig config;
  config.noselect = true;
  Fixture f(config);
  assert_true(f.Take(f.Reply()).ok());
  assert_true((f.association.Unfit(At(1), {}) & wire::kFlashPeerUnreachable) != 0);
}

void SecondSampleMakesTheSourceFit(void**) {
  Fixture f;
  assert_true(f.Take(f.Reply()).ok());
  assert_int_equal(f.association.Unfit(At(1), {}), wire::kFlashPeerDistance);
  f.Send(NtpTimestamp::FromRaw(99), 2);
  assert_true(f.Take(f.Reply(2), 2).ok());
  assert_int_equal(f.association.Unfit(At(3), {}), 0);
}

// A reply without times, as in Autokey's dance, does not tell it: our own poll is what is shown.
void ThePeersPollIsKnownFromAReplyWithTimes(void**) {
  AssociationConfig config = Autokeyed();
  config.poll.minpoll = 4;
  Fixture f(config);
  assert_int_equal(SnapshotOf(f.association, At(0)).ppoll, config.poll.maxpoll);
  assert_true(f.association.OnHeard(f.Reply(), At(0.02)).ok());
  assert_int_equal(SnapshotOf(f.association, At(1)).ppoll, config.poll.maxpoll);
  f.Send(kNonce, 16);
  assert_true(f.Take(f.Reply(16), 16, MacVerdict{kKey, MacResult::kGood}).ok());
  assert_int_equal(SnapshotOf(f.association, At(17)).ppoll, 6);
  f.Send(kNonce, 32);
  wire::Header hasty = f.Reply(32);
  hasty.poll = 0;
  (void)f.Take(hasty, 32, MacVerdict{kKey, MacResult::kGood});
  assert_int_equal(SnapshotOf(f.association, At(33)).ppoll, 4);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SampleHoldsOffsetDelayAndDispersion),
      cmocka_unit_test(SampleIsRightAcrossAnEra),
      cmocka_unit_test(HugeOffsetsDoNotOverflow),
      cmocka_unit_test(RequestDisclosesNothingButTheNonce),
      cmocka_unit_test(EveryBitOfTheNonceCounts),
      cmocka_unit_test(ZeroNonceIsNeverSent),
      cmocka_unit_test(RejectsZeroOriginWithNothingOutstanding),
      cmocka_unit_test(RejectsReplyToVoidedNonce),
      cmocka_unit_test(RejectsASecondCopy),
      cmocka_unit_test(ForgedReplyDoesNotCostTheGenuineOne),
      cmocka_unit_test(InterleavedReplyIsRefused),
      cmocka_unit_test(OnlyServerModeIsAReply),
      cmocka_unit_test(MatchReplyChangesNothing),
      cmocka_unit_test(SteppedClockVoidsTheExchange),
      cmocka_unit_test(SnapshotNeverHoldsALiveTransmitTime),
      cmocka_unit_test(KeyedAssociationDropsABareReply),
      cmocka_unit_test(BadMacLeavesTheStateIdentical),
      cmocka_unit_test(GoodMacOfAnotherKeyIsRefused),
      cmocka_unit_test(AutokeyReplyNeedsTheKeyOfItsOwnRequest),
      cmocka_unit_test(KeyedRequestSentWithoutKeyProvesNothing),
      cmocka_unit_test(CryptoNakNeedsTheOutstandingOriginAndKeyZero),
      cmocka_unit_test(ReplyForAnUnknownAssociationCreatesNothing),
      cmocka_unit_test(ReplyWithExtensionFieldsCountsForReachAndNothingElse),
      cmocka_unit_test(KissNeedsTheMatchingOrigin),
      cmocka_unit_test(KissNeedsAMacOnAKeyedAssociation),
      cmocka_unit_test(RateWithAnyPollSlowsDownWithinBounds),
      cmocka_unit_test(DenyStopsUntilRestart),
      cmocka_unit_test(OtherKissCodesAreOnlyUnsynchronised),
      cmocka_unit_test(FieldsCommitOnlyAfterAllChecks),
      cmocka_unit_test(SpoofLeavesTheScheduleUnchanged),
      cmocka_unit_test(PollFieldOfAGenuineReplyDoesNotRuleUs),
      cmocka_unit_test(UnsynchronisedServerIsReachedButNotSampled),
      cmocka_unit_test(UnsetTimesAreRefused),
      cmocka_unit_test(ImpossibleRoundTripsAreRefused),
      cmocka_unit_test(DelayIsNeverBelowThePrecision),
      cmocka_unit_test(FarRootAndFutureReferenceAreRefused),
      cmocka_unit_test(EveryPrecisionIsSurvived),
      cmocka_unit_test(RootDistanceFollowsTheFormula),
      cmocka_unit_test(SourceThatFollowsUsIsALoop),
      cmocka_unit_test(RefidOfAStratumOneSourceIsNoAddress),
      cmocka_unit_test(NoselectIsNeverFit),
      cmocka_unit_test(ThePeersPollIsKnownFromAReplyWithTimes),
      cmocka_unit_test(SecondSampleMakesTheSourceFit),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
