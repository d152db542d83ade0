#include "privsep/stray_signals.h"

#include <signal.h>

#include <initializer_list>

namespace ntpward {

void IgnoreStraySignals() {
  for (const int number :
       {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR})
    signal(number, SIG_IGN);
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) signal(number, SIG_IGN);
}

}  // namespace ntpward
