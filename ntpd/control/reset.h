// `reset` by mode 6: groups of counters that begin anew (ntpd 4.2.8, "reset").
#pragma once

#include <cstddef>
#include <string_view>

#include "privsep/base/result.h"

namespace ntpward::control {

// Which counters.
struct ResetGroups {
  bool peers = false;    // allpeers: of each association
  bool keys = false;     // auth: authinfo
  bool control = false;  // ctl: of mode 6 itself
  bool io = false;       // io: iostats
  bool system = false;   // sys: sysstats
  bool timer = false;    // timer: timerstats
};

// Whether the line is about counters, well-formed or not.
bool IsReset(std::string_view line);

// `reset GROUP...`. Group `mem` is known as in the reference, but counts nothing here. An error is
// the column, from 0, of the word that is no group, or of the end where one is missing.
Result<ResetGroups, size_t> ParseReset(std::string_view line);

}  // namespace ntpward::control
