// The GQ identity exchange (Guillou-Quisquater; RFC 5906 appendix C, as ntpd 4.2.6 computes it).
//
// A client draws a challenge r; the server answers y = k u^r mod n and h = bighash(k^b mod n), k
// random; the client accepts when bighash(v^r y^b mod n) == h, v from the server's certificate.
// ntpd 4.2.8p18 takes other numbers than these and neither proves nor verifies anything.
#pragma once

#include <vector>

#include "keys/gq_key.h"

namespace ntpward::keys {

// r, 1 <= r < n, big-endian, left-padded to key.challenge_size().
std::vector<uint8_t> DrawGqChallenge(const GqKey& key);

// The response, DER SEQUENCE { y, h }. `challenge` has key.challenge_size() octets; the key has u.
std::vector<uint8_t> ProveGq(const GqKey& key, Bytes challenge);

// Whether `response`, which may come from anyone, proves that its sender knows the u of
// `public_value`, big-endian, out of a certificate. A value or response whose powers everybody
// knows (0, 1, -1) proves nothing, though the equation may hold.
bool VerifyGq(const GqKey& key, Bytes public_value, Bytes challenge, Bytes response);

}  // namespace ntpward::keys
