// Where the daemon's log goes: syslog, a file, or the terminal; and how much of it.
#pragma once

#include <string>
#include <string_view>

#include "privsep/base/log.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {

class LogSink : public Logger {
 public:
  // Opens syslog now (it cannot be opened later). `terminal`: lines go to standard error too.
  // `debug`: LogLevel::kDebug lines are kept.
  LogSink(bool terminal, bool debug);

  // From now on lines go to `path` instead of syslog, in ntpd's form:
  // "22 Nov 01:02:03 ntpd[123]: text". Created with mode 0644, appended to, links refused.
  Status UseFile(const std::string& path);
  // The file was rotated away: open it anew.
  Status Reopen();

  // The supervisor's own line.
  void Log(LogLevel level, std::string_view line) override;
  // A line that a role sent: made printable, and bounded in bytes a second (with a burst), so that
  // a role gone wrong, or the network through it, cannot fill a disk.
  void LogFromRole(LogLevel level, std::string_view line, MonoTime now);

 private:
  static constexpr double kRoleBytesPerSecond = 4096;
  static constexpr double kRoleBytesBurst = 65536;

  bool terminal_;
  bool debug_;
  std::string path_;
  UniqueFd file_;
  double allowance_ = kRoleBytesBurst;
  MonoTime allowance_at_;
  uint64_t suppressed_ = 0;
};

}  // namespace ntpward::supervisor
