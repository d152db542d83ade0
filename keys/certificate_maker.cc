#include "keys/certificate_maker.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "keys/der.h"
#include "privsep/base/text.h"

namespace ntpward::keys {
namespace {

// What a signature of RFC 8017 section 9.2 holds beside the digest's name and the digest.
constexpr int kPadding = 11;
constexpr int kBitsPerOctet = 8;

// Octets of a DigestInfo before the digest itself, by the digest's size: of MD5, of SHA1 and
// RIPEMD160, of SHA2.
int DigestNameOctets(int digest_octets) {
  constexpr int kOfMd5 = 16, kOfSha1 = 20;
  return digest_octets <= kOfMd5 ? 18 : digest_octets == kOfSha1 ? 15 : 19;
}

bool SetName(X509_NAME* name, const std::string& text) {
  // UTF8String, like the reference.
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, AsBytes(text).data(),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

bool AddExtension(X509* certificate, int nid, const char* value) {
  std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>> extension(
      X509V3_EXT_nconf_nid(nullptr, nullptr, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Proper DER whatever its length. ntpd 4.2.6 skips two octets to find the value, which is right up
// to 127 octets and takes a part of the header for the value beyond.
bool AddGroupValue(X509* certificate, Bytes value) {
  std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>> octets(
      ASN1_OCTET_STRING_new());
  return octets != nullptr &&
         ASN1_OCTET_STRING_set(octets.get(), value.data(), static_cast<int>(value.size())) == 1 &&
         X509_add1_ext_i2d(certificate, NID_subject_key_identifier, octets.get(), 0,
                           X509V3_ADD_DEFAULT) == 1;
}

// As X509_set_pubkey() does, which encodes and decodes the key: for longer than a signature takes.
bool SetRsaKey(X509* certificate, const EVP_PKEY* key) {
  BIGNUM *n = nullptr, *e = nullptr;
  const bool known = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
                     EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1;
  const BigPtr modulus(n), exponent(e);
  if (!known) return false;
  const LockedBytes der = WriteIntegers({modulus.get(), exponent.get()});
  void* octets = OPENSSL_memdup(der.data(), der.size());
  CHECK(octets != nullptr);
  // On success the certificate owns them.
  if (X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(certificate), OBJ_nid2obj(NID_rsaEncryption),
                             V_ASN1_NULL, nullptr, static_cast<unsigned char*>(octets),
                             static_cast<int>(der.size())) == 1)
    return true;
  OPENSSL_free(octets);
  return false;
}

bool SetKey(X509* certificate, EVP_PKEY* key) {
  return EVP_PKEY_is_a(key, "RSA") == 1 ? SetRsaKey(certificate, key)
                                        : X509_set_pubkey(certificate, key) == 1;
}

bool Fill(X509* certificate, const CertificateContent& content, EVP_PKEY* subject_key) {
  const int64_t end = content.not_before + content.lifetime_days * kSecondsPerDay;
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), content.serial) == 1 &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), content.not_before) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), end) != nullptr &&
         SetName(X509_get_subject_name(certificate), content.subject) &&
         SetName(X509_get_issuer_name(certificate), content.issuer) &&
         SetKey(certificate, subject_key) &&
         AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         AddExtension(certificate, NID_key_usage, "digitalSignature,keyCertSign");
}

}  // namespace

Status CheckKeySize(const SignatureScheme& scheme, const EVP_PKEY* signing_key) {
  if (scheme.dsa) return {};
  const DigestPtr digest(EVP_MD_fetch(nullptr, scheme.digest_name.c_str(), nullptr));
  if (digest == nullptr) return Fail("digest " + scheme.digest_name + ": " + OpensslReason());
  const int size = EVP_MD_get_size(digest.get());
  const int needed = DigestNameOctets(size) + size + kPadding;
  if (EVP_PKEY_get_size(signing_key) >= needed) return {};
  return Fail(scheme.name + " needs a sign key of " +
              std::to_string((needed - 1) * kBitsPerOctet + 1) +
              " bits or more, and this one has " + std::to_string(EVP_PKEY_get_bits(signing_key)) +
              ": make a longer one (-m), or take another scheme (-c)");
}

Result<std::vector<uint8_t>> MakeCertificate(const CertificateContent& content,
                                             EVP_PKEY* subject_key, EVP_PKEY* signing_key,
                                             const SignatureScheme& scheme) {
  if (!IsPrintableName(content.subject) || !IsPrintableName(content.issuer))
    return Fail("a certificate's names must be printable ASCII");
  X509Ptr certificate(X509_new());
  DigestPtr digest(EVP_MD_fetch(nullptr, scheme.digest_name.c_str(), nullptr));
  if (certificate == nullptr || digest == nullptr)
    return Fail("digest " + scheme.digest_name + ": " + OpensslReason());
  bool made = Fill(certificate.get(), content, subject_key);
  if (made && !content.group_value.empty())
    made = AddGroupValue(certificate.get(), content.group_value);
  if (made && content.trusted)
    made = AddExtension(certificate.get(), NID_ext_key_usage, kTrustRootOid);
  if (made && content.private_use)
    made = AddExtension(certificate.get(), NID_ext_key_usage, kPrivateOid);
  if (!made || X509_sign(certificate.get(), signing_key, digest.get()) <= 0)
    return Fail("the certificate cannot be made: " + OpensslReason());
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  CHECK(size > 0);
  std::vector<uint8_t> out(der, der + size);
  OPENSSL_free(der);
  return out;
}

std::string PemCertificate(Bytes der) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr && PEM_write_bio(bio.get(), PEM_STRING_X509, "", der.data(),
                                        static_cast<long>(der.size())) > 0);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace ntpward::keys
