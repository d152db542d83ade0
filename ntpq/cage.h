// ntpq gives up what it does not need before it sends its first packet: a server's answers are
// parsed by a process that can compute, talk to UDP sockets and to its terminal, and no more.
#pragma once

#include "privsep/base/result.h"
#include "privsep/sandbox.h"

namespace ntpward::ntpq {

// At the prompt files may be named at any time (`> FILE`, config-from-file): those below the
// current directory and /tmp stay in reach. In batch mode all are known, and have been opened,
// before.
enum class FileAccess : uint8_t { kNone, kOpen };

// What ntpq itself needs beyond RuntimePolicy().
Policy QueryPolicy();
Policy FilePolicy();

// no_new_privs, no core dumps, Landlock, seccomp; irrevocable. Prepares OpenSSL and the time zone,
// which read files.
Status EnterQueryCage(FileAccess files);

}  // namespace ntpward::ntpq
