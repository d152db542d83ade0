// Reads a whole file into locked memory.
#pragma once

#include "privsep/base/result.h"
#include "privsep/base/secret.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::keys {

// From the descriptor's position to the end of the file, then closes it. Fails for more than `max`
// octets.
Result<Secret> ReadToEnd(UniqueFd fd, size_t max);

}  // namespace ntpward::keys
