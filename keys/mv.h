// The MV identity exchange (Mu and Varadharajan; RFC 5906 appendix D, as ntpd computes it).
//
// A client draws a challenge r; the server answers y = r E^k, gbar^k and ghat^k mod p, k random;
// the client accepts when y (gbar^k)^xhat (ghat^k)^xbar = r mod p. The scheme tells clients apart
// that were revoked, but it does not show much about the server: whoever knows p and has seen one
// answer can answer every other challenge with the same powers.
#pragma once

#include <vector>

#include "keys/mv_key.h"

namespace ntpward::keys {

// r, 1 <= r < p, big-endian, left-padded to key.challenge_size().
std::vector<uint8_t> DrawMvChallenge(const MvClientKey& key);

// The response, DER SEQUENCE { y, gbar^k, ghat^k }. `challenge` has key.challenge_size() octets.
std::vector<uint8_t> ProveMv(const MvServerKey& key, Bytes challenge);

// Whether `response`, which may come from anyone, satisfies the equation with numbers of the group.
// Without that condition { r, 1, 1 } would. The key has xhat.
bool VerifyMv(const MvClientKey& key, Bytes challenge, Bytes response);

}  // namespace ntpward::keys
