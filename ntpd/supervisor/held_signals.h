// Signals that come while ntpd still starts are kept until there is somebody who acts on them.
#pragma once

#include <signal.h>

namespace ntpward::supervisor {

// SIGTERM, SIGINT, SIGQUIT and SIGHUP wait, from its construction until Release() or its end; then
// those that came are delivered. One object at a time, in a process of one thread.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals() { Release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // Once is enough; more does nothing.
  void Release();

 private:
  sigset_t before_;
  bool held_ = true;
};

}  // namespace ntpward::supervisor
