// Autokey's seconds without their wrap: timestamps, filestamps and certificate dates in one order.
//
// Timestamps count modulo 2^32 from 1900 and wrap in 2036 (RFC 5905 section 6). A number too small
// for 1970 belongs to the next era: group keys of 2009 are still about, and keys that were made
// before a clock was set are dated from 1970 on.
#pragma once

#include <cstdint>
#include <string>

#include "privsep/base/types.h"

namespace ntpward::autokey {

// Seconds since 1900-01-01 00:00 UTC; negative before.
using CalendarSeconds = int64_t;

// The only date from 1970-01-01 to 2106-02-07 that `time` can mean, as keys/unix_time.h has it.
// Callers deal with 0 ("none") first.
constexpr CalendarSeconds Unfold(NtpSeconds time) {
  constexpr auto kPivot = static_cast<uint32_t>(kUnixToNtpSeconds);
  return static_cast<CalendarSeconds>(time.value) + (time.value < kPivot ? int64_t{1} << 32 : 0);
}
// a is earlier than b, across 2036 too.
constexpr bool Earlier(NtpSeconds a, NtpSeconds b) { return Unfold(a) < Unfold(b); }

// 00:00 UTC of the first day of a month, where leap seconds are.
bool StartsMonth(CalendarSeconds time);

// "202711212341", UTC: the form of `until` and `update` in ntpq.
std::string MinuteText(CalendarSeconds time);

}  // namespace ntpward::autokey
