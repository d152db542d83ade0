// One exchange: which reply is the answer to our request, and what it measures.
//
// Interleaved modes do not exist here (CVE-2018-7184); symmetric and broadcast modes are in
// modes_test.cc and dispatch_test.cc.
#include "ntpd/core/association.h"

#include <cmath>
#include <cstring>

#include "tests/core/association_fixture.h"

namespace ntpward::core {
namespace {

using namespace ntpward::core::test;

void SampleHoldsOffsetDelayAndDispersion(void**) {
  Fixture f;
  const auto sample = f.Take(f.Reply());
  assert_true(sample.ok());
  assert_true(std::abs(sample->offset - 1.0) < 1e-9);
  assert_true(std::abs(sample->delay - 0.020) < 1e-9);
  assert_true(std::abs(sample->dispersion - (2 * Log2Seconds(-20) + 15e-6 * 0.021)) < 1e-12);
}

// It shows that a clock was moved between the two packets, not that they were fast.
void ADelayBelowZeroIsNoShortOne(void**) {
  Fixture f;
  wire::Header reply = f.Reply();
  reply.transmit = reply.receive + NtpDuration::FromSeconds(0.041);
  const auto sample = f.Take(reply);
  assert_true(sample.ok());
  assert_true(std::abs(sample->delay - 0.020) < 1e-9);
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

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SampleHoldsOffsetDelayAndDispersion),
      cmocka_unit_test(ADelayBelowZeroIsNoShortOne),
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
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
