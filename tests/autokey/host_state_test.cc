// When the host's values are signed, and what its status word says.
#include "ntpd/autokey/host_state.h"

#include "ntpd/autokey/crypto_statistics.h"
#include "ntpd/autokey/outcome.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

constexpr LeapValues kTable{37, NtpSeconds{3692217600}, NtpSeconds{4019845448}};

MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

struct Host {
  Host() : party("server", TestKey::Shared(0), true, kIff) {}
  bool Due(double at, bool synchronised = true) {
    return party.host.DueUpdate(At(at), NtpSeconds{kTestNow}, synchronised).has_value();
  }
  void Answer() {
    msg::SignedValues values;
    values.timestamp = NtpSeconds{kTestNow};
    party.host.OnSignedValues(values);
  }
  Party party;
};

void AsksAtTheFirstSynchronisationAndNotBefore(void**) {
  Host host;
  assert_false(host.Due(0, false));
  assert_int_equal(host.party.host.update_time().value, 0);
  assert_true(host.Due(1));
  assert_false(host.Due(2));
  host.Answer();
  assert_int_equal(host.party.host.update_time().value, kTestNow);
  assert_false(host.Due(3));
}

void AsksAgainWhenNoAnswerCame(void**) {
  Host host;
  assert_true(host.Due(0));
  assert_false(host.Due(15));
  assert_true(host.Due(17));
}

void ARefusedUpdateKeepsTheOldValuesAndIsAskedAgain(void**) {
  Host host;
  assert_true(host.Due(0));
  host.Answer();
  assert_true(host.Due(131073));
  host.party.host.OnSignedValues({});
  assert_int_equal(host.party.host.update_time().value, kTestNow);
  assert_false(host.Due(131080));
  assert_true(host.Due(131090));
}

void RenewsEvery36Hours(void**) {
  Host host;
  assert_true(host.Due(0));
  host.Answer();
  assert_false(host.Due(131071));
  assert_true(host.Due(131073));
}

// A cookie is dated now and names the last update: clients refuse one whose update lies ahead.
void SignsAnewWhenItsClockWasSetBack(void**) {
  Host host;
  const auto due = [&](double at, uint32_t now) {
    return host.party.host.DueUpdate(At(at), NtpSeconds{now}, true).has_value();
  };
  const auto answer = [&](uint32_t now) {
    msg::SignedValues values;
    values.timestamp = NtpSeconds{now};
    host.party.host.OnSignedValues(values);
  };
  assert_true(due(0, kTestNow + 3600));
  answer(kTestNow + 3600);
  assert_false(due(1, kTestNow + 3600));
  assert_true(due(2, kTestNow));
  // ntpd-keys goes by a clock that is ahead of what we serve: once is enough all the same.
  answer(kTestNow + 3600);
  for (uint32_t i = 0; i < 100; ++i) assert_false(due(3 + i, kTestNow + i));
}

void ASecondUnaskedAnswerIsIgnored(void**) {
  Host host;
  host.Answer();
  assert_int_equal(host.party.host.update_time().value, 0);
}

void SignsNewLeapValuesAtOnceAndShowsThemOnlyThen(void**) {
  Host host;
  assert_true(host.Due(0));
  host.Answer();
  assert_int_equal(host.party.host.status_word(), 0x80021);
  host.party.host.SetLeap(kTable);
  const auto update = host.party.host.DueUpdate(At(1), NtpSeconds{kTestNow}, true);
  assert_true(update.has_value());
  assert_int_equal(update->tai, 37);
  assert_int_equal(update->leap_epoch, 3692217600);
  assert_int_equal(update->leap_expiry, 4019845448);
  assert_int_equal(host.party.host.status_word(), 0x80021);
  assert_true(host.party.host.signed_leap() == LeapValues{});
  // Changed again while the key process was at it: what it signed is what is shown.
  host.party.host.SetLeap({});
  host.Answer();
  assert_true(host.party.host.signed_leap() == kTable);
  assert_int_equal(host.party.host.status_word(), 0x80023);
  assert_true(host.Due(2));
  host.Answer();
  assert_int_equal(host.party.host.status_word(), 0x80021);
}

