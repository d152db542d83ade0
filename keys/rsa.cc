#include "keys/rsa.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "privsep/openssl/public_rsa.h"

namespace ntpward::keys {
namespace {

constexpr size_t kMinModulusOctets = 32;
constexpr size_t kMaxModulusOctets = 512;

using ParamBuildPtr = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using ParamsPtr = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;

// SHA-1 for both digests is OpenSSL's default, and the protocol's.
bool SetOaep(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1;
}

struct NamedNumber {
  const char* name;  // OpenSSL's
  const BIGNUM* number;
};

// None when OpenSSL does not take the numbers.
PkeyPtr PublicKeyOf(const char* kind, std::initializer_list<NamedNumber> numbers) {
  ParamBuildPtr build(OSSL_PARAM_BLD_new());
  CHECK(build != nullptr);
  for (const NamedNumber& one : numbers)
    CHECK(OSSL_PARAM_BLD_push_BN(build.get(), one.name, one.number) == 1);
  ParamsPtr params(OSSL_PARAM_BLD_to_param(build.get()));
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* key = nullptr;
  CHECK(params != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    ERR_clear_error();
    return {};
  }
  return PkeyPtr(key);
}

}  // namespace

Result<Signer> Signer::Create(EVP_PKEY* key, const std::string& digest_name) {
  DigestPtr digest(EVP_MD_fetch(nullptr, digest_name.c_str(), nullptr));
  if (digest == nullptr) return Fail("digest " + digest_name + ": not offered by OpenSSL");
  Signer signer(key, std::move(digest));
  if (signer.SignBytes({}).empty())
    return Fail("the key cannot sign with " + digest_name + " (" + OpensslReason() + ")");
  return signer;
}

std::vector<uint8_t> Signer::SignBytes(Bytes bytes) const {
  DigestContextPtr context(EVP_MD_CTX_new());
  CHECK(context != nullptr);
  std::vector<uint8_t> signature(static_cast<size_t>(EVP_PKEY_get_size(key_)));
  size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, digest_.get(), nullptr, key_) != 1 ||
      EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) != 1)
    return {};
  signature.resize(size);
  return signature;
}

std::vector<uint8_t> Signer::Sign(NtpSeconds timestamp, NtpSeconds filestamp, Bytes value) const {
  std::vector<uint8_t> covered(12 + value.size());
  Writer writer(covered);
  writer.U32(timestamp.value);
  writer.U32(filestamp.value);
  writer.U32(static_cast<uint32_t>(value.size()));
  writer.Put(value);
  CHECK(writer.Finish());
  std::vector<uint8_t> signature = SignBytes(covered);
  CHECK(!signature.empty());
  return signature;
}

PkeyPtr RsaPublicKey(Bytes modulus, uint32_t exponent) {
  if (modulus.size() < kMinModulusOctets || modulus.size() > kMaxModulusOctets) return {};
  if (modulus.front() == 0 || (modulus.back() & 1) == 0) return {};
  if (exponent < 3 || (exponent & 1) == 0) return {};
  return PublicRsaKey(modulus, exponent);
}

PkeyPtr DsaPublicKey(const msg::DsaNumbers& numbers) {
  CHECK(numbers.Valid() && !numbers.none());
  BigPtr p = Number(), q = Number(), g = Number(), y = Number();
  SetNumber(p.get(), numbers.p.span());
  SetNumber(q.get(), numbers.q.span());
  SetNumber(g.get(), numbers.g.span());
  SetNumber(y.get(), numbers.y.span());
  return PublicKeyOf("DSA", {{OSSL_PKEY_PARAM_FFC_P, p.get()},
                             {OSSL_PKEY_PARAM_FFC_Q, q.get()},
                             {OSSL_PKEY_PARAM_FFC_G, g.get()},
                             {OSSL_PKEY_PARAM_PUB_KEY, y.get()}});
}

// The cube of the length, as multiplications cost its square and there is one a bit.
double PrivateCost(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") != 1) return 1;
  const double size = EVP_PKEY_get_bits(key) / 2048.0;
  return std::max(1.0, size * size * size);
}

std::vector<uint8_t> OaepEncrypt(EVP_PKEY* key, Bytes plain) {
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  CHECK(context != nullptr);
  std::vector<uint8_t> out(static_cast<size_t>(EVP_PKEY_get_size(key)));
  size_t size = out.size();
  if (EVP_PKEY_encrypt_init(context.get()) != 1 || !SetOaep(context.get()) ||
      EVP_PKEY_encrypt(context.get(), out.data(), &size, plain.data(), plain.size()) != 1) {
    ERR_clear_error();
    return {};
  }
  out.resize(size);
  return out;
}

std::optional<LockedBytes> OaepDecrypt(EVP_PKEY* key, Bytes ciphertext, size_t plain_octets) {
  LockedBytes plain(static_cast<size_t>(EVP_PKEY_get_size(key)));
  if (ciphertext.size() != plain.size()) return std::nullopt;
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  CHECK(context != nullptr);
  size_t size = plain.size();
  const bool decrypted = EVP_PKEY_decrypt_init(context.get()) == 1 && SetOaep(context.get()) &&
                         EVP_PKEY_decrypt(context.get(), plain.data(), &size, ciphertext.data(),
                                          ciphertext.size()) == 1;
  ERR_clear_error();
  // CVE-2014-9297: a plaintext of another length is no cookie.
  if (!decrypted || size != plain_octets) return std::nullopt;
  plain.resize(size);
  return plain;
}

}  // namespace ntpward::keys
