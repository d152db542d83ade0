// The trusted authority of an MV group: makes the keys of its servers and clients, and revokes
// clients. Its file, ntpkey_mvta_G, holds its own block, the servers' and each client's, all in the
// form of DSA keys; its own is p, q, g, public = b, private = A.
#pragma once

#include <optional>
#include <vector>

#include "keys/mv_key.h"

namespace ntpward::keys {

// q is a product of one prime for each client. A revoked client that finds its prime is enabled
// again, so primes should have 256 bits, and must have 32.
inline constexpr int kMinMvPrimeBits = 32;
inline constexpr int kStrongMvPrimeBits = 256;
inline constexpr int kMinMvClients = 2;
inline constexpr int kMaxMvClients = static_cast<int>(kMaxPemBlocks) - 2;

struct MvAuthority {
  NtpSeconds filestamp;
  std::string name;
  BigPtr g, b, a;
  MvServerKey server;  // p and q as well
  std::vector<MvClientKey> clients;
  bool weak_encryption = false;

  // Whether client `index` (from 0) can verify servers. As in the reference, the last one never
  // can.
  bool IsEnabled(size_t index) const;
};

// New keys for 2..62 clients, of which the last is revoked from the start: without one the servers'
// numbers would all be 1. `bits` is 256..2048. Takes seconds at most; fails, and can be tried
// again, when luck was against it (about once in 100,000 times).
Result<MvAuthority> MakeMvAuthority(int bits, int clients);

// Makes the server's key anew so that client `index` cannot verify servers any more; the other
// clients' keys stay as they are. Fails when it is revoked already or the last one enabled.
Status RevokeMvClient(MvAuthority* authority, size_t index);

Result<MvAuthority> ReadMvAuthority(Bytes file, Bytes password);

// All blocks under the password, without the two comment lines.
Result<std::string> WriteMvAuthority(const MvAuthority& authority, Bytes password,
                                     const std::string& cipher);

}  // namespace ntpward::keys
