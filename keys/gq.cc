#include "keys/gq.h"

#include "keys/der.h"
#include "keys/identity_numbers.h"

namespace ntpward::keys {
namespace {

// One with a divisor of n gives less of the group to search.
bool IsUnit(const BIGNUM* number, const BIGNUM* n, BN_CTX* context) {
  if (!IsNontrivial(number, n)) return false;
  BigPtr divisor = Number();
  CHECK(BN_gcd(divisor.get(), number, n, context) == 1);
  return BN_is_one(divisor.get());
}

}  // namespace

std::vector<uint8_t> DrawGqChallenge(const GqKey& key) { return DrawPadded(key.n.get()); }

std::vector<uint8_t> ProveGq(const GqKey& key, Bytes challenge) {
  CHECK(key.has_secret() && challenge.size() == key.challenge_size());
  const BIGNUM* n = key.n.get();
  BigContextPtr context = SecretScratch();
  const BigPtr r = ReducedChallenge(challenge, n, context.get());
  // A k that anybody can guess, or that is used twice, gives u away.
  BigPtr k = SecretNumber(), y = SecretNumber(), commitment = SecretNumber();
  DrawBelow(k.get(), n);
  SecretPower(y.get(), key.u.get(), r.get(), n, context.get());
  CHECK(BN_mod_mul(y.get(), y.get(), k.get(), n, context.get()) == 1);
  SecretPower(commitment.get(), k.get(), key.b.get(), n, context.get());
  const BigPtr h = BigHash(commitment.get());
  const LockedBytes der = WriteIntegers({y.get(), h.get()});
  return {der.begin(), der.end()};
}

bool VerifyGq(const GqKey& key, Bytes public_value, Bytes challenge, Bytes response) {
  if (challenge.size() != key.challenge_size() || public_value.size() > key.challenge_size())
    return false;
  const auto numbers = ParseIntegers(response, 2, key.challenge_size());
  if (!numbers) return false;
  const BIGNUM* n = key.n.get();
  const BIGNUM* y = (*numbers)[0].get();
  BigContextPtr context = SecretScratch();
  BigPtr v = Number();
  SetNumber(v.get(), public_value);
  if (!IsUnit(v.get(), n, context.get()) || !IsUnit(y, n, context.get())) return false;
  const BigPtr r = ReducedChallenge(challenge, n, context.get());
  BigPtr left = Number(), right = Number();
  CHECK(BN_mod_exp(left.get(), v.get(), r.get(), n, context.get()) == 1);
  SecretPower(right.get(), y, key.b.get(), n, context.get());
  CHECK(BN_mod_mul(left.get(), left.get(), right.get(), n, context.get()) == 1);
  return BN_cmp(BigHash(left.get()).get(), (*numbers)[1].get()) == 0;
}

}  // namespace ntpward::keys
