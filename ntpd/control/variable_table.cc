#include "ntpd/control/variable_table.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace ntpward::control {
namespace {

constexpr wire::VariableLimits kRequestLimits{.name = 127, .value = 127};
constexpr int64_t kFirstUnixSecond = -62135596800;  // 0001-01-01
constexpr int64_t kLastUnixSecond = 253402300799;   // 9999-12-31

}  // namespace

Result<std::vector<std::string_view>, wire::ControlError> RequestedNames(Bytes data) {
  std::vector<std::string_view> names;
  wire::VariableListReader reader(AsText(data), kRequestLimits);
  for (;;) {
    const auto next = reader.Next();
    if (!next.ok()) {
      return Fail(next.error() == wire::VariableReject::kNameTooLong
                      ? wire::ControlError::kUnknownVariable
                      : wire::ControlError::kBadFormat);
    }
    if (!next->has_value()) return names;
    names.push_back((*next)->name);
  }
}

void AddMilliseconds(wire::VariableListWriter& out, std::string_view name, double seconds,
                     int digits) {
  out.AddFixed(name, seconds * 1e3, digits);
}

void AddGeneral(wire::VariableListWriter& out, std::string_view name, double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%g", std::isfinite(value) ? value : 0.0);
  out.Add(name, text.data());
}

// By the calendar of the standard library: gmtime opens the time zone's file, which is not to be
// had in a sandbox.
std::string MinuteText(int64_t unix_s) {
  if (unix_s < kFirstUnixSecond || unix_s > kLastUnixSecond) return "0";
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_s)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(time - day).count();
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "%04d%02u%02u%02d%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(minutes / 60), static_cast<int>(minutes % 60));
  return text.data();
}

int64_t UnixSeconds(NtpSeconds time) {
  const bool era_0 = (time.value & 0x80000000U) != 0;
  return static_cast<int64_t>(time.value) + (era_0 ? 0 : int64_t{1} << 32) - kUnixToNtpSeconds;
}

}  // namespace ntpward::control
