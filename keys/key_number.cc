#include "keys/key_number.h"

#include <charconv>

namespace ntpward::keys {

std::optional<KeyId> ParseKeyNumber(std::string_view word) {
  constexpr uint32_t kLast = 65535;
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || word.starts_with('0') ||
      value > kLast)
    return std::nullopt;
  return KeyId{value};
}

}  // namespace ntpward::keys
