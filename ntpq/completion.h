// What the TAB key adds to a line: names of commands, of variables, of associations, and the few
// words that other arguments take.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ntpq/session.h"

namespace ntpward::ntpq {

struct Completion {
  std::string insert;                // what follows for certain
  std::vector<std::string> choices;  // sorted; all that fit when there are several
};

// For the text before the cursor. Asks no server: of associations it knows the list as last
// fetched.
Completion Complete(const Session& session, std::string_view line);

}  // namespace ntpward::ntpq
