// What a MAC, a missing MAC and a crypto-NAK do to an association.
#include "tests/core/association_fixture.h"

namespace ntpward::core {
namespace {

using namespace ntpward::core::test;

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
  assert_false(engine.OnHeard(AssocId{9}, f.Reply(), NtpTimestamp(), At(1)).ok());
  assert_true(engine.Ids().empty());
}

void ReplyWithExtensionFieldsCountsForReachAndNothingElse(void**) {
  Fixture f(Autokeyed());
  assert_true(f.association.OnHeard(f.Reply(), NtpTimestamp(), At(0.02)).ok());
  assert_int_equal(f.association.schedule().reach(), 1);
  assert_int_equal(f.association.schedule().unreach(), 0);
  assert_false(f.association.filter().has_sample());
  assert_int_equal(f.association.stratum(), 16);
  assert_true(f.association.OnHeard(f.Reply(), NtpTimestamp(), At(0.03)).error() ==
              Reject::kDuplicate);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(KeyedAssociationDropsABareReply),
      cmocka_unit_test(BadMacLeavesTheStateIdentical),
      cmocka_unit_test(GoodMacOfAnotherKeyIsRefused),
      cmocka_unit_test(AutokeyReplyNeedsTheKeyOfItsOwnRequest),
      cmocka_unit_test(KeyedRequestSentWithoutKeyProvesNothing),
      cmocka_unit_test(CryptoNakNeedsTheOutstandingOriginAndKeyZero),
      cmocka_unit_test(ReplyForAnUnknownAssociationCreatesNothing),
      cmocka_unit_test(ReplyWithExtensionFieldsCountsForReachAndNothingElse),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
