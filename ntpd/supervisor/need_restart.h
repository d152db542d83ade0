// What of a new configuration a running daemon cannot follow.
#pragma once

#include <string>
#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/options.h"

namespace ntpward::supervisor {

// The directives whose new values have no effect before the next start, as an operator writes them;
// none where an option stands above the file. (`interface` is known to ListenSockets.)
std::vector<std::string> NeedRestart(const config::Config& running, const config::Config& fresh,
                                     const Options& options);

}  // namespace ntpward::supervisor
