#include "keys/gq_key.h"

#include <openssl/x509.h>

#include <array>

#include "keys/der.h"
#include "keys/gq.h"
#include "keys/identity_numbers.h"
#include "keys/private_key.h"
#include "keys/raw_key.h"

namespace ntpward::keys {
namespace {

constexpr int kDraws = 100;  // each of them fails with negligible probability

Status CheckGroup(const GqKey& key) {
  const int bits = BN_num_bits(key.n.get());
  if (bits < kMinGqModulusBits || bits > kMaxGqModulusBits)
    return Fail("its GQ modulus is too short or too long");
  if (!BN_is_odd(key.n.get()) || !IsNontrivial(key.b.get(), key.n.get()))
    return Fail("its GQ numbers do not belong together: the file is damaged");
  return {};
}

Status CheckSecret(const GqKey& key) {
  const BigPtr v = GqPublicValue(key.u.get(), key.b.get(), key.n.get());
  if (v == nullptr || BN_cmp(v.get(), key.v.get()) != 0 || !IsNontrivial(v.get(), key.n.get()))
    return Fail("its GQ numbers do not belong together: the file is damaged");
  return {};
}

std::array<const BIGNUM*, 8> AsRsa(const GqKey& key, const BIGNUM* u, const BIGNUM* v) {
  const BIGNUM* one = BN_value_one();
  return {key.n.get(), key.b.get(), one, u, v, one, one, one};
}

// Nobody needs to know the factors; they go at once.
bool DrawModulus(BIGNUM* n, int bits, BN_CTX* context) {
  BigPtr p = SecretNumber(), q = SecretNumber();
  return BN_generate_prime_ex2(p.get(), bits / 2, 0, nullptr, nullptr, nullptr, context) == 1 &&
         BN_generate_prime_ex2(q.get(), bits - bits / 2, 0, nullptr, nullptr, nullptr, context) ==
             1 &&
         BN_cmp(p.get(), q.get()) != 0 && BN_mul(n, p.get(), q.get(), context) == 1;
}

}  // namespace

BigPtr GqPublicValue(const BIGNUM* u, const BIGNUM* b, const BIGNUM* n) {
  if (BN_is_zero(u) || BN_cmp(u, n) >= 0) return {};
  BigContextPtr context = SecretScratch();
  BigPtr inverse = SecretNumber(), v = Number();
  if (BN_mod_inverse(inverse.get(), u, n, context.get()) == nullptr) {
    (void)OpensslReason();
    return {};
  }
  SecretPower(v.get(), inverse.get(), b, n, context.get());
  return v;
}

Result<GqKey> ReadGqKey(Bytes file, Bytes password) {
  const KeyText text = TRY(ParseKeyText(file));
  RawKey raw = TRY(ReadRawKey(text.blocks[0], RawForm::kRsa, password));
  GqKey out;
  out.filestamp = text.filestamp;
  out.name = text.name;
  out.weak_encryption = raw.weak_encryption;
  out.n = std::move(raw.numbers[0]);
  out.b = std::move(raw.numbers[1]);
  BIGNUM *u = raw.numbers[3].get(), *v = raw.numbers[4].get();
  if (!BN_is_one(raw.numbers[2].get())) return Fail("it holds an RSA key, not a GQ key");
  TRY_VOID(CheckGroup(out));
  if (BN_is_one(u) && BN_is_one(v)) return out;
  out.u = std::move(raw.numbers[3]);
  out.v = std::move(raw.numbers[4]);
  TRY_VOID(CheckSecret(out));
  return out;
}

Result<GqKey> MakeGqKey(int bits) {
  CHECK(bits >= 256 && bits <= kMaxGqModulusBits);
  BigContextPtr context = SecretScratch();
  GqKey key;
  key.n = Number(), key.b = SecretNumber(), key.u = SecretNumber();
  if (!DrawModulus(key.n.get(), bits, context.get()) ||
      BN_generate_prime_ex2(key.b.get(), bits - 2, 0, nullptr, nullptr, nullptr, context.get()) !=
          1)
    return Fail("GQ parameters: " + OpensslReason());
  for (int i = 0; i < kDraws && key.v == nullptr; ++i) {
    DrawBelow(key.u.get(), key.n.get());
    key.v = GqPublicValue(key.u.get(), key.b.get(), key.n.get());
    if (key.v != nullptr && !IsNontrivial(key.v.get(), key.n.get())) key.v.reset();
  }
  if (key.v == nullptr) return Fail("GQ parameters: no usable secret was drawn");
  const auto challenge = DrawGqChallenge(key);
  if (!VerifyGq(key, NumberOctets(key.v.get()), challenge, ProveGq(key, challenge)))
    return Fail("GQ key: it proves nothing");
  return key;
}

std::string WriteGqParameters(const GqKey& key) {
  return WriteRawKey(RawForm::kRsa, AsRsa(key, BN_value_one(), BN_value_one()));
}

Result<std::string> WriteGqKey(const GqKey& key, Bytes password, const std::string& cipher) {
  CHECK(key.has_secret());
  return SealRsaNumbers(AsRsa(key, key.u.get(), key.v.get()), password, cipher);
}

}  // namespace ntpward::keys
