// From a validated Config to the messages that tell the roles about it. No secret passes here.
#pragma once

#include <string>
#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/options.h"
#include "privsep/base/log.h"
#include "privsep/msg/control.h"
#include "privsep/msg/keys.h"
#include "privsep/msg/resolve.h"

namespace ntpward::supervisor {

struct NetConfiguration {
  msg::NetStart start;
  std::vector<msg::NetAssociation> associations;
  std::vector<msg::NetRestrict> restrictions;
  std::vector<msg::ResolveName> names;  // for ntpd-resolve; associations refer to them by index
  // Lines that cannot be served and are not in the above: they do not fit a message, or are not
  // served yet (Autokey on `peer`). A strict caller refuses the whole.
  std::vector<config::Diagnostic> errors;
};

// `log` hears of what is served and has no effect. `names` are those of the configuration before: a
// name keeps its index for the daemon's life, so that an answer that is on its way at a reload is
// never taken for another's.
NetConfiguration Translate(const config::Config& config, const Options& options, Logger* log,
                           std::vector<msg::ResolveName> names = {});

// What of the log `logconfig` leaves on (msg::LogClassBit); everything while there is no such line.
uint8_t LogClasses(const config::Config& config);

// What ntp.conf allows each symmetric key to do.
std::vector<msg::KeysTrusted> TrustedKeys(const config::Config& config);

}  // namespace ntpward::supervisor
