// ntpq gives up what it does not need before it sends its first packet: a server's answers are
// parsed by a process that can compute, talk to UDP sockets and to its terminal, and no more.
#pragma once

#include <vector>

#include "privsep/base/result.h"
#include "privsep/sandbox.h"

namespace ntpward::ntpq {

// At the prompt files may be named at any time (`> FILE`, config-from-file): those below the
// current directory and /tmp stay in reach. In batch mode all are known, and have been opened,
// before.
enum class FileAccess : uint8_t { kNone, kOpen };

// Closes what this process inherited or opened, but for the standard streams and `keep`.
void CloseAllBut(std::vector<int> keep);

// Gives up every capability. Started by root, the process also becomes nobody, unless `files` may
// still be opened: what the user names at the prompt is written as that user. Where there is nobody
// else to become, as in a user namespace of one user, it stays who it is.
Status GiveUpRights(FileAccess files);

// What ntpq itself needs beyond RuntimePolicy().
Policy QueryPolicy();
Policy FilePolicy();

// GiveUpRights, no core dumps, no_new_privs, Landlock, seccomp; irrevocable. Prepares OpenSSL and
// the time zone, which read files.
Status EnterQueryCage(FileAccess files);

}  // namespace ntpward::ntpq
