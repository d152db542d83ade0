// Certificates from the network: the reference's are taken, hostile ones are not.
#include "ntpd/autokey/certificate.h"

#include <openssl/ec.h>
#include <openssl/err.h>

#include "keys/certificate_file.h"
#include "tests/autokey/captured_dances.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::autokey::test {
namespace {

using ntpward::test::ToHex;

EVP_PKEY* Key(int number) { return TestKey::Shared(number)->pkey(); }

Outcome OutcomeOf(const CertificateSpec& spec, uint32_t filestamp = kTestNow - 200) {
  const auto parsed =
      ParseCertificate(MakeCertificate(spec, Key(0), Key(0)), NtpSeconds{filestamp});
  return parsed.ok() ? Outcome::kOk : parsed.error();
}

void ReadsTheReferencesCertificate(void**) {
  const HostFiles& server = FindDance("s01c").host("server");
  const auto parsed = ParseCertificate(server.certificate, server.certificate_filestamp);
  assert_true(parsed.ok());
  assert_string_equal(parsed->subject.c_str(), "server");
  assert_string_equal(parsed->issuer.c_str(), "server");
  assert_string_equal(ToHex(parsed->serial.span()).c_str(), "eeacac42");
  assert_string_equal(MinuteText(parsed->not_before).c_str(), "202611212348");
  assert_string_equal(MinuteText(parsed->not_after).c_str(), "202711212348");
  assert_int_equal(parsed->scheme, 8);
  assert_true(parsed->trusted);
  assert_false(parsed->private_use);
  assert_true(parsed->self_signed());
  assert_int_equal(parsed->key.exponent, 3);
  assert_int_equal(parsed->key.modulus.size(), 64);
  assert_true(parsed->group_value.empty());
  assert_true(parsed->der == server.certificate);
}

void ReadsEveryCapturedCertificate(void**) {
  for (const CapturedDance& dance : CapturedDances())
    for (const HostFiles& files : dance.hosts)
      assert_true(ParseCertificate(files.certificate, files.certificate_filestamp).ok());
}

void ReadsTheGroupValueOfGq(void**) {
  const HostFiles& server = FindDance("s05a").host("server");
  const auto parsed = ParseCertificate(server.certificate, server.certificate_filestamp);
  assert_string_equal(ToHex(parsed->group_value.span()).c_str(),
                      "3a7f95b95bc8ac1082c4f4ee8a44a02deca31dd5acdefc2ef25fd90ffd47a07e");
  // The reference misreads values of more than 127 octets; here they are whole.
  CertificateSpec spec;
  spec.group_value.assign(200, 7);
  assert_int_equal(MakeParsed(spec, Key(0), Key(0)).group_value.size(), 200);
}

void DsaKeysAreRead(void**) {
  const HostFiles& server = FindDance("s13d").host("server");
  const auto parsed = ParseCertificate(server.certificate, server.certificate_filestamp);
  assert_true(parsed->key.kind == KeyKind::kDsa);
  assert_int_equal(parsed->scheme, 113);
}

void RefusesEveryPrefixAndEveryExtension(void**) {
  const HostFiles& server = FindDance("s01c").host("server");
  for (size_t size = 0; size < server.certificate.size(); ++size)
    assert_false(
        ParseCertificate(Bytes(server.certificate).first(size), server.certificate_filestamp).ok());
  auto longer = server.certificate;
  longer.push_back(0);
  assert_false(ParseCertificate(longer, server.certificate_filestamp).ok());
}

// A self-signed certificate is signed to its last bit; nothing of what is believed can be changed.
void RefusesEveryChangedOctet(void**) {
  const HostFiles& server = FindDance("s01c").host("server");
  size_t accepted = 0;
  for (size_t at = 0; at < server.certificate.size(); ++at) {
    for (const int bit : {0x01, 0x20, 0x80}) {
      auto changed = server.certificate;
      changed[at] = static_cast<uint8_t>(changed[at] ^ bit);
      const auto parsed = ParseCertificate(changed, server.certificate_filestamp);
      // With another issuer it is somebody else's to verify.
      if (parsed.ok() && parsed->self_signed()) ++accepted;
    }
  }
  assert_int_equal(accepted, 0);
}

void RefusesMoreThanAFieldCanHold(void**) {
  CertificateSpec spec;
  spec.group_value.assign(512, 1);
  for (int i = 0; i < 200; ++i) spec.usages.push_back("1.3.6.1.4.1." + std::to_string(i));
  const auto der = MakeCertificate(spec, Key(0), Key(0));
  assert_true(der.size() > msg::kMaxCertificate);
  assert_false(ParseCertificate(der, NtpSeconds{}).ok());
}

void TrustIsThatOneUsageAlone(void**) {
  CertificateSpec spec;
  spec.usages = kTrustRoot;
  assert_true(MakeParsed(spec, Key(0), Key(0)).trusted);
  spec.usages = {"1.3.6.1.5.5.7.48.1.11", "1.3.6.1.5.5.7.3.1"};
  assert_false(MakeParsed(spec, Key(0), Key(0)).trusted);
  spec.usages = {"1.3.6.1.5.5.7.48.1.12"};
  assert_false(MakeParsed(spec, Key(0), Key(0)).trusted);
  spec.usages = {"1.3.6.1.4"};
  assert_true(MakeParsed(spec, Key(0), Key(0)).private_use);
  assert_false(MakeParsed(spec, Key(0), Key(0)).trusted);
}

void RefusesAnExtensionThatIsThereTwice(void**) {
  CertificateSpec spec;
  spec.usages = kTrustRoot;
  spec.usage_twice = true;
  assert_int_equal(OutcomeOf(spec), Outcome::kCertificate);
}

void RefusesNamesThatCouldBeReadInTwoWays(void**) {
  for (const char* name : {"a b", "a\nb", "a\"b", "\xc3\xa4", "a\tb"}) {
    CertificateSpec spec;
    spec.subject = spec.issuer = name;
    assert_int_equal(OutcomeOf(spec), Outcome::kCertificate);
  }
  CertificateSpec spec;
  spec.second_name = true;
  assert_int_equal(OutcomeOf(spec), Outcome::kCertificate);
  spec = {};
  spec.subject = spec.issuer = std::string("a\0b", 3);
  assert_int_equal(OutcomeOf(spec), Outcome::kCertificate);
}

void RefusesDatesOutOfOrder(void**) {
  CertificateSpec spec;
  std::swap(spec.not_before, spec.not_after);
  assert_int_equal(OutcomeOf(spec, 0), Outcome::kCertificate);
  spec = {};
  assert_int_equal(OutcomeOf(spec, kTestNow - 99), Outcome::kCertificate);
  assert_int_equal(OutcomeOf(spec, kTestNow - 100), Outcome::kOk);
}

// Two-digit years end in 2049, timestamps wrap in 2036: neither may turn the order of dates around.
void DatesBeyond2036And2050KeepTheirOrder(void**) {
  const CalendarSeconds year_2036 = CalendarSeconds{1} << 32;
  CertificateSpec spec;
  spec.not_before = year_2036 - 1000;
  spec.not_after = year_2036 + 20 * kYear;
  const Certificate parsed = MakeParsed(spec, Key(0), Key(0), 0xfffffc00);
  assert_true(parsed.not_before == spec.not_before);
  assert_true(parsed.not_after == spec.not_after);
  assert_true(parsed.ValidAt(Unfold(NtpSeconds{5})));
  assert_false(parsed.ValidAt(Unfold(NtpSeconds{0xf0000000})));
  // A filestamp of 2036 is later than a certificate of before.
  assert_int_equal(OutcomeOf(spec, 5), Outcome::kCertificate);
  assert_true(Earlier(NtpSeconds{0xffffffff}, NtpSeconds{0}));
  // 1970 is the first year, 2106 the last.
  assert_true(Earlier(NtpSeconds{kUnixToNtpSeconds}, NtpSeconds{kTestNow}));
  assert_true(Earlier(NtpSeconds{kTestNow}, NtpSeconds{kUnixToNtpSeconds - 1}));
  assert_false(Earlier(NtpSeconds{0}, NtpSeconds{0xffffffff}));
}

void RefusesKeysThatAreNeitherRsaNorDsa(void**) {
  const PkeyPtr curve(EVP_EC_gen("P-256"));
  CertificateSpec spec;
  spec.issuer = "other";
  const auto der = MakeCertificate(spec, curve.get(), Key(0));
  assert_int_equal(ParseCertificate(der, NtpSeconds{}).error(), Outcome::kPublicKey);
  spec.scheme = NID_sha256WithRSAEncryption;
  const auto by_curve = MakeCertificate(spec, Key(0), curve.get());
  assert_int_equal(ParseCertificate(by_curve, NtpSeconds{}).error(), Outcome::kCertificate);
}

// A number that takes seconds to work with must be refused by its size.
void RefusesKeysOfMoreThan4096Bits(void**) {
  const auto giant = [](size_t octets, Bytes exponent) {
    std::vector<uint8_t> der(4 + 5 + octets + 2 + exponent.size());
    const std::vector<uint8_t> modulus(octets, 0xff);
    Writer writer(der);
    writer.U16(0x3082), writer.U16(static_cast<uint16_t>(der.size() - 4));
    writer.U16(0x0282), writer.U16(static_cast<uint16_t>(octets + 1));
    writer.U8(0), writer.Put(modulus);
    writer.U8(2), writer.U8(static_cast<uint8_t>(exponent.size())), writer.Put(exponent);
    CHECK(writer.Finish());
    return der;
  };
  const std::vector<uint8_t> three = {3}, one = {1}, even = {4}, negative = {0xff}, big(5, 0x11),
                             most = {0, 0xff, 0xff, 0xff, 0xff};
  assert_true(ParseRsaPublicKey(giant(512, three)).has_value());
  assert_false(ParseRsaPublicKey(giant(513, three)).has_value());
  assert_true(ParseRsaPublicKey(giant(512, most)).has_value());
  for (const auto& exponent : {one, even, big}) {
    assert_false(ParseRsaPublicKey(giant(512, exponent)).has_value());
  }
  assert_false(ParseRsaPublicKey(giant(512, negative)).has_value());
  auto trailing = giant(512, three);
  trailing.push_back(0);
  assert_false(ParseRsaPublicKey(trailing).has_value());
  assert_false(ParseRsaPublicKey(giant(31, three)).has_value());
}

void VerifiesTheIssuerOnly(void**) {
  CertificateSpec spec;
  spec.subject = "client";
  const Certificate issued = MakeParsed(spec, Key(1), Key(0));
  assert_true(VerifyCertificate(issued, TestKey::Shared(0)->public_key()));
  assert_false(VerifyCertificate(issued, TestKey::Shared(1)->public_key()));
  assert_false(VerifyCertificate(issued, PublicKey{}));
}

// CVE-2009-0021: whatever OpenSSL returns but exact success is a refusal, an error too.
void OnlyExactSuccessPasses(void**) {
  const std::vector<uint8_t> data = {1, 2, 3};
  const auto key = TestKey::Shared(0);
  const auto signature = key->Sign(8, data);
  const PublicKey public_key = key->public_key();
  assert_int_equal(VerifySignature(8, public_key, data, signature), Outcome::kOk);
  for (const auto& wrong :
       {std::vector<uint8_t>(64, 0xff), std::vector<uint8_t>(64, 0), std::vector<uint8_t>(64, 1)})
    assert_int_equal(VerifySignature(8, public_key, data, wrong), Outcome::kSignature);
  for (const size_t size : {0U, 1U, 63U, 65U, 128U})
    assert_int_equal(VerifySignature(8, public_key, data, std::vector<uint8_t>(size, 1)),
                     Outcome::kSignatureLength);
  for (const int nid : {0, 4, 6, 113, 794, 912, -1, 65535})
    assert_int_equal(VerifySignature(nid, public_key, data, signature), Outcome::kDigestType);
  // Another digest than the one signed with.
  assert_int_equal(VerifySignature(668, public_key, data, signature), Outcome::kSignature);
  // A key that OpenSSL does not take.
  PublicKey broken = public_key;
  broken.modulus.Clear();
  assert_int_equal(VerifySignature(8, broken, data, signature), Outcome::kPublicKey);
}

void DsaSignaturesWithRubbishThatCannotBeParsedAreRefused(void**) {
  const HostFiles& server = FindDance("s13d").host("server");
  const auto parsed = ParseCertificate(server.certificate, server.certificate_filestamp);
  const std::vector<uint8_t> data = {1, 2, 3};
  for (const int second : {0x00, 0x2c, 0x2e, 0x7f, 0x80, 0xff})
    for (size_t size = 1; size <= 48; ++size) {
      std::vector<uint8_t> signature(size, 0x02);
      signature[0] = 0x30;
      if (size > 1) signature[1] = static_cast<uint8_t>(second);
      assert_int_equal(VerifySignature(113, parsed->key, data, signature), Outcome::kSignature);
    }
}

void LeavesNoErrorBehind(void**) {
  (void)ParseCertificate(std::vector<uint8_t>(50, 0x30), NtpSeconds{});
  (void)ParseRsaPublicKey(std::vector<uint8_t>(50, 0x30));
  assert_int_equal(ERR_peek_error(), 0);
}

// Or a host would serve with a certificate that it and its clients refuse.
void WhatTheKeyProcessTakesCanBeVerified(void**) {
  int taken = 0;
  for (int nid = 1; nid < 2000; ++nid) {
    if (!keys::SignatureScheme::FromNid(nid).ok()) continue;
    ++taken;
    assert_true(IsKnownScheme(nid));
  }
  assert_true(taken >= 14);
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ReadsTheReferencesCertificate),
      cmocka_unit_test(ReadsEveryCapturedCertificate),
      cmocka_unit_test(ReadsTheGroupValueOfGq),
      cmocka_unit_test(DsaKeysAreRead),
      cmocka_unit_test(RefusesEveryPrefixAndEveryExtension),
      cmocka_unit_test(RefusesEveryChangedOctet),
      cmocka_unit_test(RefusesMoreThanAFieldCanHold),
      cmocka_unit_test(TrustIsThatOneUsageAlone),
      cmocka_unit_test(RefusesAnExtensionThatIsThereTwice),
      cmocka_unit_test(RefusesNamesThatCouldBeReadInTwoWays),
      cmocka_unit_test(RefusesDatesOutOfOrder),
      cmocka_unit_test(DatesBeyond2036And2050KeepTheirOrder),
      cmocka_unit_test(RefusesKeysThatAreNeitherRsaNorDsa),
      cmocka_unit_test(RefusesKeysOfMoreThan4096Bits),
      cmocka_unit_test(VerifiesTheIssuerOnly),
      cmocka_unit_test(OnlyExactSuccessPasses),
      cmocka_unit_test(DsaSignaturesWithRubbishThatCannotBeParsedAreRefused),
      cmocka_unit_test(LeavesNoErrorBehind),
      cmocka_unit_test(WhatTheKeyProcessTakesCanBeVerified),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
