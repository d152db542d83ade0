// What a table of leap seconds says of a moment: the TAI offset in force, and the leap second to
// come.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ntpd/wire/packet.h"
#include "privsep/base/types.h"

namespace ntpward::core {

class LeapSchedule {
 public:
  // Seconds since 1900-01-01 00:00 UTC, not folded into eras.
  using Seconds = int64_t;
  struct Entry {
    Seconds at = 0;   // a UTC midnight
    uint8_t tai = 0;  // TAI - UTC from then on, seconds
  };
  // How long before it a leap second is told to others: its day, as ntpd 4.2.8 does. Who hears of
  // it in between needs no longer, and a mistake in the table does least harm.
  static constexpr Seconds kNotice = 86400;

  // No table.
  LeapSchedule() = default;
  // `entries` ascend and change by one second each.
  LeapSchedule(std::vector<Entry> entries, Seconds expiry)
      : entries_(std::move(entries)), expiry_(expiry) {}

  bool empty() const { return entries_.empty(); }
  Seconds expiry() const { return expiry_; }
  // The latest in the table, which may lie ahead. There must be a table.
  const Entry& last() const { return entries_.back(); }
  // There is a table and it covers `now`.
  bool ValidAt(NtpTimestamp now) const { return !empty() && Unfold(now) < expiry_; }
  // In force at `now`; null before the first, and without a table.
  const Entry* CurrentAt(NtpTimestamp now) const;
  // The first one after `now`; null when none is known.
  const Entry* NextAt(NtpTimestamp now) const;
  // What to announce: kAddSecond or kDeleteSecond on the day of a leap second, else kNone. None at
  // all while no valid table is there to say so.
  std::optional<wire::Leap> NoticeAt(NtpTimestamp now) const;

  // The only time from 1968 to 2104 that `time` can mean.
  static Seconds Unfold(NtpTimestamp time) {
    return Seconds{time.seconds()} + (time.seconds() < 0x80000000U ? Seconds{1} << 32 : 0);
  }

 private:
  std::vector<Entry> entries_;
  Seconds expiry_ = 0;
};

// Whether `now` is in the last UTC day of its month, at whose end leap seconds take place (RFC 5905
// section 7.3).
bool IsLastDayOfMonth(NtpTimestamp now);

}  // namespace ntpward::core
