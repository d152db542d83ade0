#include "ntpd/supervisor/filestamp_name.h"

#include "privsep/base/types.h"

namespace ntpward::supervisor {

std::optional<int64_t> DateOfFilestamp(std::string_view digits) {
  if (digits.empty() || digits.size() > 10 || digits[0] == '0') return std::nullopt;
  uint64_t stamp = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    stamp = stamp * 10 + static_cast<uint64_t>(c - '0');
  }
  if (stamp > UINT32_MAX) return std::nullopt;
  // A number too small for 1970 belongs to the era that begins in 2036.
  return int64_t{static_cast<uint32_t>(stamp - kUnixToNtpSeconds)};
}

}  // namespace ntpward::supervisor
