// What `ntpd -q` says when its one correction is behind it, and with which status it ends.
#pragma once

#include "privsep/msg/control.h"

namespace ntpward::net {

// What became of the correction that was wanted.
enum class Correction {
  kStepped,
  kSlewing,    // all of it is under way, and needs nobody any more
  kLeftAlone,  // only measured: `disable ntp`, or a virtual clock
  kRefused,    // ntpd-clock would not, or did not say so in time
};

// `offset` is in seconds, positive when our clock is behind. A correction that was refused is a
// failure; one that was not to be made is none: whether the operator asked for that, the
// supervisor knows. The lines of the first two are ntpd 4.2.8's.
msg::NetQuit QuitAfterCorrection(Correction correction, double offset);

// No server was found in time. `heard`: any packet came, so that a server may count our requests
// though none was good; else nobody does.
msg::NetQuit QuitWithoutServer(bool heard);

}  // namespace ntpward::net
