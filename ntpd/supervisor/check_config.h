// `ntpd --check-config`: says everything that is wrong with a configuration, and changes nothing.
#pragma once

#include "ntpd/supervisor/options.h"

namespace ntpward::supervisor {

// Reads ntp.conf strictly, and the leap second file; where it uses keys, has a caged ntpd-keys load them as at a start, and says
// what Autokey associations will find when they ask their servers for proof of identity, with the
// command that mends what is missing. Prints to standard error, and one line to standard output when
// all is well. The exit status: 0, or 1 after any error.
int CheckConfig(const Options& options);

}  // namespace ntpward::supervisor
