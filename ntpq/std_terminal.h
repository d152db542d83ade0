// The terminal of standard output, as one screen.
//
// It is given back whatever happens: at the destructor, when a signal ends or stops ntpq, when it
// crashes. Only SIGKILL leaves it as it is.
#pragma once

#include <signal.h>
#include <termios.h>

#include <memory>
#include <string>

#include "ntpq/terminal.h"

namespace ntpward::ntpq {

class StdTerminal : public Terminal {
 public:
  // `keyboard`: a descriptor of the terminal that keys are read from; the caller's. Null when
  // standard output is no terminal, or one that cannot be redrawn (TERM).
  static std::unique_ptr<StdTerminal> Take(int keyboard);
  ~StdTerminal() override;
  StdTerminal(const StdTerminal&) = delete;
  StdTerminal& operator=(const StdTerminal&) = delete;

  ScreenSize Size() override;
  void Draw(const std::vector<ScreenLine>& lines) override;
  Key Wait(double seconds) override;

 private:
  StdTerminal(int keyboard, const termios& before);

  void Enter();
  void Leave() const;
  void Suspend();
  Key TakeSignal();
  Key ReadKey(int timeout_ms);

  const int keyboard_;
  const termios before_;
  const bool colour_;
  sigset_t mask_before_;
  ScreenSize drawn_;
  KeyDecoder decoder_;
};

}  // namespace ntpward::ntpq
