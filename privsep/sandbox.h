// A system-call filter as reviewable data, and its installation (seccomp, KILL_PROCESS).
//
// A policy is a table of names with optional conditions on arguments; policies.h has all of them.
// Whatever a table does not name kills the process. A filter is inherited by every child.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "privsep/base/result.h"

namespace ntpward {

// One condition on one argument. Arguments are compared as 64-bit numbers.
struct ArgumentRule {
  enum class Kind : uint8_t {
    kNone,
    kEquals,        // argument == value
    kMaskedZero,    // (argument & mask) == 0
    kMaskedEquals,  // (argument & mask) == value
    kOwnPid,        // argument == the pid of whoever installs the policy
  };
  Kind kind = Kind::kNone;
  unsigned index = 0;
  uint64_t value = 0;
  uint64_t mask = 0;
};

// Allows one system call, when all conditions hold. The same call may stand several times: any row
// that matches allows it.
struct SyscallRule {
  std::string_view name;
  ArgumentRule first = {};
  ArgumentRule second = {};
  ArgumentRule third = {};
};

using Policy = std::span<const SyscallRule>;

// Installs the union of the policies for this process and its children; irrevocable. Sets nothing
// else: no_new_privs must be set before, or CAP_SYS_ADMIN held. Fails without a filter when the
// kernel or the library refuses; then the caller must not go on.
Status InstallPolicies(std::span<const Policy> policies);

}  // namespace ntpward
