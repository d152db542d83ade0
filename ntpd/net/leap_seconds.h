// Leap seconds as ntpd-net knows them: by the host's own file as long as it is valid, else by what
// a server signed or the majority of servers announces. Tells the engine, the Autokey host and
// ntpd-clock.
#pragma once

#include <optional>

#include "ntpd/core/leap_schedule.h"
#include "ntpd/net/node.h"

namespace ntpward::net {

class LeapSeconds {
 public:
  // `node` must outlive this object. What servers sign reaches node->learned_leap by Upstreams.
  explicit LeapSeconds(Node* node) : node_(node) {}

  // The table of the supervisor, in place of the one before; an empty one takes it away.
  void SetTable(const msg::LeapTable& table);
  // To be called about once a second while there is an engine: brings everything in line with the
  // time.
  void OnSecond(NtpTimestamp now);
  // Has the Autokey host offer the table in force; a part of OnSecond.
  void Offer(NtpTimestamp now) { node_->host.SetLeap(InForce(now)); }
  // What `tai`, `leapsec` and `expire` show: the table in force, an expired one where there is no
  // better, our own before a server's. Of the file `leapsec` is the latest leap second, which may
  // lie ahead, as ntpd 4.2.8 shows it.
  autokey::LeapValues Shown(NtpTimestamp now) const;

 private:
  // What servers tell reaches the kernel when it was the same for so long: who proves itself first
  // is not alone for long, and ntpd-clock takes no other offset after the first for a day.
  static constexpr core::LeapSchedule::Seconds kPatience = 300;

  // A leap second that has been announced.
  struct Armed {
    wire::Leap leap = wire::Leap::kNone;
    core::LeapSchedule::Seconds at = 0;
  };

  // All zero without a table, or before its first entry.
  autokey::LeapValues FileValues(NtpTimestamp now) const;
  // The valid table to go by; all zero without one, or when its leap second is still to come and
  // only a server told it.
  autokey::LeapValues InForce(NtpTimestamp now) const;
  // The same, else what a server told under an expired one or of a leap second to come, with
  // today's offset; all zero without either.
  autokey::LeapValues Known(NtpTimestamp now) const;
  // TAI - UTC for others on this machine.
  std::optional<int16_t> ToTell(const autokey::LeapValues& known, NtpTimestamp now);
  void ChooseLearned(NtpTimestamp now);
  void ReportOffset(const autokey::LeapValues& known);
  void ReportStale(NtpTimestamp now);
  void WatchLeap(NtpTimestamp now);
  void OnLeap(const Armed& passed);

  Node* node_;
  core::LeapSchedule schedule_;
  std::optional<Armed> armed_;
  autokey::LeapValues reported_;        // in the event log
  std::optional<int16_t> learned_tai_;  // what servers tell, while the file does not
  core::LeapSchedule::Seconds learned_since_ = 0;
  bool said_differ_ = false;               // that servers tell different tables
  core::LeapSchedule::Seconds stale_ = 0;  // expiry of the file's table that was reported; 0: none
};

}  // namespace ntpward::net
