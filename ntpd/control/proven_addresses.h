// The addresses that have lately shown that what is sent to them is read there.
//
// Anybody can send in another's name; only whoever reads what goes to an address can repeat a nonce
// from it. The table is of fixed size and has an entry only after such a proof. Its places are
// in sets of four, chosen by a keyed hash of the whole IPv4 address or of the IPv6 /48: whoever has
// one of those can take four places, which he shares with the few whose hash is the same. Who has
// many can drive anybody out; that costs each of these one more proof.
#pragma once

#include <cstdint>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/sip_hash.h"
#include "privsep/base/types.h"

namespace ntpward::control {

class ProvenAddresses {
 public:
  // A proof counts this long; s.
  static constexpr double kLifetime = 60;

  // `key` is unpredictable to outsiders.
  explicit ProvenAddresses(const SipKey& key);

  // An address that is there is good for another kLifetime; a new one may take the place of the
  // oldest of those that share its places.
  void Add(const IpAddress& address, MonoTime now);
  // Whether Add was called with this very address, not longer ago than kLifetime.
  bool Has(const IpAddress& address, MonoTime now) const;

 private:
  struct Entry {
    IpAddress address;  // none: free
    MonoTime proved;
  };

  size_t FirstPlace(const IpAddress& address) const;

  SipKey key_;
  std::vector<Entry> entries_;
};

}  // namespace ntpward::control
