// Standard streams, the terminal, the clock and files of this machine.
#pragma once

#include <string>

#include "ntpq/platform.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::ntpq {

class StdPlatform : public Platform {
 public:
  timespec Now() override;
  void Out(std::string_view text) override;
  // Flushes standard output first, so that both keep their order on a terminal.
  void Err(std::string_view text) override;
  std::optional<std::string> Ask(std::string_view prompt, bool secret) override;
  Status WriteFile(const std::string& path, std::string_view text) override;
  Result<std::string> ReadFile(const std::string& path) override;

  // Opens the controlling terminal for Ask, while files can be opened.
  void OpenTerminal();

 private:
  UniqueFd terminal_;
};

}  // namespace ntpward::ntpq
