// Where the daemon's log goes: syslog, a file, or the terminal; and how much of it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "ntpd/supervisor/allowance.h"
#include "privsep/base/log.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"
#include "privsep/base/unique_fd.h"
#include "privsep/msg/role.h"

namespace ntpward::supervisor {

// Printable ASCII as it is, everything else as '?': what a role sends may hold escape sequences.
std::string Printable(std::string_view line);

// Whether what is written to `fd` goes to systemd's journal: `journal_stream` is the value of
// JOURNAL_STREAM, "device:inode" in decimal (systemd.exec(5)); null where it is not set.
bool IsJournal(int fd, const char* journal_stream);

class LogSink : public Logger {
 public:
  // Opens syslog now (it cannot be opened later). `terminal`: lines go to standard error too, which
  // should not be the journal then: it has them from syslog.
  // `debug`: LogLevel::kDebug lines are kept, and syslog has none.
  LogSink(bool terminal, bool debug);

  // From now on lines go to `path` instead of syslog, in ntpd's form:
  // "22 Nov 01:02:03 ntpd[123]: text". Opened as OpenForAppending() does.
  Status UseFile(const std::string& path);
  // The file was rotated away: open it anew.
  Status Reopen();

  // Whether LogLevel::kDebug lines are kept from now on, of all processes.
  void KeepDebug(bool keep) { keep_debug_ = keep; }
  // Whether LogLevel::kInfo lines are kept, of all but ntpd-net, which chooses its own (logconfig).
  void KeepInfo(bool keep) { keep_info_ = keep; }
  // The supervisor's own line.
  void Log(LogLevel level, std::string_view line) override;
  // A line that a role sent: made printable, and bounded in bytes a second (with a burst), so that
  // a role gone wrong, or the network through it, cannot fill a disk. Each role has its own bound:
  // a flood from one does not hide what the others have to say about it. So has its audit trail.
  void LogFromRole(msg::Role role, LogLevel level, std::string_view line, MonoTime now,
                   msg::LogKind kind = msg::LogKind::kOrdinary);

 private:
  void Write(LogLevel level, std::string_view line);

  // What a line costs besides its text: date, name, pid and newline, rounded up.
  static constexpr size_t kLineOctets = 40;
  struct RoleLines {
    Allowance allowance{4096, 131072};
    uint64_t suppressed = 0;
    std::optional<MonoTime> told;  // last said how many
  };
  // What is to be said of lines left out; empty when there is nothing now. At the role's own cost.
  static std::string Suppressed(const RoleLines& lines, msg::Role role, bool audit, MonoTime now);

  // Whatever the sender's bound lets through, be each line as long as it may. Lines of 10 s more
  // may come at once with those that were waiting in the channel.
  static constexpr double kAuditOctets = msg::kLongestAudit + kLineOctets;
  static constexpr double kAuditAtOnce = msg::kAuditBurst + 10 * msg::kAuditPerSecond;
  struct AuditLines : RoleLines {
    AuditLines() : RoleLines{{msg::kAuditPerSecond * kAuditOctets, kAuditAtOnce * kAuditOctets}} {}
  };

  bool terminal_;
  bool use_syslog_;
  bool keep_debug_;
  bool keep_info_ = true;
  std::string path_;
  UniqueFd file_;
  std::array<RoleLines, msg::kRoles> role_lines_;
  std::array<AuditLines, msg::kRoles> audit_lines_;
};

}  // namespace ntpward::supervisor
