// Names for the addresses that a server tells us about, and addresses for the names of hosts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/result.h"

namespace ntpward::ntpq {

// What the system's resolver says. Live: NameProcess; tests bring a table of their own.
class NameService {
 public:
  virtual ~NameService() = default;
  // The name of `address`, or its text when it has none. Not yet fit for a terminal.
  virtual std::string NameOf(const IpAddress& address) = 0;
  // From here on the names of one command are asked for: they share a limit of time.
  virtual void BeginCommand() {}
};

// "LOCAL(0)" for 127.127.1.0: the driver's name and the unit, as ntpd 4.2.8 calls them.
std::string RefclockName(const IpAddress& address);

}  // namespace ntpward::ntpq
