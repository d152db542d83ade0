#include "ntpq/interrupt.h"

#include <signal.h>
#include <time.h>

namespace ntpward::ntpq {
namespace {

sigset_t InterruptSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void HoldInterrupts() {
  const sigset_t set = InterruptSet();
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

bool InterruptIsHeld() {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGINT) == 1;
}

// Takes the signal out of the queue before it could be delivered.
void ReleaseInterrupts() {
  const sigset_t set = InterruptSet();
  const timespec none{};
  sigtimedwait(&set, nullptr, &none);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace ntpward::ntpq
