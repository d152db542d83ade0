// The table of leap seconds as NIST and the IERS publish it (leap-seconds.list): pure.
//
//   #$ 3676924800            when the table was last changed, seconds since 1900
//   #@ 3991593600            when it expires
//   2272060800  10  # 1 Jan 1972   from this second on TAI - UTC is 10 s
//   #h 49db2447 571e5e1b 2f002a53 9c8da8e4 39b8e49e   SHA-1 of the digits of the lines above
//
// Other lines that begin with '#' are comments. The check sum finds damage, not forgery: who writes
// the file decides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/config/diagnostic.h"
#include "privsep/base/result.h"

namespace ntpward::config {

// Seconds since 1900-01-01 00:00 UTC, not folded into eras, as the file counts them.
using FileSeconds = int64_t;

struct LeapSecond {
  FileSeconds at = 0;  // 00:00 UTC of the first day of a month, 1972 or later
  uint8_t tai = 0;     // TAI - UTC from then on, seconds; 10 or more
  friend bool operator==(const LeapSecond&, const LeapSecond&) = default;
};

struct LeapTable {
  FileSeconds updated = 0;  // 0: the file does not say
  FileSeconds expiry = 0;   // the table says nothing of later times
  std::vector<LeapSecond>
      seconds;  // at least one; ascending, each one second more or less than the last
  friend bool operator==(const LeapTable&, const LeapTable&) = default;
};

enum class HashCheck : uint8_t { kRequired, kIgnored };

inline constexpr size_t kMaxLeapFile = 65536;  // octets
inline constexpr size_t kMaxLeapSeconds = 256;

// The table in `text`, or the first thing that is wrong with it, as a place in `file`. Where the
// hash is required, a file without one is refused, as ntpd 4.2.8 does.
Result<LeapTable, Diagnostic> ParseLeapFile(std::string_view text, std::string file,
                                            HashCheck check);

// What to tell the operator of the table's age at `now`, as ntpd 4.2.8 does: "expired 3 days ago",
// "will expire in less than 28 days"; empty while it is good for longer.
std::string LeapAgeWarning(const LeapTable& table, FileSeconds now);

}  // namespace ntpward::config
