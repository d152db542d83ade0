// Signals that are no request, and would end a process that takes no notice of them.
#pragma once

namespace ntpward {

// Ignores what nobody sends on purpose: SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO,
// SIGPWR and the real-time signals; and SIGPIPE and SIGXFSZ, so that a reader that is gone and a
// file that may not grow are outcomes of a write. Later handlers of the caller's replace this.
void IgnoreStraySignals();

}  // namespace ntpward