// Else a certificate that was issued to us after the update would look as if it came from the
// future.
void SignsAnewWhenACertificateCame(void**) {
  Host host;
  assert_true(host.Due(0));
  host.Answer();
  assert_false(host.Due(1));
  CertificateCache& cache = host.party.certificates;
  const uint32_t before = cache.revision();
  const auto key = TestKey::Shared(1);
  cache.Install(MakeParsed({.subject = "middle", .issuer = "top"}, key->pkey(), key->pkey()), true);
  assert_true(cache.revision() != before);
  host.party.host.OnCertificates(cache.revision());
  assert_true(host.Due(2));
  host.Answer();
  assert_false(host.Due(3));
  // The same once more changes nothing.
  cache.Install(MakeParsed({.subject = "middle", .issuer = "top"}, key->pkey(), key->pkey()), true);
  host.party.host.OnCertificates(cache.revision());
  assert_false(host.Due(4));
}

void TheKeyProcesssTaiBitDoesNotCount(void**) {
  Host host;
  host.party.material.status_word |= kTai;
  assert_true(host.party.host.SetMaterial(host.party.material).ok());
  assert_int_equal(host.party.host.status_word(), 0x80021);
}

void NewMaterialVoidsSignatures(void**) {
  Host host;
  assert_true(host.Due(0));
  host.Answer();
  assert_true(host.party.host.SetMaterial(host.party.material).ok());
  assert_int_equal(host.party.host.update_time().value, 0);
  assert_true(host.Due(1));
}

void UnreadableMaterialTurnsAutokeyOff(void**) {
  Host host;
  msg::HostMaterial broken = host.party.material;
  assert_true(broken.certificate.Assign(AsBytes("rubbish")));
  assert_false(host.party.host.SetMaterial(broken).ok());
  assert_false(host.party.host.enabled());
  assert_int_equal(host.party.host.status_word(), 0);
  assert_false(host.Due(0));
  broken = host.party.material;
  assert_true(broken.host_public_key.Assign(AsBytes("rubbish")));
  assert_false(host.party.host.SetMaterial(broken).ok());
  broken = host.party.material;
  assert_true(broken.subject.Assign(AsBytes("other")));
  assert_false(host.party.host.SetMaterial(broken).ok());
  assert_true(host.party.host.SetMaterial({}).ok());
  assert_false(host.party.host.enabled());
}

void PrintsTheReferencesWords(void**) {
  assert_string_equal(OutcomeLine(0x82070084, 5265, Outcome::kIdentity).c_str(),
                      "82070084 5265 10e bad_or_missing_group key");
  assert_string_equal(OutcomeLine(0x4206001e, 1, Outcome::kPeriod).c_str(),
                      "4206001e 1 10a host_certificate_expired");
  // What begins in the future has not expired; the number is the reference's of both.
  assert_string_equal(OutcomeLine(0x82020084, 5265, Outcome::kNotYetValid).c_str(),
                      "82020084 5265 10a host_certificate_not_yet_valid");
  for (size_t i = 0; i < kOutcomes; ++i) assert_false(OutcomeText(static_cast<Outcome>(i)).empty());
  assert_string_equal(SetupLine(0x80021, "server").c_str(),
                      "setup 0x80021 host server md5WithRSAEncryption");
  assert_string_equal(LeapLine(kTable, NtpSeconds{5}).c_str(),
                      "leap TAI offset 37 at 3692217600 expire 4019845448 fs 5");
  assert_string_equal(UpdateLine(NtpSeconds{4004293760}).c_str(), "signature update ts 4004293760");
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AsksAtTheFirstSynchronisationAndNotBefore),
      cmocka_unit_test(AsksAgainWhenNoAnswerCame),
      cmocka_unit_test(ARefusedUpdateKeepsTheOldValuesAndIsAskedAgain),
      cmocka_unit_test(RenewsEvery36Hours),
      cmocka_unit_test(SignsAnewWhenItsClockWasSetBack),
      cmocka_unit_test(ASecondUnaskedAnswerIsIgnored),
      cmocka_unit_test(SignsNewLeapValuesAtOnceAndShowsThemOnlyThen),
      cmocka_unit_test(SignsAnewWhenACertificateCame),
      cmocka_unit_test(TheKeyProcesssTaiBitDoesNotCount),
      cmocka_unit_test(NewMaterialVoidsSignatures),
      cmocka_unit_test(UnreadableMaterialTurnsAutokeyOff),
      cmocka_unit_test(PrintsTheReferencesWords),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
