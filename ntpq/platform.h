// What ntpq needs of the machine that it runs on, apart from the network.
#pragma once

#include <time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ntpq/terminal.h"
#include "privsep/base/result.h"

namespace ntpward::ntpq {

// Live: StdPlatform; tests keep the texts and set the time.
class Platform {
 public:
  virtual ~Platform() = default;
  // Unix time, by the clock of this machine.
  virtual timespec Now() = 0;
  // Standard output and standard error; `text` is fit for a terminal, and written whole or, where
  // nobody reads any more, lost.
  virtual void Out(std::string_view text) = 0;
  virtual void Err(std::string_view text) = 0;
  // A line that the user types at the terminal after `prompt`; not echoed when `secret`. None
  // without a terminal, and when a held interrupt comes first.
  virtual std::optional<std::string> Ask(std::string_view prompt, bool secret) = 0;
  // Whole files, for redirection and for config-from-file: replaces the file, or reads at most 1
  // MiB. Errors are "PATH: " and what the kernel said.
  virtual Status WriteFile(const std::string& path, std::string_view text) = 0;
  virtual Result<std::string> ReadFile(const std::string& path) = 0;
  // Between the two an interrupt from the keyboard does not end ntpq: Interrupted() says that it
  // came.
  virtual void HoldInterrupt() = 0;
  virtual void ReleaseInterrupt() = 0;
  virtual bool Interrupted() = 0;
  // Standard output as a screen of its own; null when it is no terminal that can be redrawn.
  virtual std::unique_ptr<Terminal> TakeTerminal() { return nullptr; }
  // Shows what was printed, and waits so long. False when the user wants no more.
  virtual bool Pause(uint32_t seconds) {
    (void)seconds;
    return false;
  }
};

}  // namespace ntpward::ntpq
