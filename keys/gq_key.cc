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

// Without the factors nobody can take b-th roots; they go at once, and `order` with this.
struct Modulus {
  BigPtr n = Number();
  BigPtr order = SecretNumber();  // (p - 1)(q - 1)
};

bool DrawModulus(Modulus* out, int bits, BN_CTX* context) {
  BigPtr p = SecretNumber(), q = SecretNumber();
  return BN_generate_prime_ex2(p.get(), bits / 2, 0, nullptr, nullptr, nullptr, context) == 1 &&
         BN_generate_prime_ex2(q.get(), bits - bits / 2, 0, nullptr, nullptr, nullptr, context) ==
             1 &&
         BN_cmp(p.get(), q.get()) != 0 && BN_mul(out->n.get(), p.get(), q.get(), context) == 1 &&
         BN_sub_word(p.get(), 1) == 1 && BN_sub_word(q.get(), 1) == 1 &&
         BN_mul(out->order.get(), p.get(), q.get(), context) == 1;
}

// A u and the v that goes with it; false when none was found.
bool DrawSecret(GqKey* key) {
  for (int i = 0; i < kDraws && key->v == nullptr; ++i) {
    DrawBelow(key->u.get(), key->n.get());
    key->v = GqPublicValue(key->u.get(), key->b.get(), key->n.get());
    if (key->v != nullptr && !IsNontrivial(key->v.get(), key->n.get())) key->v.reset();
  }
  return key->v != nullptr;
}

// The u of a given v: its inverse's b-th root. False when there is none modulo this n.
bool FindSecret(GqKey* key, const BIGNUM* v, const Modulus& modulus, BN_CTX* context) {
  const BIGNUM* n = key->n.get();
  BigPtr root = SecretNumber(), inverse = Number();
  if (!IsNontrivial(v, n) || BN_mod_inverse(inverse.get(), v, n, context) == nullptr ||
      BN_mod_inverse(root.get(), key->b.get(), modulus.order.get(), context) == nullptr) {
    (void)OpensslReason();
    return false;
  }
  SecretPower(key->u.get(), inverse.get(), root.get(), n, context);
  key->v = GqPublicValue(key->u.get(), key->b.get(), n);
  return key->v != nullptr && BN_cmp(key->v.get(), v) == 0;
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

Result<GqKey> MakeGqKey(int bits, const BIGNUM* keep) {
  CHECK(bits >= 256 && bits <= kMaxGqModulusBits);
  if (keep != nullptr && BN_num_bits(keep) > bits) keep = nullptr;
  BigContextPtr context = SecretScratch();
  for (int i = 0; i < kDraws; ++i) {
    Modulus modulus;
    GqKey key;
    key.b = SecretNumber(), key.u = SecretNumber();
    if (!DrawModulus(&modulus, bits, context.get()))
      return Fail("GQ parameters: " + OpensslReason());
    // Another modulus is above it before long: all have the same number of bits.
    if (keep != nullptr && BN_cmp(keep, modulus.n.get()) >= 0) continue;
    if (BN_generate_prime_ex2(key.b.get(), bits - 2, 0, nullptr, nullptr, nullptr, context.get()) !=
        1)
      return Fail("GQ parameters: " + OpensslReason());
    key.n = std::move(modulus.n);
    const bool found =
        keep != nullptr ? FindSecret(&key, keep, modulus, context.get()) : DrawSecret(&key);
    if (!found) continue;
    const auto challenge = DrawGqChallenge(key);
    if (!VerifyGq(key, NumberOctets(key.v.get()), challenge, ProveGq(key, challenge)))
      return Fail("GQ key: it proves nothing");
    return key;
  }
  return Fail("GQ parameters: no usable secret was drawn");
}

std::string WriteGqParameters(const GqKey& key) {
  return WriteRawKey(RawForm::kRsa, AsRsa(key, BN_value_one(), BN_value_one()));
}

Result<std::string> WriteGqKey(const GqKey& key, Bytes password, const std::string& cipher) {
  CHECK(key.has_secret());
  return SealRsaNumbers(AsRsa(key, key.u.get(), key.v.get()), password, cipher);
}

}  // namespace ntpward::keys
