// Standard streams, the terminal, the clock and files of this machine.
#pragma once

#include <map>
#include <string>
#include <vector>

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
  void HoldInterrupt() override;
  void ReleaseInterrupt() override;
  bool Interrupted() override;
  std::unique_ptr<Terminal> TakeTerminal() override;
  bool Pause(uint32_t seconds) override;

  // Writes what Out still keeps. Fails when anything that was printed could not be written.
  Status Flush();

  // While files can be opened: the controlling terminal for Ask, and files for WriteFile and
  // ReadFile, which then open nothing. A file to read that cannot be opened fails in ReadFile; one
  // to write keeps what it holds until WriteFile.
  void OpenTerminal();
  Status PrepareWrite(const std::string& path);
  void PrepareRead(const std::string& path);
  // What they left open.
  std::vector<int> Descriptors() const;

 private:
  std::map<std::string, UniqueFd> to_write_;
  std::map<std::string, Result<std::string>> to_read_;
  UniqueFd terminal_;
};

}  // namespace ntpward::ntpq
