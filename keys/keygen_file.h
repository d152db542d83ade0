// A file that ntp-keygen is about to write, and the link to it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "keys/unix_time.h"
#include "privsep/base/types.h"

namespace ntpward::keys {

struct NewFile {
  std::string kind;   // "RSAhost", "RSA-SHA256cert": the part of its name
  std::string owner;  // host or group
  std::string link;
  std::string text;  // PEM
  mode_t mode = 0600;
  // The filestamp of its first line, when that is not the run's: of an old key that was changed.
  std::optional<NtpSeconds> stamp = std::nullopt;
};

// The two lines that such a file begins with, and an empty one.
inline std::string KeyFileHeader(const std::string& stamped_name, int64_t unix_seconds) {
  return "# " + stamped_name + "\n# " + DateLine(unix_seconds) + "\n\n";
}

}  // namespace ntpward::keys
