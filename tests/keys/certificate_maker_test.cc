// Certificates: octet by octet what the reference makes from the same key and time.
#include "keys/certificate_maker.h"

#include "keys/private_key.h"
#include "keys/rsa.h"
#include "tests/keys/key_data.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::keys {
namespace {

using namespace ntpward::keys::test;
using ntpward::test::ToHex;

KeyPair Host(const std::string& file) {
  auto key = ReadRsaKey(Data(file), AsBytes(kServerPassword));
  CHECK(key.ok());
  return std::move(key).value();
}

void MakesTheReferencesCertificate(void**) {
  struct Row {
    const char *key, *certificate;
  };
  for (const Row& row :
       {Row{"426_host_server", "426_cert_server"}, Row{"428_host_server", "428_cert_server"},
        Row{"428_host_server_2048", "428_cert_server_sha256"}}) {
    const auto reference = ReadCertificateFile(Data(row.certificate));
    assert_true(reference.ok());
    const KeyPair key = Host(row.key);
    CertificateContent content;
    content.subject = content.issuer = "server";
    content.not_before = reference->not_before;
    content.serial = NtpFromUnix(reference->not_before).value;
    content.trusted = true;
    const auto made = MakeCertificate(content, key.key.get(), key.key.get(), reference->scheme);
    assert_true(made.ok());
    assert_string_equal(ToHex(*made).c_str(), ToHex(reference->der).c_str());
  }
}

void RefusesNamesThatAreNotPrintable(void**) {
  const KeyPair key = Host("428_host_server");
  const auto scheme = SignatureScheme::FromName("RSA-MD5");
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a\nb"), std::string("a\0b", 3),
        std::string("\xc3\xa4"), std::string(256, 'x')}) {
    CertificateContent content;
    content.subject = name;
    content.issuer = "server";
    assert_false(MakeCertificate(content, key.key.get(), key.key.get(), *scheme).ok());
  }
}

void SchemesAreThoseThatPeersVerify(void**) {
  for (const char* name :
       {"RSA-MD5", "RSA-SHA1", "RSA-SHA256", "RSA-SHA384", "RSA-SHA512", "RSA-RIPEMD160",
        "sha256WithRSAEncryption", "DSA-SHA1", "DSA-SHA224", "DSA-SHA256", "dsa_with_SHA256"})
    assert_true(SignatureScheme::FromName(name).ok());
  for (const char* name : {"", "MD5", "DSA-MD5", "DSA-SHA512", "DSA-SHA", "RSA-MD4", "nonsense",
                           "ecdsa-with-SHA256", "RSA-PSS"})
    assert_false(SignatureScheme::FromName(name).ok());
  assert_int_equal(SignatureScheme::FromName("RSA-SHA256")->nid, 668);
  assert_int_equal(SignatureScheme::FromName("RSA-MD5")->nid, 8);
  assert_int_equal(SignatureScheme::FromName("DSA-SHA1")->nid, 113);
  assert_true(SignatureScheme::FromName("DSA-SHA256")->dsa);
  assert_string_equal(SignatureScheme::FromNid(803)->name.c_str(), "DSA-SHA256");
}

void TimesConvertBothWays(void**) {
  assert_int_equal(UnixFromNtp({4004293698U}), 1795304898);
  assert_int_equal(NtpFromUnix(1795304898).value, 4004293698U);
  // Era 1 begins on 2036-02-07.
  assert_int_equal(UnixFromNtp({0}), 2085978496LL);
  assert_int_equal(NtpFromUnix(2085978496LL).value, 0);
}

}  // namespace
}  // namespace ntpward::keys

int main() {
  using namespace ntpward::keys;
  const CMUnitTest tests[] = {
      cmocka_unit_test(MakesTheReferencesCertificate),
      cmocka_unit_test(RefusesNamesThatAreNotPrintable),
      cmocka_unit_test(SchemesAreThoseThatPeersVerify),
      cmocka_unit_test(TimesConvertBothWays),
  };
  return cmocka_run_group_tests(tests, test::LoadCrypto, nullptr);
}
