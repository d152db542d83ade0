#include "ntpd/autokey/public_key.h"

#include <openssl/core_names.h>
#include <openssl/objects.h>

#include <algorithm>
#include <array>

#include "ntpd/autokey/quiet_errors.h"
#include "privsep/base/der.h"
#include "privsep/openssl/public_rsa.h"

namespace ntpward::autokey {
namespace {

// Beyond these a DSA verification costs more than a datagram may.
constexpr int kMaxDsaBits = 3072;
constexpr size_t kMaxDsaSignature = 80;
constexpr size_t kMaxKeyInfo = 1900;

struct Scheme {
  int nid;
  KeyKind kind;
  const EVP_MD* (*digest)();
};
// Nothing else is ever looked up: the number comes from an unsigned message.
constexpr Scheme kSchemes[] = {
    {NID_md5WithRSAEncryption, KeyKind::kRsa, EVP_md5},
    {NID_sha1WithRSAEncryption, KeyKind::kRsa, EVP_sha1},
    {NID_sha1WithRSA, KeyKind::kRsa, EVP_sha1},
    {NID_ripemd160WithRSA, KeyKind::kRsa, EVP_ripemd160},
    {NID_sha224WithRSAEncryption, KeyKind::kRsa, EVP_sha224},
    {NID_sha256WithRSAEncryption, KeyKind::kRsa, EVP_sha256},
    {NID_sha384WithRSAEncryption, KeyKind::kRsa, EVP_sha384},
    {NID_sha512WithRSAEncryption, KeyKind::kRsa, EVP_sha512},
    {NID_RSA_SHA3_224, KeyKind::kRsa, EVP_sha3_224},
    {NID_RSA_SHA3_256, KeyKind::kRsa, EVP_sha3_256},
    {NID_RSA_SHA3_384, KeyKind::kRsa, EVP_sha3_384},
    {NID_RSA_SHA3_512, KeyKind::kRsa, EVP_sha3_512},
    {NID_dsaWithSHA, KeyKind::kDsa, EVP_sha1},
    {NID_dsaWithSHA1, KeyKind::kDsa, EVP_sha1},
    {NID_dsa_with_SHA224, KeyKind::kDsa, EVP_sha224},
    {NID_dsa_with_SHA256, KeyKind::kDsa, EVP_sha256},
};

const Scheme* FindScheme(int nid) {
  for (const Scheme& scheme : kSchemes)
    if (scheme.nid == nid) return &scheme;
  return nullptr;
}

BigPtr Parameter(const EVP_PKEY* pkey, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(pkey, name, &number) != 1) return nullptr;
  return BigPtr(number);
}

// `modulus` has no leading zero octet.
bool SetRsa(Bytes modulus, uint32_t exponent, PublicKey& key) {
  if (modulus.size() < kMinModulusOctets || modulus.size() > kMaxModulusOctets) return false;
  if ((modulus.back() & 1) == 0 || (exponent & 1) == 0 || exponent < 3) return false;
  key.exponent = exponent;
  key.signature_size = modulus.size();
  return key.modulus.Assign(modulus);
}

bool FillRsa(const EVP_PKEY* pkey, PublicKey& key) {
  const BigPtr modulus = Parameter(pkey, OSSL_PKEY_PARAM_RSA_N);
  const BigPtr exponent = Parameter(pkey, OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent || BN_num_bits(exponent.get()) > 32) return false;
  const int size = BN_num_bytes(modulus.get());
  if (size > static_cast<int>(kMaxModulusOctets)) return false;
  std::array<uint8_t, kMaxModulusOctets> octets{};
  BN_bn2bin(modulus.get(), octets.data());
  return SetRsa(Bytes(octets).first(static_cast<size_t>(size)),
                static_cast<uint32_t>(BN_get_word(exponent.get())), key);
}

bool FillDsa(const EVP_PKEY* pkey, PublicKey& key) {
  const int bits = EVP_PKEY_get_bits(pkey);
  const int signature = EVP_PKEY_get_size(pkey);
  if (bits <= 0 || bits > kMaxDsaBits || signature <= 0) return false;
  key.kind = KeyKind::kDsa;
  key.signature_size = static_cast<size_t>(signature);
  if (key.signature_size > kMaxDsaSignature) return false;
  const int size = i2d_PUBKEY(pkey, nullptr);
  if (size <= 0 || static_cast<size_t>(size) > kMaxKeyInfo) return false;
  key.info.resize(static_cast<size_t>(size));
  uint8_t* out = key.info.data();
  return i2d_PUBKEY(pkey, &out) == size;
}

// ntpd 4.2.6 announces the largest size that a DSA signature can have and leaves rubbish behind a
// shorter one. A sequence says its own length.
Bytes WithoutDsaPadding(Bytes signature) {
  constexpr size_t kHeader = 2;
  if (signature.size() < kHeader || signature[1] >= 0x80) return signature;
  return signature.first(std::min(signature.size(), kHeader + signature[1]));
}

PkeyPtr DecodeInfo(Bytes der) {
  const uint8_t* in = der.data();
  PkeyPtr pkey(d2i_PUBKEY(nullptr, &in, static_cast<long>(der.size())));
  if (pkey && in != der.data() + der.size()) pkey.reset();
  return pkey;
}

}  // namespace

