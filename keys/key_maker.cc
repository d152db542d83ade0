#include "keys/key_maker.h"

#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

#include <array>

#include "keys/farm_seeds.h"
#include "keys/iff.h"

namespace ntpward::keys {
namespace {

constexpr int kLeastIffBits = 512;
constexpr int kKeysOfAKind = 10;
constexpr size_t kMd5Characters = 20;
constexpr int kOlderKeys = 16;
constexpr size_t kOlderCharacters = 16;

// FIPS 186-4 section 4.2: the order's bits that fit the modulus' strength.
int OrderBits(int modulus_bits) { return modulus_bits < 2048 ? 160 : 256; }

PkeyPtr MakeDsaParameters(int bits) {
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr));
  EVP_PKEY* parameters = nullptr;
  if (context == nullptr || EVP_PKEY_paramgen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_dsa_paramgen_bits(context.get(), bits) != 1 ||
      EVP_PKEY_CTX_set_dsa_paramgen_q_bits(context.get(), OrderBits(bits)) != 1 ||
      EVP_PKEY_paramgen(context.get(), &parameters) != 1)
    return {};
  return PkeyPtr(parameters);
}

void Append(LockedBytes* out, std::string_view text) {
  out->insert(out->end(), text.begin(), text.end());
}

uint8_t RandomOctet() {
  uint8_t octet = 0;
  CHECK(RAND_priv_bytes(&octet, 1) == 1);
  return octet;
}

void AppendPrintable(size_t characters, LockedBytes* out) {
  for (size_t i = 0; i < characters;) {
    const uint8_t octet = RandomOctet();
    // '#' would begin a comment (CVE-2021-22212).
    if (octet <= ' ' || octet > '~' || octet == '#') continue;
    out->push_back(octet);
    ++i;
  }
}

void AppendHex(LockedBytes* out, size_t octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (size_t i = 0; i < octets; ++i) {
    const uint8_t octet = RandomOctet();
    out->push_back(static_cast<uint8_t>(kDigits[octet >> 4]));
    out->push_back(static_cast<uint8_t>(kDigits[octet & 15]));
  }
}

}  // namespace

Result<PkeyPtr> MakeRsaKey(int bits) {
  PkeyPtr key(EVP_RSA_gen(static_cast<unsigned>(bits)));
  if (key == nullptr) return Fail("RSA key: " + OpensslReason());
  return key;
}

Result<PkeyPtr> MakeDsaKey(int bits) {
  const PkeyPtr parameters = MakeDsaParameters(bits);
  if (parameters == nullptr) return Fail("DSA parameters: " + OpensslReason());
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, parameters.get(), nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_keygen(context.get(), &key) != 1)
    return Fail("DSA key: " + OpensslReason());
  return PkeyPtr(key);
}

Result<IffKey> MakeIffKey(int bits) {
  const PkeyPtr parameters = MakeDsaParameters(std::max(bits, kLeastIffBits));
  if (parameters == nullptr) return Fail("IFF parameters: " + OpensslReason());
  IffKey key;
  key.p = Number(), key.q = Number(), key.g = Number(), key.b = SecretNumber();
  BIGNUM *p = key.p.get(), *q = key.q.get(), *g = key.g.get();
  CHECK(EVP_PKEY_get_bn_param(parameters.get(), OSSL_PKEY_PARAM_FFC_P, &p) == 1 &&
        EVP_PKEY_get_bn_param(parameters.get(), OSSL_PKEY_PARAM_FFC_Q, &q) == 1 &&
        EVP_PKEY_get_bn_param(parameters.get(), OSSL_PKEY_PARAM_FFC_G, &g) == 1);
  // 1 marks a client's file.
  do {
    CHECK(BN_priv_rand_range(key.b.get(), key.q.get()) == 1);
  } while (BN_is_zero(key.b.get()) || BN_is_one(key.b.get()));
  key.v = IffPublicValue(key);
  const auto challenge = DrawIffChallenge(key);
  if (!VerifyIff(key, challenge, ProveIff(key, challenge)))
    return Fail("IFF key: it proves nothing");
  return key;
}

PkeyPtr IffAsDsa(const IffKey& key) {
  std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>> build(OSSL_PARAM_BLD_new());
  CHECK(build != nullptr &&
        OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_FFC_P, key.p.get()) == 1 &&
        OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_FFC_Q, key.q.get()) == 1 &&
        OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_FFC_G, key.g.get()) == 1 &&
        OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PUB_KEY, key.v.get()) == 1 &&
        OSSL_PARAM_BLD_push_BN(build.get(), OSSL_PKEY_PARAM_PRIV_KEY, key.b.get()) == 1);
  std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>> params(
      OSSL_PARAM_BLD_to_param(build.get()));
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr));
  EVP_PKEY* out = nullptr;
  CHECK(params != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
        EVP_PKEY_fromdata(context.get(), &out, EVP_PKEY_KEYPAIR, params.get()) == 1);
  return PkeyPtr(out);
}

LockedBytes MakeFarmSecret() {
  LockedBytes out;
  out.reserve(2 * FarmSeeds::kSecretOctets + 1);
  AppendHex(&out, FarmSeeds::kSecretOctets);
  Append(&out, "\n");
  return out;
}

LockedBytes MakeSymmetricKeys() {
  LockedBytes out;
  out.reserve(4096);
  int id = 0;
  const auto begin = [&](const char* type) {
    ++id;
    Append(&out, (id < 10 ? " " : "") + std::to_string(id) + " " + type + " ");
  };
  for (int i = 0; i < kKeysOfAKind; ++i)
    begin("MD5"), AppendPrintable(kMd5Characters, &out), Append(&out, "  # MD5 key\n");
  for (int i = 0; i < kKeysOfAKind; ++i)
    begin("SHA1"), AppendHex(&out, 20), Append(&out, "  # SHA1 key\n");
  for (int i = 0; i < kKeysOfAKind; ++i)
    begin("AES128CMAC"), AppendHex(&out, 16), Append(&out, "  # AES128CMAC key\n");
  return out;
}

LockedBytes MakeOlderSymmetricKeys() {
  LockedBytes out;
  out.reserve(1024);
  for (int id = 1; id <= kOlderKeys; ++id) {
    Append(&out, (id < 10 ? " " : "") + std::to_string(id) + " M ");
    AppendPrintable(kOlderCharacters, &out);
    Append(&out, "\t# MD5 key\n");
  }
  return out;
}

Result<DiffieHellman> MakeDiffieHellman(int bits) {
  const PkeyPtr parameters = MakeDsaParameters(bits);
  if (parameters == nullptr) return Fail("Diffie-Hellman parameters: " + OpensslReason());
  DiffieHellman out{Number(), Number()};
  BIGNUM *p = out.prime.get(), *g = out.generator.get();
  CHECK(EVP_PKEY_get_bn_param(parameters.get(), OSSL_PKEY_PARAM_FFC_P, &p) == 1 &&
        EVP_PKEY_get_bn_param(parameters.get(), OSSL_PKEY_PARAM_FFC_G, &g) == 1);
  return out;
}

}  // namespace ntpward::keys
