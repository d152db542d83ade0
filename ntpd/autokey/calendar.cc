#include "ntpd/autokey/calendar.h"

#include <time.h>

#include <chrono>
#include <cstdio>

namespace ntpward::autokey {

bool StartsMonth(CalendarSeconds time) {
  const std::chrono::sys_seconds at{
      std::chrono::seconds{time - CalendarSeconds{kUnixToNtpSeconds}}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  return day == at && std::chrono::year_month_day(day).day() == std::chrono::day(1);
}

std::string MinuteText(CalendarSeconds time) {
  const time_t unix_time = static_cast<time_t>(time - CalendarSeconds{kUnixToNtpSeconds});
  tm utc{};
  if (gmtime_r(&unix_time, &utc) == nullptr) return {};
  char text[40];
  std::snprintf(text, sizeof text, "%04d%02d%02d%02d%02d", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min);
  return text;
}

}  // namespace ntpward::autokey
