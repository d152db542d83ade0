// Every process's system calls, one table each: what an auditor reads first.
#pragma once

#include "privsep/sandbox.h"

namespace ntpward {

// What each process needs to compute, allocate, wait and end.
Policy RuntimePolicy();

// Each role's own, beyond RuntimePolicy(); valid once it is caged.
Policy ClockPolicy();
Policy KeysPolicy();
Policy ResolvePolicy();
Policy NetPolicy();

// The supervisor's own needs.
Policy SupervisorPolicy();
// Every role's way from fork to cage: exec, dynamic loader, library set-up, dropping of privileges.
// The supervisor's filter holds it, because a child inherits that filter.
Policy RoleStartPolicy();

}  // namespace ntpward
