// SAVECONFIG (RFC 9327 section 3): how its answer is worded, as ntpd 4.2.8 words it. The supervisor
// writes the file; nothing here knows where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ntpward::control {

// What became of a request to write the configuration to a file.
enum class SaveResult : uint8_t {
  kSaved,
  kProhibited,   // `restrict ... nomodify`
  kNoDirectory,  // no `saveconfigdir`
  kUnsafeName,
  kFailed,  // `reason` says why
};

// `name` as the supervisor made it of what was asked for.
std::string SaveText(SaveResult result, std::string_view name, std::string_view reason);

}  // namespace ntpward::control
