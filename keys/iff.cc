#include "keys/iff.h"

#include "keys/der.h"
#include "keys/identity_numbers.h"

namespace ntpward::keys {

std::vector<uint8_t> DrawIffChallenge(const IffKey& key) { return DrawPadded(key.q.get()); }

std::vector<uint8_t> ProveIff(const IffKey& key, Bytes challenge) {
  CHECK(key.has_secret() && challenge.size() == key.challenge_size());
  BigContextPtr context = SecretScratch();
  const BigPtr r = ReducedChallenge(challenge, key.q.get(), context.get());
  // A k that anybody can guess, or that is used twice, gives b away.
  BigPtr k = SecretNumber(), y = SecretNumber();
  DrawBelow(k.get(), key.q.get());
  CHECK(BN_mod_mul(y.get(), key.b.get(), r.get(), key.q.get(), context.get()) == 1);
  CHECK(BN_mod_add(y.get(), y.get(), k.get(), key.q.get(), context.get()) == 1);
  BigPtr commitment = Number();
  SecretPower(commitment.get(), key.g.get(), k.get(), key.p.get(), context.get());
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
  BigContextPtr context = SecretScratch();
  const BigPtr r = ReducedChallenge(challenge, key.q.get(), context.get());
  BigPtr left = Number(), right = Number();
  CHECK(BN_mod_exp(left.get(), key.g.get(), y, key.p.get(), context.get()) == 1);
  CHECK(BN_mod_exp(right.get(), key.v.get(), r.get(), key.p.get(), context.get()) == 1);
  CHECK(BN_mod_mul(left.get(), left.get(), right.get(), key.p.get(), context.get()) == 1);
  return BN_cmp(BigHash(left.get()).get(), h) == 0;
}

}  // namespace ntpward::keys
