// The system's resolver, asked directly.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ntpq/names.h"
#include "ntpq/transport.h"

namespace ntpward::ntpq {

// A host as the resolver knows it.
struct ResolvedHost {
  std::string name;                  // canonical, or as it was asked for
  std::vector<IpAddress> addresses;  // at least one
};

// Numbers first, then names. The error is the resolver's own text.
Result<ResolvedHost> ResolveHost(const std::string& name, Family family);
// The name of `address`, or its number as text.
std::string ResolveAddress(const IpAddress& address);

}  // namespace ntpward::ntpq
