// One line of configuration that comes by mode 6, and what it changes in ntpd-net. Pure.
//
// The line comes from whoever has the control key. It can change nothing but what ntpd-net decides
// by itself anyway: no file, no name to look up that ntp.conf does not have, no trust in a key, no
// limit of ntpd-clock. A line is applied whole, as it was written, or not at all.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/config/association.h"
#include "ntpd/settings/settings.h"
#include "privsep/base/result.h"

namespace ntpward::settings {

// Why a line changes nothing.
struct Refusal {
  size_t column = 0;  // of the word that is wrong, from 0
  std::string text;   // what follows the column in the answer
};

// One entry of the access list to add, or to take away whatever its flags.
struct AccessStep {
  bool remove = false;
  msg::NetRestriction entry;
};

struct Change {
  Settings after;
  // What becomes of the access list in force, so that it keeps its counters and what names stood
  // for.
  std::vector<AccessStep> access;
  // For the operator and for who gave the line, on which they have no effect.
  std::vector<std::string> warnings;
};

// What `line` changes in `now`. `subject`: the host of the line that an `unconfig ASSOCID` means,
// which only ntpd-net can know; empty: what the line itself says. `file`: what ntp.conf says, whose
// names may be used. A line that is in force already changes nothing.
Result<Change, Refusal> Apply(std::string_view line, std::string_view subject, const Settings& file,
                              const Settings& now);

// What an `unpeer` or `unconfig` names; none for other lines, and for those that are wrong.
std::optional<config::Unpeer> UnpeerOf(std::string_view line);

// The address whose entry by `restrict source` a `delrestrict source ADDRESS` takes away; none for
// other lines, and for those that are wrong. Only ntpd-net knows whether there is one, and nothing
// stays of it: the association's next start brings it back, as in ntpd 4.2.8.
std::optional<IpAddress> SourceEntryOf(std::string_view line);

// Whether Apply() knows the directive.
bool IsRunTimeDirective(std::string_view directive);

}  // namespace ntpward::settings
