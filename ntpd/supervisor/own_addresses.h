// The addresses of this host as ntpd-net is told them: by each of them it knows itself.
#pragma once

#include <vector>

#include "ntpd/supervisor/listen_sockets.h"
#include "privsep/msg/control.h"

namespace ntpward::supervisor {

// More than any host of sense has; what is over it is left out.
inline constexpr size_t kMostOwnAddresses = 1024;

// Those of `present` that not every host has, ascending by interface, on each once. Interfaces are
// numbered by their names.
std::vector<msg::OwnAddress> OwnAddresses(const std::vector<InterfaceAddress>& present);

// At least one message; the last is without `more`.
std::vector<msg::NetAddresses> AddressMessages(const std::vector<msg::OwnAddress>& addresses);

}  // namespace ntpward::supervisor
