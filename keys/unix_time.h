// NTP seconds, which wrap in 2036, and Unix seconds, as certificates and file headers need them.
#pragma once

#include <cstdint>
#include <string>

#include "privsep/base/types.h"

namespace ntpward::keys {

inline constexpr int64_t kSecondsPerDay = 86400;

// NTP seconds as Unix seconds, 1970 to 2106: an era is decided by the date of this software.
inline int64_t UnixFromNtp(NtpSeconds seconds) {
  return static_cast<int64_t>(static_cast<uint32_t>(seconds.value - kUnixToNtpSeconds));
}
inline NtpSeconds NtpFromUnix(int64_t seconds) {
  return {static_cast<uint32_t>(static_cast<uint64_t>(seconds) + kUnixToNtpSeconds)};
}

// As ctime(3) without its newline, in local time: "Sat Nov 21 23:48:18 2026"; the second line of a
// key file.
std::string DateLine(int64_t unix_seconds);

}  // namespace ntpward::keys
