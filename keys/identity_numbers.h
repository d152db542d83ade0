// Arithmetic that the identity schemes IFF, GQ and MV share.
#pragma once

#include <vector>

#include "keys/openssl.h"

namespace ntpward::keys {

// Room for intermediate results, in the locked heap.
BigContextPtr SecretScratch();

// bighash(x) of RFC 5906: the MD5 of x's octets without leading zeros, read as a number.
BigPtr BigHash(const BIGNUM* number);

// 1 <= number < bound, uniformly, from the generator for secrets. `bound` is at least 2.
void DrawBelow(BIGNUM* number, const BIGNUM* bound);

// A challenge 1 <= r < bound: big-endian, left-padded to the octets of `bound`.
std::vector<uint8_t> DrawPadded(const BIGNUM* bound);

// A received challenge as a number below `modulus`.
BigPtr ReducedChallenge(Bytes octets, const BIGNUM* modulus, BN_CTX* context);

// base^exponent mod modulus in constant time; `modulus` is odd. For exponents that are secret.
void SecretPower(BIGNUM* out, const BIGNUM* base, const BIGNUM* exponent, const BIGNUM* modulus,
                 BN_CTX* context);

// 2 <= number <= modulus - 2. What lies outside proves nothing: its powers are known to everybody.
bool IsNontrivial(const BIGNUM* number, const BIGNUM* modulus);

}  // namespace ntpward::keys
