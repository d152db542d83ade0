// Names of system variables of mode 6 that are the daemon's own, so that `setvar` cannot take them.
#pragma once

#include <span>
#include <string_view>

namespace ntpward::config {

// All of them, sorted.
std::span<const std::string_view> DaemonsVariables();
// Whether ntpd-net writes a system variable of that name itself, always or at times.
bool IsDaemonsVariable(std::string_view name);

}  // namespace ntpward::config
