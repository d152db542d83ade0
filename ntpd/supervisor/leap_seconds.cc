#include "ntpd/supervisor/leap_seconds.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>

#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {
namespace {

using config::FileSeconds;

FileSeconds Now() { return FileSeconds{time(nullptr)} + FileSeconds{kUnixToNtpSeconds}; }

// "2017-01-01T00:00:00Z"
std::string DateText(FileSeconds seconds) {
  const std::chrono::sys_seconds when{
      std::chrono::seconds(seconds - FileSeconds{kUnixToNtpSeconds})};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time_of_day(when - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time_of_day.hours().count()),
                static_cast<int>(time_of_day.minutes().count()),
                static_cast<int>(time_of_day.seconds().count()));
  return text;
}

config::HashCheck HashCheckOf(const config::Files& files) {
  return files.leapfile_check_hash.value ? config::HashCheck::kRequired
                                         : config::HashCheck::kIgnored;
}

struct OpenFile {
  UniqueFd fd;
  struct stat status {};
};

Result<OpenFile> Open(const std::string& path) {
  // A FIFO must not make us wait.
  OpenFile file{UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY))};
  if (!file.fd.valid() || fstat(file.fd.get(), &file.status) != 0)
    return Fail(std::string(std::strerror(errno)));
  if (!S_ISREG(file.status.st_mode)) return Fail(std::string("is no regular file"));
  return file;
}

// Up to one octet more than a leap second file may have.
Result<std::string> ReadText(int fd) {
  std::string text(config::kMaxLeapFile + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(fd, text.data() + size, text.size() - size);
    if (got < 0) return Fail(std::string(std::strerror(errno)));
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  return text;
}

}  // namespace

std::optional<config::Diagnostic> FindLeapFileProblem(const config::Config& config) {
  const auto& path = config.output.leapfile;
  if (path.value.empty()) return std::nullopt;
  const auto unreadable = [&](const std::string& why,
                              config::Severity severity = config::Severity::kError) {
    return At(config, path.where, severity,
              "expected a leap second file: " + config::Quoted(path.value) + ": " + why);
  };
  // It may be fetched later.
  if (access(path.value.c_str(), F_OK) != 0 && errno == ENOENT)
    return unreadable(std::string(std::strerror(ENOENT)) + ": not used before it is there",
                      config::Severity::kWarning);
  const auto file = Open(path.value);
  if (!file.ok()) return unreadable(file.error().text);
  const auto text = ReadText(file->fd.get());
  if (!text.ok()) return unreadable(text.error().text);
  const auto table = config::ParseLeapFile(*text, path.value, HashCheckOf(config.output));
  if (table.ok()) return std::nullopt;
  return table.error();
}

LeapSeconds::Identity LeapSeconds::IdentityOf(const struct stat& status) {
  return {status.st_dev, status.st_ino, status.st_size,
          int64_t{status.st_ctim.tv_sec} * 1000000000 + status.st_ctim.tv_nsec};
}

void LeapSeconds::Say(LogLevel level, const std::string& text) const {
  log_->Log(level, "leapsecond file ('" + path_ + "'): " + text);
}

void LeapSeconds::Load(const config::Files& files) {
  if (files.leapfile.value != path_) {
    if (!table_.seconds.empty()) Say(LogLevel::kNotice, "no longer in use, nor its TAI offset");
    table_ = {}, message_ = {};
  }
  path_ = files.leapfile.value;
  check_ = HashCheckOf(files);
  identity_ = {};
  if (path_.empty()) return;
  (void)Read();
  SayAge();
}

bool LeapSeconds::Refresh() {
  if (path_.empty()) return false;
  const bool changed = Read();
  SayAge();
  return changed;
}

// True when there is a new table.
bool LeapSeconds::Read() {
  const auto file = Open(path_);
  if (!file.ok()) return Say(LogLevel::kError, file.error().text), false;
  const Identity found = IdentityOf(file->status);
  if (found == identity_) return false;
  const auto text = ReadText(file->fd.get());
  if (!text.ok()) return Say(LogLevel::kError, text.error().text), false;
  identity_ = found;
  auto table = config::ParseLeapFile(*text, path_, check_);
  if (!table.ok()) {
    log_->Log(LogLevel::kError,
              config::ToString(table.error()) + "; the leap second file is not used");
    return false;
  }
  if (*table == table_) return false;
  Take(std::move(table).value());
  return true;
}

void LeapSeconds::Take(config::LeapTable table) {
  table_ = std::move(table);
  message_ = {};
  message_.expiry = static_cast<uint64_t>(table_.expiry);
  for (const config::LeapSecond& second : table_.seconds)
    CHECK(message_.seconds.Push({static_cast<uint64_t>(second.at), second.tai}));
  if (check_ == config::HashCheck::kRequired) Say(LogLevel::kNotice, "good hash signature");
  const config::LeapSecond& last = table_.seconds.back();
  Say(LogLevel::kNotice, "loaded, expire=" + DateText(table_.expiry) +
                             " last=" + DateText(last.at) + " ofs=" + std::to_string(last.tai));
}

void LeapSeconds::SayAge() const {
  if (table_.seconds.empty()) return;
  if (const std::string age = config::LeapAgeWarning(table_, Now()); !age.empty())
    Say(LogLevel::kWarning, age);
}

}  // namespace ntpward::supervisor
