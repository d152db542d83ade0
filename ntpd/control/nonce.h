// Nonces: who sends one back can read what is sent to its address.
//
// A nonce is 24 hexadecimal digits: the second in which it was made, and a keyed hash of it and of
// the requester's address and port. Nothing is kept about those who ask. Lists that are longer than
// the request for them go only to holders of a nonce (CVE-2013-5211). Lifetime as ntpd 4.2.8's.
#pragma once

#include <string>
#include <string_view>

#include "privsep/base/address.h"
#include "privsep/base/bytes.h"
#include "privsep/base/sip_hash.h"
#include "privsep/base/types.h"

namespace ntpward::control {

// What a request says, and the nonce behind it: " nonce=" and NonceMaker's digits, as ntpq of
// ntpward sends it under a MAC. Empty: none. Both point into the data. It proves an address and is
// good for a while, often; SplitNonce's is ntpd-keys', is good once, and has another length: each
// is cut off where requests of its kind are read, and neither passes for the other.
struct ProvingText {
  std::string_view text;
  std::string_view nonce;
};
ProvingText SplitProof(Bytes data);

class NonceMaker {
 public:
  // A nonce is good for this long, any number of times; s.
  static constexpr uint32_t kLifetime = 16;
  static constexpr size_t kDigits = 24;

  // Nonces made under another key are not good.
  explicit NonceMaker(const SipKey& key) : key_(key) {}

  std::string Make(const SocketAddress& requester, MonoTime now) const;
  // Whether Make returned `nonce` for this very address and port, not longer ago than kLifetime.
  bool IsGood(std::string_view nonce, const SocketAddress& requester, MonoTime now) const;

 private:
  uint64_t HashOf(uint32_t second, const SocketAddress& requester) const;

  SipKey key_;
};

}  // namespace ntpward::control
