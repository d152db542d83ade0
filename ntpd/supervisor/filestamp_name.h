// The filestamp at the end of a key file's name, ntpkey_KIND_OWNER.FILESTAMP, as a date.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ntpward::supervisor {

// Unix seconds, 1970 to 2106, of the NTP seconds that `digits` say: they begin anew in 2036, with
// one digit. None for what is no such number: not 1 to 10 digits, with a zero in front, above 32
// bits.
std::optional<int64_t> DateOfFilestamp(std::string_view digits);

}  // namespace ntpward::supervisor