PkeyPtr PkeyOf(const PublicKey& key) {
  return key.kind == KeyKind::kRsa ? PublicRsaKey(key.modulus.span(), key.exponent)
                                   : DecodeInfo(key.info);
}

std::optional<PublicKey> PublicKeyOf(const EVP_PKEY* pkey) {
  PublicKey key;
  const int id = EVP_PKEY_get_base_id(pkey);
  const bool filled = id == EVP_PKEY_RSA   ? FillRsa(pkey, key)
                      : id == EVP_PKEY_DSA ? FillDsa(pkey, key)
                                           : false;
  if (!filled) return std::nullopt;
  return key;
}

std::optional<PublicKey> ParseRsaPublicKey(Bytes der) {
  Reader outer(der);
  const Bytes content = TakeDerElement(&outer, kDerSequence);
  if (!outer.Finish()) return std::nullopt;
  Reader inner(content);
  const Bytes modulus = TakeDerMagnitude(&inner, kMaxModulusOctets);
  const Bytes exponent = TakeDerMagnitude(&inner, sizeof(uint32_t));
  if (!inner.Finish()) return std::nullopt;
  uint32_t number = 0;
  for (const uint8_t octet : exponent) number = number << 8 | octet;
  PublicKey key;
  if (!SetRsa(modulus, number, key)) return std::nullopt;
  return key;
}

std::optional<PublicKey> ParsePublicKeyInfo(Bytes der) {
  const QuietErrors quiet;
  if (der.empty() || der.size() > kMaxKeyInfo) return std::nullopt;
  const PkeyPtr pkey = DecodeInfo(der);
  return pkey ? PublicKeyOf(pkey.get()) : std::nullopt;
}

std::optional<msg::DsaNumbers> DsaNumbersOf(const PublicKey& key) {
  const QuietErrors quiet;
  if (key.kind != KeyKind::kDsa) return std::nullopt;
  const PkeyPtr pkey = DecodeInfo(key.info);
  if (!pkey) return std::nullopt;
  msg::DsaNumbers out;
  const auto fill = [&](const char* name, auto* field) {
    const BigPtr number = Parameter(pkey.get(), name);
    if (!number || !field->Resize(static_cast<size_t>(BN_num_bytes(number.get())))) return false;
    BN_bn2bin(number.get(), field->span().data());
    return true;
  };
  if (!fill(OSSL_PKEY_PARAM_FFC_P, &out.p) || !fill(OSSL_PKEY_PARAM_FFC_Q, &out.q) ||
      !fill(OSSL_PKEY_PARAM_FFC_G, &out.g) || !fill(OSSL_PKEY_PARAM_PUB_KEY, &out.y))
    return std::nullopt;
  if (out.none() || !out.Valid()) return std::nullopt;
  return out;
}

bool IsKnownScheme(int nid) { return FindScheme(nid) != nullptr; }

std::string_view SchemeName(int nid) {
  return IsKnownScheme(nid) ? std::string_view(OBJ_nid2ln(nid)) : std::string_view("unknown");
}

Outcome VerifySignature(int nid, const PublicKey& key, Bytes data, Bytes signature) {
  const QuietErrors quiet;
  const Scheme* scheme = FindScheme(nid);
  if (scheme == nullptr || scheme->kind != key.kind) return Outcome::kDigestType;
  const bool size_fits = key.kind == KeyKind::kRsa
                             ? signature.size() == key.signature_size
                             : !signature.empty() && signature.size() <= key.signature_size;
  if (!size_fits) return Outcome::kSignatureLength;
  if (key.kind == KeyKind::kDsa) signature = WithoutDsaPadding(signature);

  const PkeyPtr pkey = PkeyOf(key);
  const DigestContextPtr context(EVP_MD_CTX_new());
  if (!pkey || !context) return Outcome::kPublicKey;
  if (EVP_DigestVerifyInit(context.get(), nullptr, scheme->digest(), nullptr, pkey.get()) != 1)
    return Outcome::kSignature;
  // Negative values are errors; 1 alone says "signed".
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(),
                          data.size()) == 1
             ? Outcome::kOk
             : Outcome::kSignature;
}

}  // namespace ntpward::autokey
