#include "keys/mv.h"

#include "keys/der.h"
#include "keys/identity_numbers.h"

namespace ntpward::keys {
namespace {

constexpr int kDraws = 100;

// Prime to q, so that no client falls out of the group; all but few numbers are.
BigPtr DrawExponent(const BIGNUM* q, BN_CTX* context) {
  BigPtr k = SecretNumber(), divisor = SecretNumber();
  for (int i = 0; i < kDraws; ++i) {
    DrawBelow(k.get(), q);
    CHECK(BN_gcd(divisor.get(), k.get(), q, context) == 1);
    if (BN_is_one(divisor.get())) break;
  }
  return k;
}

}  // namespace

std::vector<uint8_t> DrawMvChallenge(const MvClientKey& key) { return DrawPadded(key.p.get()); }

std::vector<uint8_t> ProveMv(const MvServerKey& key, Bytes challenge) {
  CHECK(challenge.size() == key.challenge_size());
  const BIGNUM* p = key.p.get();
  BigContextPtr context = SecretScratch();
  const BigPtr r = ReducedChallenge(challenge, p, context.get());
  const BigPtr k = DrawExponent(key.q.get(), context.get());
  BigPtr y = SecretNumber(), gbar = Number(), ghat = Number();
  SecretPower(y.get(), key.e.get(), k.get(), p, context.get());
  CHECK(BN_mod_mul(y.get(), y.get(), r.get(), p, context.get()) == 1);
  SecretPower(gbar.get(), key.gbar.get(), k.get(), p, context.get());
  SecretPower(ghat.get(), key.ghat.get(), k.get(), p, context.get());
  const LockedBytes der = WriteIntegers({y.get(), gbar.get(), ghat.get()});
  return {der.begin(), der.end()};
}

bool VerifyMv(const MvClientKey& key, Bytes challenge, Bytes response) {
  CHECK(key.has_public());
  if (challenge.size() != key.challenge_size()) return false;
  const auto numbers = ParseIntegers(response, 3, key.challenge_size());
  if (!numbers) return false;
  const BIGNUM* p = key.p.get();
  const BIGNUM* y = (*numbers)[0].get();
  const BIGNUM* gbar = (*numbers)[1].get();
  const BIGNUM* ghat = (*numbers)[2].get();
  BigContextPtr context = SecretScratch();
  if (BN_cmp(y, p) >= 0 || !IsMvElement(gbar, p, context.get()) ||
      !IsMvElement(ghat, p, context.get()))
    return false;
  const BigPtr r = ReducedChallenge(challenge, p, context.get());
  if (BN_cmp(y, r.get()) == 0) return false;
  BigPtr left = SecretNumber(), right = SecretNumber();
  SecretPower(left.get(), gbar, key.xhat.get(), p, context.get());
  SecretPower(right.get(), ghat, key.xbar.get(), p, context.get());
  CHECK(BN_mod_mul(left.get(), left.get(), right.get(), p, context.get()) == 1);
  CHECK(BN_mod_mul(left.get(), left.get(), y, p, context.get()) == 1);
  return BN_cmp(left.get(), r.get()) == 0;
}

}  // namespace ntpward::keys
