// Addresses of servers that were tried and finally refused, and are not tried again for a while.
//
// The caller says who was refused: only such as answered our own questions, so that nobody who
// writes in another's name gets that one in here. Bounded in number and time: at most kMost
// addresses, each for kSeconds; when it is full the one that was added first goes. `now` is the
// caller's and never goes back.
#pragma once

#include <cstddef>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::core {

class KeptOut {
 public:
  // s that an address is kept out: longer than a trial, so that its neighbours get theirs.
  static constexpr double kSeconds = 300;
  // Addresses, some 2 KiB. Who comes again before its time has a trial more, and no more.
  static constexpr size_t kMost = 64;

  // Kept out from `now` on, also when it was before.
  void Add(const IpAddress& address, MonoTime now);
  // Was it added less than kSeconds ago? Compares whole addresses, with their scope, without port.
  bool Holds(const IpAddress& address, MonoTime now) const;
  // Entries, those included that are over and were not dropped yet; 0 to kMost.
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    IpAddress address;
    MonoTime since;
  };
  std::vector<Entry> entries_;  // oldest first
};

}  // namespace ntpward::core
