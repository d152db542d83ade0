// The variables of mode 6: the system's, an association's, a reference clock's.
//
// Names, order, formats and what is written by default are those of ntpd 4.2.8, since operators'
// scripts match its text. Every value is printable when it leaves here.
#pragma once

#include <span>
#include <string_view>

#include "ntpd/control/view.h"
#include "ntpd/wire/control_message.h"
#include "ntpd/wire/variable_list.h"
#include "privsep/base/result.h"

namespace ntpward::control {

// Each writes the variables in `names`, or its defaults when `names` is empty, and ends the list.
// A name that does not exist fails with kUnknownVariable; one that does not apply now is left out.

// Some variables are ours. `privsep`, written only by name, has an item for each of the daemon's
// processes: privsep_net="state=running uptime=60 restarts=0 refused=0 uid=990 seccomp=2
// no_new_privs=1 capabilities=0x0". Who may read it is for the caller to judge: it tells somebody
// who tries to break in whether a process died of it.
inline constexpr std::string_view kProcesses = "privsep";
// So are those that begin with ctl_: what became of requests by mode 6, and seconds since their
// reset. Anybody who may ask may read them, by name.
Result<wire::VariableListWriter, wire::ControlError> ReadSystem(
    const SystemView& view, std::span<const std::string_view> names);

// Whether the daemon itself has a system variable of that name; one that the operator made is none.
bool IsSystemVariable(std::string_view name);

// Some variables are ours, and written only by name. `identity`: which scheme told the server from
// an impostor ("TC", "IFF", "GQ", "MV", "none"). `trail`: an item trail.N="SUBJECT ISSUER UNTIL"
// for each certificate from the server to a trusted root, and trailloop=1 of a peer that shows none
// but one that comes back to this host. `cookieage`, `keylistage`: seconds.
// `autokeyerror`: the last thing that went wrong, as cryptostats names it, and with it
// autokeyerrorage, seconds, and autokeycause, a sentence, where the server was refused for it.
Result<wire::VariableListWriter, wire::ControlError> ReadPeer(
    const PeerView& view, std::span<const std::string_view> names);

Result<wire::VariableListWriter, wire::ControlError> ReadClock(
    const ClockView& view, std::span<const std::string_view> names);

}  // namespace ntpward::control
