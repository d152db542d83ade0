// A genuine reply's header: what it may change, and what makes the source unfit.
#include <cmath>

#include "tests/core/association_fixture.h"

namespace ntpward::core {
namespace {

using namespace ntpward::core::test;

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
  reply.transmit = Later(0.021);  // as long as the round trip
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

// A reply without times, as in Autokey's dance, does not tell it: our own poll is what is shown.
void ThePeersPollIsKnownFromAReplyWithTimes(void**) {
  AssociationConfig config = Autokeyed();
  config.poll.minpoll = 4;
  Fixture f(config);
  assert_int_equal(SnapshotOf(f.association, At(0)).ppoll, config.poll.maxpoll);
  assert_true(f.association.OnHeard(f.Reply(), NtpTimestamp(), At(0.02)).ok());
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

void SecondSampleMakesTheSourceFit(void**) {
  Fixture f;
  assert_true(f.Take(f.Reply()).ok());
  assert_int_equal(f.association.Unfit(At(1), {}), wire::kFlashPeerDistance);
  f.Send(NtpTimestamp::FromRaw(99), 2);
  assert_true(f.Take(f.Reply(2), 2).ok());
  assert_int_equal(f.association.Unfit(At(3), {}), 0);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
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
