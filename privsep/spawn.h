// Starts a role: fork, a fixed set of descriptors, an empty environment, exec by descriptor.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"

namespace ntpward {

// `source` of the parent becomes `target` in the role; the parent keeps its own.
struct FdMapping {
  int source = -1;
  int target = -1;
};

struct SpawnOptions {
  int program_fd = -1;                 // opened at start, so that an upgrade never mixes versions
  std::vector<std::string> arguments;  // [0] is the program's name as ps shows it; never a secret
  std::vector<FdMapping> fds;          // everything else from 3 on is closed
};

// Raises this process's soft limit of open files as far as its hard one lets it, where it is lower
// than usual (1024); children inherit it. Fails when that is not enough to start a role.
Status RaiseDescriptorLimit();

struct SpawnedRole {
  pid_t pid = -1;
  // Its /proc/PID/status, where /proc is there. The child opens it itself: once it is caged, a
  // /proc that hides the processes of others (hidepid, systemd's ProtectProc) hides it from its
  // parent too.
  UniqueFd status;
};

// The child starts with all signals unblocked and at their defaults, in a session of its own that
// has no terminal; when exec fails it exits with status 127. Returns when that was tried: the child
// then holds nothing but what it was given.
Result<SpawnedRole> SpawnRole(const SpawnOptions& options);

}  // namespace ntpward
