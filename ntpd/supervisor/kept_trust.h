// What commands said of symmetric keys while the daemon runs, kept for each ntpd-keys that starts.
//
// ntpd-keys alone tells it; no secret is in it. It lives as long as the daemon, and longer only
// when that crashes (KeptTrustFile): else a new start begins with what ntp.conf says.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "ntpd/config/authentication.h"
#include "privsep/msg/command.h"

namespace ntpward::supervisor {

class KeptTrust {
 public:
  // The last word about a key counts. True when it said anything new.
  bool Take(const msg::RuntimeTrust& change);
  // All of it, as an ntpd-keys is told it; none when nothing was ever said.
  std::vector<msg::RuntimeTrust> Messages() const;
  // The keys that are trusted now, where a file's lines trusted `ranges`.
  std::vector<config::KeyRange> Over(std::span<const config::KeyRange> ranges) const;
  size_t size() const { return trusted_.size(); }

 private:
  std::map<KeyId, bool> trusted_;  // at most one a key number
};

}  // namespace ntpward::supervisor
