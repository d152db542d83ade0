// The names of variables that servers are known to have, for completion.
#pragma once

#include <string_view>

#include "ntpq/cook.h"

namespace ntpward::ntpq {

// Separated by commas: what ntpd 4.2.8 lists as its own, and what ntpward adds.
std::string_view VariableNames(Scope scope);

}  // namespace ntpward::ntpq
