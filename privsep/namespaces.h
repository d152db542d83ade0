// An empty root for the roles: a mount namespace with nothing in it, made once by the supervisor.
//
// It is made ahead, and entered by descriptor, because the supervisor puts itself and its children
// under Landlock, and a process under Landlock may enter a namespace but no longer mount or
// pivot_root. So the roles have both, and no process needs a mounting system call while it runs.
#pragma once

#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"

namespace ntpward {

// The namespace's descriptor: an empty, read-only file system is its root. This process stays where
// it is. Needs CAP_SYS_ADMIN, and /proc; must be called with one thread and before Landlock.
Result<UniqueFd> MakeEmptyRoot();

// Moves this process into it. Needs CAP_SYS_ADMIN and CAP_SYS_CHROOT. False when the system
// refuses.
bool EnterEmptyRoot(int fd);

}  // namespace ntpward
