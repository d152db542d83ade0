// The addresses of this host as ntpd-net is told them: by each of them it knows itself.
#pragma once

#include <vector>

#include "ntpd/supervisor/listen_sockets.h"
#include "privsep/msg/control.h"

namespace ntpward::supervisor {

// More than any host of sense has; what is over it is left out.
inline constexpr size_t kMostOwnAddresses = 1024;

// Those of `present` that not every host has, ascending, each once.
std::vector<IpAddress> OwnAddresses(const std::vector<InterfaceAddress>& present);

// At least one message; the last is without `more`.
std::vector<msg::NetAddresses> AddressMessages(const std::vector<IpAddress>& addresses);

}  // namespace ntpward::supervisor
