// `ntpd --check-config`: says everything that is wrong with a configuration, and changes nothing.
#pragma once

#include "ntpd/supervisor/options.h"

namespace ntpward::supervisor {

// Reads ntp.conf strictly: a line that a start would leave out is an error, and so is a leap second
// file that cannot be used. A line that is understood and has no effect is a warning. Where
// ntp.conf uses keys, has a caged ntpd-keys load them as at a start, and says what Autokey
// associations will find when they ask their servers for proof of identity, with the command that
// mends what is missing. Prints each error with its file, line and column to standard error, and
// one line to standard output when all is well. The exit status: 0, or 1 after any error.
int CheckConfig(const Options& options);

}  // namespace ntpward::supervisor
