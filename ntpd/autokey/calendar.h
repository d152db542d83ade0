// Autokey's seconds without their wrap: timestamps, filestamps and certificate dates in one order.
//
// Timestamps count modulo 2^32 from 1900 and wrap in 2036 (RFC 5905 section 6). Every date that
// this protocol can meet lies after 2010, so a smaller number belongs to the next era.
#pragma once

#include <cstdint>
#include <string>

#include "privsep/base/types.h"

namespace ntpward::autokey {

// Seconds since 1900-01-01 00:00 UTC; negative before.
using CalendarSeconds = int64_t;

// The only date from 2010-07-28 to 2146-09-03 that `time` can mean. Callers deal with 0 ("none")
// first.
constexpr CalendarSeconds Unfold(NtpSeconds time) {
  constexpr uint32_t kPivot = 0xd0000000;
  return static_cast<CalendarSeconds>(time.value) + (time.value < kPivot ? int64_t{1} << 32 : 0);
}
// a is earlier than b, across 2036 too.
constexpr bool Earlier(NtpSeconds a, NtpSeconds b) { return Unfold(a) < Unfold(b); }

// "202711212341", UTC: the form of `until` and `update` in ntpq.
std::string MinuteText(CalendarSeconds time);

}  // namespace ntpward::autokey
