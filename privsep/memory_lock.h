// Memory that never goes to swap: for the process that holds secrets.
#pragma once

namespace ntpward {

// Raises this process's limit of locked memory (RLIMIT_MEMLOCK) as far as it may; without privilege
// that is the hard limit, usually 8 MiB. Children inherit it.
void RaiseLockLimit();

// Locks what may come to hold secrets besides Secret and OpenSSL's secure heap: OpenSSL keeps
// copies of private keys outside (Montgomery forms of the primes, key schedules). All memory, now
// and later, where the limit is infinite; else heap and stack, the heap grown before so that it
// holds what will be needed. Reads /proc/self/maps: call it before the cage shuts, with one thread.
// False when the limit is too low for that, too.
bool LockWorkingMemory();

}  // namespace ntpward
