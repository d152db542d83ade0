// WRITEVAR (RFC 1305 appendix B): which variables of the system may be written, and to what.
//
// Only variables that the operator made writable on the command line (--var, --dvar) are; all that
// the daemon itself shows are not. Errors are those of ntpd 4.2.8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ntpd/control/view.h"
#include "ntpd/wire/control_message.h"
#include "privsep/base/result.h"

namespace ntpward::control {

struct Assignment {
  std::string name;
  std::string value;  // without quotes
};

// `text`: "name=value, name=value". All of it may be written, or it fails: kUnknownVariable;
// kPermission for a name that is not writable; kBadFormat for text that is no such list; and for
// `leap`, which can never be written: kBadFormat for no number, kBadValue over 3, else
// kUnspecified.
Result<std::vector<Assignment>, wire::ControlError> ParseAssignments(std::string_view text,
                                                                     const SystemView& view);

}  // namespace ntpward::control
