// The number of a symmetric key as files and commands write it.
#pragma once

#include <optional>
#include <string_view>

#include "privsep/base/types.h"

namespace ntpward::keys {

// 1 to 65535 in decimal, without a sign and without leading zeros; none for anything else.
std::optional<KeyId> ParseKeyNumber(std::string_view word);

}  // namespace ntpward::keys
