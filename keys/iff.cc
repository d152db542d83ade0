#include "keys/iff.h"

#include <array>

#include "keys/der.h"

namespace ntpward::keys {
namespace {

constexpr size_t kMd5Octets = 16;

BigContextPtr Scratch() {
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

// 1 <= number < bound, uniformly, from the generator for secrets.
void DrawBelow(BIGNUM* number, const BIGNUM* bound) {
  do {
    CHECK(BN_priv_rand_range(number, bound) == 1);
  } while (BN_is_zero(number));
}

BigPtr Challenge(Bytes octets, const BIGNUM* q, BN_CTX* context) {
  BigPtr r = Number();
  SetNumber(r.get(), octets);
  CHECK(BN_mod(r.get(), r.get(), q, context) == 1);
  return r;
}

}  // namespace

std::vector<uint8_t> DrawIffChallenge(const IffKey& key) {
  BigPtr r = Number();
  DrawBelow(r.get(), key.q.get());
  std::vector<uint8_t> octets(key.challenge_size());
  CHECK(BN_bn2binpad(r.get(), octets.data(), static_cast<int>(octets.size())) > 0);
  return octets;
}

std::vector<uint8_t> ProveIff(const IffKey& key, Bytes challenge) {
  CHECK(key.has_secret() && challenge.size() == key.challenge_size());
  BigContextPtr context = Scratch();
  const BigPtr r = Challenge(challenge, key.q.get(), context.get());
  // A k that anybody can guess, or that is used twice, gives b away.
  BigPtr k = SecretNumber(), y = SecretNumber();
  DrawBelow(k.get(), key.q.get());
  CHECK(BN_mod_mul(y.get(), key.b.get(), r.get(), key.q.get(), context.get()) == 1);
  CHECK(BN_mod_add(y.get(), y.get(), k.get(), key.q.get(), context.get()) == 1);
  BigPtr commitment = Number();
  CHECK(BN_mod_exp_mont_consttime(commitment.get(), key.g.get(), k.get(), key.p.get(),
                                  context.get(), nullptr) == 1);
  const BigPtr h = BigHash(commitment.get());
  const LockedBytes der = WriteIntegers({y.get(), h.get()});
  return {der.begin(), der.end()};
}

bool VerifyIff(const IffKey& key, Bytes challenge, Bytes response) {
  CHECK(key.has_public());
  if (challenge.size() != key.challenge_size()) return false;
  const auto numbers = ParseIntegers(response, 2, key.challenge_size());
  if (!numbers) return false;
  const BIGNUM* y = (*numbers)[0].get();
  const BIGNUM* h = (*numbers)[1].get();
  if (BN_cmp(y, key.q.get()) >= 0) return false;
  BigContextPtr context = Scratch();
  const BigPtr r = Challenge(challenge, key.q.get(), context.get());
  BigPtr left = Number(), right = Number();
  CHECK(BN_mod_exp(left.get(), key.g.get(), y, key.p.get(), context.get()) == 1);
  CHECK(BN_mod_exp(right.get(), key.v.get(), r.get(), key.p.get(), context.get()) == 1);
  CHECK(BN_mod_mul(left.get(), left.get(), right.get(), key.p.get(), context.get()) == 1);
  return BN_cmp(BigHash(left.get()).get(), h) == 0;
}

}  // namespace ntpward::keys
