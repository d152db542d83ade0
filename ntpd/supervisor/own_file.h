// Small files that the supervisor leaves for one that is started after its crash.
#pragma once

#include <string>

#include "privsep/base/result.h"

namespace ntpward::supervisor {

// All of a file, at most `most` octets, that this account alone can have written; "" when there is
// no file. Fails for an empty one, one that is too long, and whatever is no regular file; follows
// no link and waits for no FIFO.
Result<std::string> ReadOwnFile(const std::string& path, size_t most);

}  // namespace ntpward::supervisor
