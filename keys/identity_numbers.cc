#include "keys/identity_numbers.h"

#include <array>

namespace ntpward::keys {
namespace {

constexpr size_t kMd5Octets = 16;

}  // namespace

BigContextPtr SecretScratch() {
  BigContextPtr context(BN_CTX_secure_new());
  CHECK(context != nullptr);
  return context;
}

BigPtr BigHash(const BIGNUM* number) {
  const std::vector<uint8_t> octets = NumberOctets(number);
  std::array<uint8_t, kMd5Octets> digest{};
  size_t size = 0;
  CHECK(EVP_Q_digest(nullptr, "MD5", nullptr, octets.data(), octets.size(), digest.data(), &size) ==
        1);
  BigPtr hash = Number();
  SetNumber(hash.get(), digest);
  return hash;
}

void DrawBelow(BIGNUM* number, const BIGNUM* bound) {
  do {
    CHECK(BN_priv_rand_range(number, bound) == 1);
  } while (BN_is_zero(number));
}

std::vector<uint8_t> DrawPadded(const BIGNUM* bound) {
  BigPtr r = Number();
  DrawBelow(r.get(), bound);
  std::vector<uint8_t> octets(static_cast<size_t>(BN_num_bytes(bound)));
  CHECK(BN_bn2binpad(r.get(), octets.data(), static_cast<int>(octets.size())) > 0);
  return octets;
}

BigPtr ReducedChallenge(Bytes octets, const BIGNUM* modulus, BN_CTX* context) {
  BigPtr r = Number();
  SetNumber(r.get(), octets);
  CHECK(BN_mod(r.get(), r.get(), modulus, context) == 1);
  return r;
}

void SecretPower(BIGNUM* out, const BIGNUM* base, const BIGNUM* exponent, const BIGNUM* modulus,
                 BN_CTX* context) {
  CHECK(BN_mod_exp_mont_consttime(out, base, exponent, modulus, context, nullptr) == 1);
}

bool IsNontrivial(const BIGNUM* number, const BIGNUM* modulus) {
  if (BN_is_zero(number) || BN_is_one(number) || BN_cmp(number, modulus) >= 0) return false;
  BigPtr last = Number();
  CHECK(BN_copy(last.get(), modulus) != nullptr && BN_sub_word(last.get(), 1) == 1);
  return BN_cmp(number, last.get()) != 0;
}

}  // namespace ntpward::keys
