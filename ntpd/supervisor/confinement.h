// What the kernel says of how a process is confined: its /proc/PID/status, read anew each time.
#pragma once

#include <optional>
#include <string_view>

#include "privsep/msg/control.h"

namespace ntpward::supervisor {

// `status_fd` is an open /proc/PID/status; it stays the caller's. None when it is -1, the process
// is gone, or the text is not what the kernel writes (proc_pid_status(5)).
std::optional<msg::Confinement> ReadConfinement(int status_fd);
// The same of the text.
std::optional<msg::Confinement> ParseConfinement(std::string_view status);

}  // namespace ntpward::supervisor
