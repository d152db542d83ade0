// Files that the supervisor adds lines to: the log and the statistics.
#pragma once

#include <sys/types.h>

#include <string>

#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {

// Whether a symbolic link of this owner is followed: root's and our own.
bool MayFollowLinkOf(uid_t owner);

// Opens `path` for appending, made with mode 0644 if it is not there. A symbolic link is followed
// when MayFollowLinkOf() its owner (logs on another disk), and refused otherwise: in a directory
// that others may write to it would let them choose the file. Never waits for a FIFO. The error is
// errno's text, or says what the path is.
Result<UniqueFd> OpenForAppending(const std::string& path);

}  // namespace ntpward::supervisor
