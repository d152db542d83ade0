// Tables of leap seconds that servers of ours signed: each counts as long as its server is
// followed.
//
// A server that proved itself may still be wrong or lie: what it says neither outlives it nor
// counts beside a table of our own (see net::LeapSeconds), and only those have a say whose time
// survives selection, each with one voice.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "ntpd/autokey/host_state.h"
#include "ntpd/wire/status_word.h"

namespace ntpward::autokey {

class LearnedLeap {
 public:
  // How far ahead the expiry of a table may lie when it comes, s. NIST and the IERS issue theirs
  // for a year at most.
  static constexpr CalendarSeconds kMostAhead = 400 * CalendarSeconds{86400};

  // What `server` signed last, in place of what it signed before. An expired one still says today's
  // offset, as far as that server knows.
  void Learn(AssocId server, const LeapValues& table) { tables_[server] = table; }
  // It is followed no longer, or was refused. Holds from the next choice on.
  void Forget(AssocId server) { tables_.erase(server); }

  // How the last selection marked that server; kReject for one that it did not look at.
  using MarkOf = std::function<wire::Selection(AssocId server)>;
  // To be called about once a second. The offset of `now` that most servers tell, of those that are
  // truechimers by `mark_of`, and of these the epoch that most tell whose leap second is not still
  // to come; of as many those that have not expired, then those of the system peer, then those that
  // expire last. While no truechimer tells any it stays, as long as one tells it that is no
  // falseticker either.
  void Choose(NtpSeconds now, const MarkOf& mark_of);
  // What was chosen, of those who tell it the one that expires last; all zero when none was. It may
  // have expired.
  const LeapValues& Best() const { return best_; }
  // What another truechimer told at the last choice; none: all said the same, or tell of a leap
  // second to come that others do not know of.
  const std::optional<LeapValues>& other() const { return other_; }
  // A leap second took place at `at`, and added `change` (1 or -1) to the offset: a server's values
  // stay right without asking it again.
  void OnLeapSecond(NtpSeconds at, int change);

 private:
  std::map<AssocId, LeapValues> tables_;  // one for an association at most
  LeapValues best_;
  std::optional<LeapValues> other_;
};

}  // namespace ntpward::autokey
