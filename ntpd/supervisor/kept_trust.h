// What commands said of symmetric keys while the daemon runs, kept for each ntpd-keys that starts.
//
// ntpd-keys alone tells it; no secret is in it. It lives as long as the daemon: a restart of that
// begins with what ntp.conf says.
#pragma once

#include <map>
#include <vector>

#include "privsep/msg/command.h"

namespace ntpward::supervisor {

class KeptTrust {
 public:
  // The last word about a key counts.
  void Take(const msg::RuntimeTrust& change);
  // All of it, as an ntpd-keys is told it; none when nothing was ever said.
  std::vector<msg::RuntimeTrust> Messages() const;

 private:
  std::map<KeyId, bool> trusted_;  // at most one a key number
};

}  // namespace ntpward::supervisor
