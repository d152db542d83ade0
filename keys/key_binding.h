// Which key a line of configuration gives to an association, and for what. It is the one thing that
// ntpd-keys has to know of a line that ntpd-net carries out.
#pragma once

#include <optional>
#include <string_view>

#include "keys/symmetric_keys.h"
#include "privsep/base/result.h"

namespace ntpward::keys {

struct KeyBinding {
  KeyId key;
  KeyUses uses;
  uint16_t column = 0;  // of the key's number in the line, from 0
};

// None for a line that names no key. Fails with the column of what stands for a key's number and is
// none: 1..65535 in decimal.
Result<std::optional<KeyBinding>, uint16_t> BindingOf(std::string_view line);

}  // namespace ntpward::keys
