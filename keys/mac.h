// MACs by symmetric keys: digest(secret || packet), AES-CMAC (RFC 4493, RFC 8573), or the DES-CBC
// check sum of NTP version 3 (RFC 1305 appendix C).
//
// Digests longer than 20 octets are cut to 20, as chrony and NTPsec do: a longer MAC would be taken
// for an extension field (RFC 7822). ntpd 4.2.8 can read such keys but not use them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "keys/openssl.h"
#include "privsep/base/des_key.h"

namespace ntpward::keys {

inline constexpr size_t kMaxMacDigest = 20;
using MacDigest = InlineBytes<kMaxMacDigest>;

// The type of a key, in upper case, can be computed here: AES128CMAC or a digest of OpenSSL with at
// least 16 octets. DES is not among the types' names: key files write it as S, N or A.
bool IsMacType(const std::string& type);

// One algorithm, fetched before the sandbox closed, with the context that it runs in. One thread.
class MacAlgorithm {
 public:
  // `type` as IsMacType() allows, or kDesType.
  static Result<MacAlgorithm> Create(const std::string& type);

  // A secret for AES128CMAC is cut off or filled with zeros to 16 octets, as ntpd 4.2.8 does.
  // One for DES is filled with zeros to 8; it is the last block of DES-CBC with an initial vector
  // of zero over `covered`, filled with zeros to whole blocks.
  MacDigest Compute(Bytes secret, Bytes covered);

  // Octets of what Compute() returns, 16..20, or 8 for DES.
  size_t size() const { return size_; }

 private:
  MacAlgorithm() = default;
  MacDigest ComputeDigest(Bytes secret, Bytes covered);
  MacDigest ComputeCmac(Bytes secret, Bytes covered);
  void UseCmacKey(Bytes secret);
  MacDigest ComputeDes(Bytes secret, Bytes covered);

  DigestPtr digest_;
  DigestContextPtr context_;
  MacContextPtr cmac_;    // set: AES128CMAC, and the digest is not used
  LockedBytes cmac_key_;  // that cmac_ has now; empty: none yet
  CipherPtr des_;         // set: DES, and neither of them is used
  CipherContextPtr des_context_;
  size_t size_ = 0;
};

}  // namespace ntpward::keys
