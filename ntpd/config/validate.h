// Checks that hold between lines, and what follows from lines that are absent.
#pragma once

#include <vector>

#include "ntpd/config/config.h"

namespace ntpward::config {

// Completes `config` and returns what is wrong or unwise about it:
// - polls are clamped to kMinPoll..kMaxPoll and made to fit each other, the list of recent clients
//   to 1..kMostMruEntries, reference clocks other than the local clock are removed (warnings);
// - with no restrict line at all, the built-in ones are put in: `kod limited nomodify nopeer
// noquery`
//   for everyone, loopback open;
// - what asks for authentication that cannot happen is an error that is fatal at start: `autokey`
//   without `crypto`, `key` without `keys`, two places for the one password;
// - what is legal but surely not meant is a warning; what default rules without noquery mean for
//   strangers is a note.
// Calling it twice changes nothing more.
std::vector<Diagnostic> Validate(Config& config);

// The same for what one line says by itself: polls, options that do not fit each other. What would
// have no effect, or would be taken otherwise than it was written, is an error.
std::vector<Diagnostic> ValidateAlone(Config& config);

}  // namespace ntpward::config
