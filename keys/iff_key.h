// The group key of the IFF identity scheme (Schnorr; RFC 5906 appendix B): file and numbers.
//
// p, q and g are public, b is the group's secret, v = g^(q-b) mod p proves it. ntp-keygen 4.2.6 and
// 4.2.8 on OpenSSL 1.0 and later write PKCS#8, which has no place for v; whoever reads such a file
// gets g^b (server) or g (client, b = 1) instead, and can prove nothing. So v is computed from b
// here wherever b is known, and written in the traditional form, which keeps it.
#pragma once

#include "keys/key_text.h"
#include "keys/openssl.h"

namespace ntpward::keys {

struct IffKey {
  NtpSeconds filestamp;
  std::string name;
  BigPtr p, q, g;
  BigPtr b;  // null in a client's file
  BigPtr v;  // null when it cannot be known: a client's file in PKCS#8
  bool weak_encryption = false;

  bool has_secret() const { return b != nullptr; }
  bool has_public() const { return v != nullptr; }
  // Octets of q: the length of a challenge.
  size_t challenge_size() const { return static_cast<size_t>(BN_num_bytes(q.get())); }
};

// Bounds that a proof's cost follows from.
inline constexpr int kMinIffModulusBits = 256;
inline constexpr int kMaxIffModulusBits = 4096;
inline constexpr int kMinIffOrderBits = 128;
inline constexpr int kMaxIffOrderBits = 512;

// Reads ntpkey_iffkey_G or ntpkey_iffpar_G and checks that the numbers belong together.
Result<IffKey> ReadIffKey(Bytes file, Bytes password);

// Takes the numbers of a DSA key: p, q, g; private is b, or 1 at a client; public is v.
Result<IffKey> IffKeyFromDsa(const EVP_PKEY* dsa);

// g^(q-b) mod p.
BigPtr IffPublicValue(const IffKey& key);

// What clients get: SEQUENCE { 0, p, q, g, v, 1 } as an unencrypted DSA PRIVATE KEY, without the
// two comment lines. Needs v.
std::string WriteIffParameters(const IffKey& key);

}  // namespace ntpward::keys
