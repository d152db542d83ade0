#include "ntpd/autokey/public_key.h"

#include <openssl/core_names.h>
#include <openssl/objects.h>

#include <algorithm>

#include "ntpd/autokey/quiet_errors.h"
#include "privsep/openssl/owners.h"

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

bool FillRsa(const EVP_PKEY* pkey, PublicKey& key) {
  const BigPtr modulus = Parameter(pkey, OSSL_PKEY_PARAM_RSA_N);
  const BigPtr exponent = Parameter(pkey, OSSL_PKEY_PARAM_RSA_E);
  if (!modulus || !exponent || !BN_is_odd(modulus.get()) || !BN_is_odd(exponent.get()))
    return false;
  const size_t size = static_cast<size_t>(BN_num_bytes(modulus.get()));
  if (size < kMinModulusOctets || size > kMaxModulusOctets) return false;
  if (BN_num_bits(exponent.get()) > 32 || BN_is_one(exponent.get())) return false;
  if (!key.modulus.Resize(size)) return false;
  BN_bn2bin(modulus.get(), key.modulus.span().data());
  key.exponent = static_cast<uint32_t>(BN_get_word(exponent.get()));
  key.signature_size = size;
  return true;
}

bool FillDsa(const EVP_PKEY* pkey, PublicKey& key) {
  const int bits = EVP_PKEY_get_bits(pkey);
  const int size = EVP_PKEY_get_size(pkey);
  if (bits <= 0 || bits > kMaxDsaBits || size <= 0) return false;
  key.kind = KeyKind::kDsa;
  key.signature_size = static_cast<size_t>(size);
  return key.signature_size <= kMaxDsaSignature;
}

std::optional<PublicKey> FromPkey(EVP_PKEY* pkey) {
  PublicKey key;
  const int id = EVP_PKEY_get_base_id(pkey);
  const bool filled = id == EVP_PKEY_RSA   ? FillRsa(pkey, key)
                      : id == EVP_PKEY_DSA ? FillDsa(pkey, key)
                                           : false;
  if (!filled) return std::nullopt;
  const int size = i2d_PUBKEY(pkey, nullptr);
  if (size <= 0 || static_cast<size_t>(size) > kMaxKeyInfo) return std::nullopt;
  key.info.resize(static_cast<size_t>(size));
  uint8_t* out = key.info.data();
  if (i2d_PUBKEY(pkey, &out) != size) return std::nullopt;
  return key;
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

std::optional<PublicKey> ParseRsaPublicKey(Bytes der) {
  const QuietErrors quiet;
  if (der.empty() || der.size() > kMaxKeyInfo) return std::nullopt;
  const uint8_t* in = der.data();
  const PkeyPtr pkey(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &in, static_cast<long>(der.size())));
  if (!pkey || in != der.data() + der.size()) return std::nullopt;
  return FromPkey(pkey.get());
}

std::optional<PublicKey> ParsePublicKeyInfo(Bytes der) {
  const QuietErrors quiet;
  if (der.empty() || der.size() > kMaxKeyInfo) return std::nullopt;
  const PkeyPtr pkey = DecodeInfo(der);
  return pkey ? FromPkey(pkey.get()) : std::nullopt;
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

  const PkeyPtr pkey = DecodeInfo(key.info);
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
