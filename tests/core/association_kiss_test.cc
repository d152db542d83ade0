// Kisses of death: only genuine ones count, and only within bounds.
#include "ntpd/wire/refid.h"
#include "tests/core/association_fixture.h"

namespace ntpward::core {
namespace {

using namespace ntpward::core::test;

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

void RateIsAReferenceOnlyOfAServerWithoutOne(void**) {
  Fixture f;
  assert_true(f.Take(Kiss(f, wire::RefidCode("RATE"))).error() == Reject::kRate);
  assert_int_equal(f.association.refid(), wire::RefidCode("RATE"));
  Fixture followed;
  assert_true(followed.Take(followed.Reply()).ok());
  const uint32_t reference = followed.association.refid();
  assert_true(followed.association.stratum() < wire::kStratumUnsynchronised);
  followed.Send(Later(63), 64);
  assert_true(followed.Take(Kiss(followed, wire::RefidCode("RATE")), 64).error() == Reject::kRate);
  assert_int_equal(followed.association.refid(), reference);
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

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(KissNeedsTheMatchingOrigin),
      cmocka_unit_test(KissNeedsAMacOnAKeyedAssociation),
      cmocka_unit_test(RateWithAnyPollSlowsDownWithinBounds),
      cmocka_unit_test(DenyStopsUntilRestart),
      cmocka_unit_test(RateIsAReferenceOnlyOfAServerWithoutOne),
      cmocka_unit_test(OtherKissCodesAreOnlyUnsynchronised),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
