// The IFF identity exchange (Schnorr; RFC 5906 appendix B, as ntpd 4.2.8 computes it).
//
// A client draws a challenge r; the server answers y = k + b r mod q and h = bighash(g^k mod p), k
// random; the client accepts when bighash(g^y v^r mod p) == h. bighash(x) is the MD5 of x's octets
// without leading zeros, read as a number.
#pragma once

#include <vector>

#include "keys/iff_key.h"

namespace ntpward::keys {

// Room for a response: a sequence of a number below q and a 16-octet digest.
inline constexpr size_t kMaxIffResponse = 128;

// r, 1 <= r < q, big-endian, left-padded to key.challenge_size(). The reference left-aligns short
// ones, whose check then fails once; padding is what its servers understand.
std::vector<uint8_t> DrawIffChallenge(const IffKey& key);

// The response, DER SEQUENCE { y, h }. `challenge` has key.challenge_size() octets; the key has its
// secret.
std::vector<uint8_t> ProveIff(const IffKey& key, Bytes challenge);

// Whether `response`, which may come from anyone, proves that its sender knows b. The key has v.
bool VerifyIff(const IffKey& key, Bytes challenge, Bytes response);

}  // namespace ntpward::keys
