#include "keys/unix_time.h"

#include <time.h>

#include <array>

namespace ntpward::keys {

std::string DateLine(int64_t unix_seconds) {
  const time_t seconds = unix_seconds;
  tm fields{};
  std::array<char, 64> text{};
  localtime_r(&seconds, &fields);
  return {text.data(), strftime(text.data(), text.size(), "%a %b %e %H:%M:%S %Y", &fields)};
}

}  // namespace ntpward::keys
