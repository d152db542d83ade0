// Checks that hold between lines, and what follows from lines that are absent.
#pragma once

#include <vector>

#include "ntpd/config/config.h"

namespace ntpward::config {

// Completes `config` and returns what is wrong or unwise about it:
// - polls are clamped (warning), selection limits must fit each other (error, defaults restored);
// - `autokey` without `crypto`, and keys without a key file, are errors that are fatal at start;
// - reference clocks other than the local clock are removed (warning);
// - with no restrict line at all, the built-in ones are put in: `kod limited nomodify nopeer
// noquery`
//   for everyone, loopback open.
// Calling it twice changes nothing more.
std::vector<Diagnostic> Validate(Config& config);

}  // namespace ntpward::config
