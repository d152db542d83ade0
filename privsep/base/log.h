// Where a role's lines go: an interface, so that each process decides and tests can read them.
#pragma once

#include <cstdint>
#include <string_view>

namespace ntpward {

// syslog's levels, as far as they are used.
enum class LogLevel : uint8_t { kError = 3, kWarning = 4, kNotice = 5, kInfo = 6, kDebug = 7 };

class Logger {
 public:
  virtual ~Logger() = default;
  // One line without newline; never a secret. Bytes that came from the network must have been made
  // printable by the caller.
  virtual void Log(LogLevel level, std::string_view line) = 0;
};

}  // namespace ntpward
