// A parsed ntp.conf: everything that its lines can say, in natural types.
//
// Filled by Parse (parser.h), completed and checked by Validate (validate.h). Move-only, because
// the Autokey password is held as a Secret; no other member ever holds it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ntpd/config/access.h"
#include "ntpd/config/association.h"
#include "ntpd/config/authentication.h"
#include "ntpd/config/diagnostic.h"
#include "ntpd/config/files.h"
#include "ntpd/config/system.h"

namespace ntpward::config {

// A multicast group to join (`multicastclient`) or to answer on (`manycastserver`).
struct Group {
  Location where;
  IpAddress address;
};

struct Config {
  // The files that were read, by their index in Location; [0] is the main one.
  std::vector<std::string> files;

  // In the order of the lines.
  std::vector<Association> associations;
  std::vector<Unpeer> unpeers;
  std::vector<Fudge> fudges;  // one a clock
  std::vector<Group> multicast_groups;
  std::vector<Group> manycast_groups;
  Setting<bool> broadcastclient{false};
  Setting<bool> novolley{false};  // broadcastdelay is taken instead of a measurement

  // Are broadcasts of others listened to?
  bool listens() const {
    return broadcastclient.value || system.switches.bclient.value || !multicast_groups.empty();
  }

  std::vector<Restriction>
      restrictions;  // Validate() puts the built-in ones here when there are none
  Discard discard;
  MruLimits mru;
  Authentication authentication;
  Files output;
  System system;

  // The name of the file of `where`; empty when it is not known.
  std::string_view FileOf(const Location& where) const;
  // The settings of a reference clock, or null.
  const Fudge* FudgeFor(const IpAddress& clock) const;
};

// A diagnostic at a place of `config`.
Diagnostic At(const Config& config, const Location& where, Severity severity, std::string text);

}  // namespace ntpward::config
