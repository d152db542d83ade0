#include "ntpd/supervisor/log_sink.h"

#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>

#include "ntpd/supervisor/accounts.h"
#include "ntpd/supervisor/append_file.h"

namespace ntpward::supervisor {
namespace {

constexpr double kTellInterval = 10;  // seconds between words on what was left out

std::string FileLine(std::string_view line) {
  const time_t now = time(nullptr);
  tm local{};
  localtime_r(&now, &local);
  char date[40];
  strftime(date, sizeof date, "%e %b %H:%M:%S", &local);
  return std::string(date) + " ntpd[" + std::to_string(getpid()) + "]: " + std::string(line) + "\n";
}

}  // namespace

std::string Printable(std::string_view line) {
  std::string text(line);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  return text;
}

bool IsJournal(int fd, const char* journal_stream) {
  struct stat file {};
  return journal_stream != nullptr && fstat(fd, &file) == 0 &&
         std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino) == journal_stream;
}

LogSink::LogSink(bool terminal, bool debug)
    : terminal_(terminal), use_syslog_(!debug), keep_debug_(debug) {
  openlog("ntpd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

Status LogSink::UseFile(const std::string& path) {
  auto file = OpenForAppending(path);
  if (!file.ok()) return Fail("log file " + path + ": " + file.error().text);
  file_ = std::move(file).value();
  path_ = path;
  return {};
}

Status LogSink::Reopen() { return path_.empty() ? Status{} : UseFile(path_); }

void LogSink::Log(LogLevel level, std::string_view line) {
  if (level != LogLevel::kInfo || keep_info_) Write(level, line);
}

void LogSink::Write(LogLevel level, std::string_view line) {
  if (level == LogLevel::kDebug && !keep_debug_) return;
  const std::string text = Printable(line);
  if (terminal_) {
    const std::string full = FileLine(text);
    (void)!write(STDERR_FILENO, full.data(), full.size());
  }
  if (file_.valid()) {
    const std::string full = FileLine(text);
    (void)!write(file_.get(), full.data(), full.size());
  } else if (use_syslog_) {
    syslog(static_cast<int>(level), "%s", text.c_str());
  }
}

// Seldom, so that a role that always says a little too much has room for something else.
std::string LogSink::Suppressed(const RoleLines& lines, msg::Role role, bool audit, MonoTime now) {
  if (lines.suppressed == 0 || (lines.told && now - *lines.told < kTellInterval)) return "";
  return std::to_string(lines.suppressed) +
         (audit ? " lines under the control key" : " log lines") + " of ntpd-" + RoleName(role) +
         " suppressed";
}

void LogSink::LogFromRole(msg::Role role, LogLevel level, std::string_view line, MonoTime now,
                          msg::LogKind kind) {
  const auto index = static_cast<size_t>(role);
  const bool audit = kind == msg::LogKind::kAudit;
  RoleLines& lines = audit ? audit_lines_[index] : role_lines_[index];
  const std::string notice = Suppressed(lines, role, audit, now);
  const size_t notice_octets = notice.empty() ? 0 : notice.size() + kLineOctets;
  if (!lines.allowance.Take(line.size() + kLineOctets + notice_octets, now)) {
    ++lines.suppressed;
    return;
  }
  if (!notice.empty()) {
    Log(LogLevel::kWarning, notice);
    lines.suppressed = 0;
    lines.told = now;
  }
  if (role == msg::Role::kNet) return Write(level, line);
  Log(level, line);
}

}  // namespace ntpward::supervisor
