// The server that is measured: its address and what its processes have cost.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "privsep/base/address.h"

namespace ntpward::bench {

// "ADDRESS:PORT", the address without brackets.
std::optional<SocketAddress> ParseServer(const std::string& text);

// How long these processes (decimal pids) have run, in seconds; one that is gone counts as 0.
double ProcessorSeconds(const std::vector<std::string>& pids);

}  // namespace ntpward::bench
