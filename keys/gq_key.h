// The group key of the GQ identity scheme (Guillou-Quisquater; RFC 5906 appendix C): file and
// numbers.
//
// n and b are known to the whole group and to nobody else. A server also has u; v = (u^-1)^b mod n
// proves it and stands in the server's certificate. The file has the form of an RSA key: n, e = b,
// d = 1, p = u, q = v; a client's has 1 for u and v. PKCS#8 keeps all of them.
#pragma once

#include "keys/key_text.h"
#include "keys/openssl.h"

namespace ntpward::keys {

struct GqKey {
  NtpSeconds filestamp;
  std::string name;
  BigPtr n, b;
  BigPtr u, v;  // both null in a client's file
  bool weak_encryption = false;

  bool has_secret() const { return u != nullptr; }
  // Octets of n: the length of a challenge.
  size_t challenge_size() const { return static_cast<size_t>(BN_num_bytes(n.get())); }
};

// Bounds that a proof's cost follows from. ntp-keygen 4.2.6 makes 256 bits, 4.2.8 512.
inline constexpr int kMinGqModulusBits = 192;
inline constexpr int kMaxGqModulusBits = 4096;

// The longest v that the reference reads right from a certificate: it takes the header of what is
// longer for a part of the number.
inline constexpr int kMaxReadableGqBits = 127 * 8;

// Reads ntpkey_gqkey_G or ntpkey_gqpar_G and checks that the numbers belong together.
Result<GqKey> ReadGqKey(Bytes file, Bytes password);

// New parameters and a secret; `bits` is 256..4096. b is a prime, so that no root of v below the
// b-th helps an impostor. With `keep`, an earlier key's v, the new key has the same v where `bits`
// has room for it: the server's one certificate then serves clients of both keys. A v tells nothing
// of the other modulus' secrets.
Result<GqKey> MakeGqKey(int bits, const BIGNUM* keep = nullptr);

// (u^-1)^b mod n; null when u has no inverse.
BigPtr GqPublicValue(const BIGNUM* u, const BIGNUM* b, const BIGNUM* n);

// What clients get: n and b, not encrypted, without the two comment lines. It is the group's
// secret: whoever has it can pose as a server with a certificate of its own.
std::string WriteGqParameters(const GqKey& key);

// The server's key in PKCS#8 under a password. Needs u.
Result<std::string> WriteGqKey(const GqKey& key, Bytes password, const std::string& cipher);

}  // namespace ntpward::keys
