#include "ntpd/supervisor/held_signals.h"

#include <initializer_list>

namespace ntpward::supervisor {

HeldSignals::HeldSignals() {
  sigset_t held;
  sigemptyset(&held);
  for (const int number : {SIGTERM, SIGINT, SIGQUIT, SIGHUP}) sigaddset(&held, number);
  sigprocmask(SIG_BLOCK, &held, &before_);
}

void HeldSignals::Release() {
  if (!held_) return;
  held_ = false;
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace ntpward::supervisor
