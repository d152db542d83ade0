// links: autokey
//
// Four octets of filestamp, then what may be a certificate or a public key. What is accepted keeps
// every bound that the rest of the program relies on.
#include "ntpd/autokey/certificate_cache.h"
#include "privsep/base/text.h"

using namespace ntpward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader reader(Bytes(data, size));
  const NtpSeconds filestamp{reader.U32()};
  const Bytes der = reader.Rest();
  (void)autokey::ParsePublicKeyInfo(der);
  if (const auto key = autokey::ParseRsaPublicKey(der)) {
    CHECK(key->modulus.size() >= autokey::kMinModulusOctets && key->modulus.span()[0] != 0);
    CHECK((key->modulus.span().back() & 1) == 1 && key->exponent >= 3);
    // OpenSSL, who may take more, reads the same out of it.
    const uint8_t* in = der.data();
    const PkeyPtr same(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &in, static_cast<long>(der.size())));
    CHECK(same != nullptr && autokey::PublicKeyOf(same.get()) == *key);
  }
  const auto certificate = autokey::ParseCertificate(der, filestamp);
  if (!certificate.ok()) return 0;
  CHECK(IsPrintableName(certificate->subject));
  CHECK(IsPrintableName(certificate->issuer));
  CHECK(certificate->not_before <= certificate->not_after);
  CHECK(certificate->der.size() <= msg::kMaxCertificate);
  CHECK(!certificate->self_signed() || autokey::VerifyCertificate(*certificate, certificate->key));
  autokey::CertificateCache cache;
  cache.Install(*certificate, false);
  CHECK(cache.Lines().size() == 1);
  return 0;
}
