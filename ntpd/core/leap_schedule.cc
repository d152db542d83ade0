#include "ntpd/core/leap_schedule.h"

#include <algorithm>
#include <chrono>

namespace ntpward::core {

const LeapSchedule::Entry* LeapSchedule::CurrentAt(NtpTimestamp now) const {
  const Entry* next = NextAt(now);
  const Entry* end = next != nullptr ? next : entries_.data() + entries_.size();
  return end == entries_.data() ? nullptr : end - 1;
}

const LeapSchedule::Entry* LeapSchedule::NextAt(NtpTimestamp now) const {
  const auto next =
      std::find_if(entries_.begin(), entries_.end(),
                   [seconds = Unfold(now)](const Entry& entry) { return entry.at > seconds; });
  return next == entries_.end() ? nullptr : &*next;
}

std::optional<wire::Leap> LeapSchedule::NoticeAt(NtpTimestamp now) const {
  if (!ValidAt(now)) return std::nullopt;
  const Entry* current = CurrentAt(now);
  const Entry* next = NextAt(now);
  // The first entry is the offset of 1972, not a leap second.
  if (current == nullptr || next == nullptr || next->at - Unfold(now) > kNotice)
    return wire::Leap::kNone;
  return next->tai > current->tai ? wire::Leap::kAddSecond : wire::Leap::kDeleteSecond;
}

// std::chrono, since gmtime_r would look for files.
bool IsLastDayOfMonth(NtpTimestamp now) {
  using std::chrono::days;
  const auto unix_seconds = LeapSchedule::Unfold(now) - LeapSchedule::Seconds{kUnixToNtpSeconds};
  const std::chrono::sys_days tomorrow{days{unix_seconds / 86400 + 1}};
  return std::chrono::year_month_day{tomorrow}.day() == std::chrono::day{1};
}

}  // namespace ntpward::core
