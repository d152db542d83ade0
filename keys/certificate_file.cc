#include "keys/certificate_file.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "keys/unix_time.h"
#include "privsep/base/text.h"
#include "privsep/msg/keys.h"

namespace ntpward::keys {
namespace {

using UsagePtr = std::unique_ptr<EXTENDED_KEY_USAGE, FreeWith<EXTENDED_KEY_USAGE_free>>;

std::string ObjectText(const ASN1_OBJECT* object) {
  std::array<char, 80> text{};
  OBJ_obj2txt(text.data(), text.size(), object, 1);
  return text.data();
}

Result<std::string> CommonName(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0) return Fail("its subject has no common name");
  uint8_t* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return Fail("its subject cannot be read");
  std::string text(AsText({utf8, static_cast<size_t>(size)}));
  OPENSSL_free(utf8);
  if (!IsPrintableName(text))
    return Fail(
        "its subject is empty, too long, or holds a blank, a quotation mark or what is not "
        "printable ASCII");
  return text;
}

Result<int64_t> UnixSeconds(const ASN1_TIME* time) {
  tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return Fail("its validity cannot be read");
  return static_cast<int64_t>(timegm(&fields));
}

// Like 4.2.8: the usage counts only when it is the single one.
void ReadUsage(X509* certificate, OwnCertificate* out) {
  UsagePtr usage(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  if (usage == nullptr || sk_ASN1_OBJECT_num(usage.get()) != 1) return;
  const std::string oid = ObjectText(sk_ASN1_OBJECT_value(usage.get(), 0));
  out->trusted = oid == kTrustRootOid;
  out->private_use = oid == kPrivateOid;
}

Status CheckTimes(const OwnCertificate& certificate) {
  if (certificate.not_before > certificate.not_after)
    return Fail("its validity ends before it begins");
  // Modulo 2^32 s, like every comparison of filestamps.
  const auto begins = static_cast<uint32_t>(certificate.not_before + kUnixToNtpSeconds);
  if (static_cast<int32_t>(begins - certificate.filestamp.value) < 0)
    return Fail("its filestamp is later than the beginning of its validity");
  return {};
}

// What peers can verify; OpenSSL has names of its own for the newer ones.
struct DsaScheme {
  int nid;
  const char* name;
};
constexpr DsaScheme kDsaSchemes[] = {{NID_dsaWithSHA1, "DSA-SHA1"},
                                     {NID_dsa_with_SHA224, "DSA-SHA224"},
                                     {NID_dsa_with_SHA256, "DSA-SHA256"}};

// With RSA. A certificate that ntpd-net refuses must not get past us (ntpd/autokey/public_key.cc).
constexpr int kRsaDigests[] = {NID_md5,      NID_sha1,     NID_ripemd160, NID_sha224,
                               NID_sha256,   NID_sha384,   NID_sha512,    NID_sha3_224,
                               NID_sha3_256, NID_sha3_384, NID_sha3_512};

bool IsRsaDigest(int nid) {
  return std::find(std::begin(kRsaDigests), std::end(kRsaDigests), nid) != std::end(kRsaDigests);
}

Result<SignatureScheme> FromPair(int signature_nid) {
  int digest = NID_undef, key = NID_undef;
  if (OBJ_find_sigid_algs(signature_nid, &digest, &key) != 1 || digest == NID_undef)
    return Fail("it is no signature scheme");
  SignatureScheme scheme;
  scheme.nid = signature_nid;
  scheme.digest_name = OBJ_nid2sn(digest);
  scheme.name = OBJ_nid2sn(signature_nid);
  for (const DsaScheme& known : kDsaSchemes)
    if (known.nid == signature_nid) scheme.dsa = true, scheme.name = known.name;
  if (!scheme.dsa && (key != NID_rsaEncryption || !IsRsaDigest(digest)))
    return Fail(
        "it is no scheme of RSA with MD5, SHA1, SHA2, SHA3 or RIPEMD160, and none of DSA with "
        "SHA1, "
        "SHA224 or SHA256");
  DigestPtr fetched(EVP_MD_fetch(nullptr, scheme.digest_name.c_str(), nullptr));
  if (fetched == nullptr) return Fail("OpenSSL does not offer its digest " + scheme.digest_name);
  return scheme;
}

}  // namespace

Result<SignatureScheme> SignatureScheme::FromName(const std::string& name) {
  int nid = OBJ_sn2nid(name.c_str());
  if (nid == NID_undef) nid = OBJ_ln2nid(name.c_str());
  for (const DsaScheme& known : kDsaSchemes)
    if (name == known.name) nid = known.nid;
  auto scheme = FromPair(nid);
  if (!scheme.ok()) return Fail("Invalid digest/signature combination " + name);
  return scheme;
}

Result<SignatureScheme> SignatureScheme::FromNid(int nid) { return FromPair(nid); }

Result<OwnCertificate> ReadCertificateFile(Bytes file) {
  const KeyText text = TRY(ParseKeyText(file));
  const PemBlock& block = text.blocks[0];
  if (block.label != "CERTIFICATE")
    return Fail("it holds a " + block.label + ", not a certificate");
  BioPtr bio(BIO_new_mem_buf(block.pem.bytes().data(), static_cast<int>(block.pem.size())));
  CHECK(bio != nullptr);
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return Fail("its certificate is damaged (" + OpensslReason() + ")");
  OwnCertificate out;
  out.filestamp = text.filestamp;
  out.name = text.name;
  out.subject = TRY(CommonName(X509_get_subject_name(certificate.get())));
  out.scheme = TRY(SignatureScheme::FromNid(X509_get_signature_nid(certificate.get())));
  out.public_key.reset(X509_get_pubkey(certificate.get()));
  if (out.public_key == nullptr) return Fail("its public key is damaged (" + OpensslReason() + ")");
  // Only the exact success value passes: verification also answers -1 (CVE-2009-0021).
  if (TRY(CommonName(X509_get_issuer_name(certificate.get()))) != out.subject ||
      X509_verify(certificate.get(), out.public_key.get()) != 1) {
    ERR_clear_error();
    return Fail("its certificate is not self-signed");
  }
  out.not_before = TRY(UnixSeconds(X509_get0_notBefore(certificate.get())));
  out.not_after = TRY(UnixSeconds(X509_get0_notAfter(certificate.get())));
  TRY_VOID(CheckTimes(out));
  ReadUsage(certificate.get(), &out);
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  CHECK(size > 0);
  out.der.assign(der, der + size);
  OPENSSL_free(der);
  return out;
}

int OwnCertificate::lifetime_days() const {
  const int64_t days = (not_after - not_before + kSecondsPerDay - 1) / kSecondsPerDay;
  return static_cast<int>(std::clamp<int64_t>(days, 1, kMostLifetimeDays));
}

std::string HowToCertify(const OwnCertificate& certificate) {
  return "make one for the key with 'ntp-keygen -s " + certificate.subject + " -p PASSWORD'";
}

bool BelongsTo(const OwnCertificate& certificate, const EVP_PKEY* key) {
  const bool same = EVP_PKEY_eq(certificate.public_key.get(), key) == 1;
  ERR_clear_error();
  return same;
}

bool FitsPacket(size_t certificate, size_t signature) {
  constexpr size_t kOverhead = 24;  // RFC 5906 figure 8, without value and signature
  const auto padded = [](size_t octets) { return (octets + 3) / 4 * 4; };
  return certificate <= msg::kMaxCertificate &&
         kOverhead + padded(certificate) + padded(signature) <= msg::kMaxField;
}

}  // namespace ntpward::keys
