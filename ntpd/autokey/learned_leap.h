// Tables of leap seconds that servers of ours signed: each counts as long as its server is
// followed.
//
// A server that proved itself may still be wrong or lie: what it says neither outlives it nor
// counts beside a table of our own (see net::LeapSeconds).
#pragma once

#include <map>

#include "ntpd/autokey/host_state.h"

namespace ntpward::autokey {

class LearnedLeap {
 public:
  // How far ahead the expiry of a table may lie when it comes, s. NIST and the IERS issue theirs
  // for a year at most.
  static constexpr CalendarSeconds kMostAhead = 400 * CalendarSeconds{86400};

  // What `server` signed last, in place of what it signed before. An expired one still says today's
  // offset, as far as that server knows.
  void Learn(AssocId server, const LeapValues& table) { tables_[server] = table; }
  // It is followed no longer, or was refused.
  void Forget(AssocId server) { tables_.erase(server); }
  // The one that expires last, and of those the one with the latest leap second; all zero without
  // any. It may have expired.
  LeapValues Best() const;
  // A leap second took place at `at`, and added `change` (1 or -1) to the offset: a server's values
  // stay right without asking it again.
  void OnLeapSecond(NtpSeconds at, int change);

 private:
  std::map<AssocId, LeapValues> tables_;  // one for an association at most
};

}  // namespace ntpward::autokey
