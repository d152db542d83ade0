// The keys of the MV identity scheme (Mu and Varadharajan; RFC 5906 appendix D): a server's and a
// client's, and their files.
//
// p = 2q + 1; all numbers lie in the group of order q. A server has E, gbar and ghat, each client
// xhat and xbar of its own, and gbar^xhat ghat^xbar E = 1 for each client that was not revoked. The
// files have the form of DSA keys. ntp-keygen on OpenSSL 1.0 and later writes them in PKCS#8, which
// has no place for the public number (ghat, xhat), so that nothing can be proved with them; here
// they are written in the traditional form.
#pragma once

#include "keys/key_text.h"
#include "keys/openssl.h"
#include "keys/raw_key.h"

namespace ntpward::keys {

// p, q, g = E, public = ghat, private = gbar.
struct MvServerKey {
  NtpSeconds filestamp;
  std::string name;
  BigPtr p, q, e, gbar, ghat;
  bool weak_encryption = false;

  // Octets of p: the length of a challenge.
  size_t challenge_size() const { return static_cast<size_t>(BN_num_bytes(p.get())); }
};

// p, q = 1, g = 1, public = xhat, private = xbar.
struct MvClientKey {
  NtpSeconds filestamp;
  std::string name;
  BigPtr p, xbar;
  BigPtr xhat;  // null when the file lost it
  bool weak_encryption = false;

  bool has_public() const { return xhat != nullptr; }
  size_t challenge_size() const { return static_cast<size_t>(BN_num_bytes(p.get())); }
};

// Bounds that a proof's cost follows from, and its length: three numbers in one extension field.
inline constexpr int kMinMvModulusBits = 192;
inline constexpr int kMaxMvModulusBits = 3072;

// Reads ntpkey_mvkey_G, or the authority's file, whose second block is the same. Checks that p is a
// prime and the other numbers are of its group.
Result<MvServerKey> ReadMvServerKey(Bytes file, Bytes password);
// Reads ntpkey_mvpar_G.
Result<MvClientKey> ReadMvClientKey(Bytes file, Bytes password);

// The same out of a block's numbers. Without filestamp and name.
Result<MvServerKey> MvServerFromRaw(RawKey raw);
Result<MvClientKey> MvClientFromRaw(RawKey raw);

// p is a prime of the form 2q + 1, of a size that can be served.
Status CheckMvModulus(const BIGNUM* p);

// 2 <= number <= p - 2 and in the group of order q. Only such numbers prove anything.
bool IsMvElement(const BIGNUM* number, const BIGNUM* p, BN_CTX* context);

// Without the two comment lines: what a client gets, not encrypted, and what a server gets.
std::string WriteMvClientKey(const MvClientKey& key);
Result<std::string> WriteMvServerKey(const MvServerKey& key, Bytes password,
                                     const std::string& cipher);

}  // namespace ntpward::keys
