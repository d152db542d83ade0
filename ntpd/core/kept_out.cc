#include "ntpd/core/kept_out.h"

#include <algorithm>

namespace ntpward::core {

void KeptOut::Add(const IpAddress& address, MonoTime now) {
  std::erase_if(entries_, [&](const Entry& entry) {
    return entry.address == address || now - entry.since >= kSeconds;
  });
  if (entries_.size() == kMost) entries_.erase(entries_.begin());
  entries_.push_back({address, now});
}

bool KeptOut::Holds(const IpAddress& address, MonoTime now) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.address == address && now - entry.since < kSeconds;
  });
}

}  // namespace ntpward::core
