// Addresses that were tried and finally refused, and are not tried again for a while.
//
// Who is refused has answered our own questions, so that nobody who writes in another's name gets
// that one in here. Bounded: when it is full the oldest goes.
#pragma once

#include <cstddef>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::core {

class KeptOut {
 public:
  // s
  static constexpr double kSeconds = 300;
  static constexpr size_t kMost = 64;

  void Add(const IpAddress& address, MonoTime now);
  bool Holds(const IpAddress& address, MonoTime now) const;
  void Clear() { entries_.clear(); }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    IpAddress address;
    MonoTime since;
  };
  std::vector<Entry> entries_;  // oldest first
};

}  // namespace ntpward::core
