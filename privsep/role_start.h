// The first and the last step before a role's main() hears anyone; a failure ends the process.
#pragma once

#include <string>

#include "privsep/cage.h"

namespace ntpward {

// RoleIdentity::FromArguments. A wrong command line is told on standard error; status 2.
RoleIdentity IdentityOrExit(int argc, char** argv);

// EnterCage, and what it said. A cage that does not close is told on standard error, after the name
// of `program`; status 3.
std::string EnterCageOrExit(const char* program, const CageOptions& options);

}  // namespace ntpward
