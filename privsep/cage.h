// A role's way into its cage: the staircase that its main() walks before it reads a byte from
// anyone.
//
// In order: own namespaces and an empty root where the start has CAP_SYS_ADMIN, credentials, death
// with the parent, no dumps, no new privileges, capabilities, Landlock, seccomp. Each step that the
// system refuses ends the start, but for namespaces and Landlock, which are reported.
#pragma once

#include <sys/capability.h>
#include <sys/types.h>

#include <span>
#include <string>

#include "privsep/base/result.h"
#include "privsep/sandbox.h"

namespace ntpward {

// Who the role becomes; given as numbers on its command line by the supervisor.
struct RoleIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t parent = 0;  // must still be our parent once death with the parent is arranged

  // argv of every role: PROGRAM UID GID PARENT.
  static Result<RoleIdentity> FromArguments(int argc, char** argv);
};

struct CageOptions {
  RoleIdentity identity;
  bool own_network = false;  // an empty network namespace
  bool empty_root = false;   // nothing of the file system is left: the root of kEmptyRoot, Landlock
  std::span<const cap_value_t> keep = {};
  std::span<const Policy> policies = {};
};

// Stray signals (stray_signals.h) and SIGHUP are ignored from then on: a role is told everything by
// its channel.
// What came of it, as words for RoleReady: "seccomp=2 no_new_privs=1 landlock=yes network=own …".
// Must be called with one thread. After a failure the process must exit.
Result<std::string> EnterCage(const CageOptions& options);

// The parts, for the supervisor, which keeps its uid, its files and its network.
Status ForbidDumps();
Status ForbidNewPrivileges();

}  // namespace ntpward
