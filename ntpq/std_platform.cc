#include "ntpq/std_platform.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "ntpq/interrupt.h"
#include "ntpq/std_terminal.h"
#include "privsep/base/system_error.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kMaxFile = 1 << 20;
constexpr size_t kMaxAnswer = 256;

// Turns echo off while it lives.
class Quiet {
 public:
  Quiet(int terminal, bool wanted) : terminal_(terminal) {
    active_ = wanted && tcgetattr(terminal, &before_) == 0;
    if (!active_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(terminal, TCSAFLUSH, &quiet);
  }
  ~Quiet() {
    if (active_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  int terminal_;
  bool active_ = false;
  termios before_{};
};

// A held interrupt wakes nobody: it is looked for so often.
constexpr int kLookMs = 200;

// False when the user wants to answer no more.
bool WaitForKey(int terminal) {
  while (!InterruptIsHeld()) {
    pollfd wait{terminal, POLLIN, 0};
    if (::poll(&wait, 1, kLookMs) != 0) return true;
  }
  return false;
}

std::optional<std::string> ReadAnswer(int terminal) {
  std::string answer;
  char c;
  while (true) {
    if (!WaitForKey(terminal)) return std::nullopt;
    const ssize_t size = ::read(terminal, &c, 1);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return std::nullopt;
    if (c == '\n') return answer;
    if (answer.size() < kMaxAnswer) answer += c;
  }
}

Failure<Error> FileError(const std::string& path) { return FailErrno(path); }

// `flags`: O_TRUNC, or 0 for a file that keeps what it holds until it is written.
Result<UniqueFd> OpenForWriting(const std::string& path, int flags) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666));
  if (!file.valid()) return FileError(path);
  return file;
}

Status WriteAll(int file, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(file, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return FileError(path);
    text.remove_prefix(static_cast<size_t>(size));
  }
  return {};
}

// Writes it anew. What is no file cannot be emptied, and need not be.
Status Replace(int file, const std::string& path, std::string_view text) {
  struct stat now {};
  if (::fstat(file, &now) != 0) return FileError(path);
  if (S_ISREG(now.st_mode) && (::ftruncate(file, 0) != 0 || ::lseek(file, 0, SEEK_SET) != 0))
    return FileError(path);
  return WriteAll(file, path, text);
}

Result<std::string> ReadWholeFile(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return FileError(path);
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() < kMaxFile) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return FileError(path);
    if (size == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(size));
  }
  return Fail(path + ": longer than ntpq reads");
}

}  // namespace

timespec StdPlatform::Now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

void StdPlatform::Out(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void StdPlatform::Err(std::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

Status StdPlatform::Flush() {
  // The stream remembers what failed earlier, but not why.
  const bool failed_before = std::ferror(stdout) != 0;
  if (std::fflush(stdout) != 0) return FailErrno("standard output");
  if (failed_before) return Fail("standard output: cannot be written");
  return {};
}

void StdPlatform::OpenTerminal() {
  terminal_ = UniqueFd(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC));
}

std::optional<std::string> StdPlatform::Ask(std::string_view prompt, bool secret) {
  // What was wanted is said where nobody can answer, too, as ntpq 4.2.8 does.
  Err(prompt);
  if (!terminal_.valid()) return std::nullopt;
  const Quiet quiet(terminal_.get(), secret);
  auto answer = ReadAnswer(terminal_.get());
  if (secret || Interrupted()) Err("\n");
  return answer;
}

Status StdPlatform::PrepareWrite(const std::string& path) {
  to_write_[path] = TRY(OpenForWriting(path, 0));
  return {};
}

void StdPlatform::PrepareRead(const std::string& path) {
  to_read_.insert_or_assign(path, ReadWholeFile(path));
}

std::vector<int> StdPlatform::Descriptors() const {
  std::vector<int> open;
  if (terminal_.valid()) open.push_back(terminal_.get());
  for (const auto& [path, file] : to_write_) open.push_back(file.get());
  return open;
}

Status StdPlatform::WriteFile(const std::string& path, std::string_view text) {
  const auto prepared = to_write_.find(path);
  if (prepared != to_write_.end()) return Replace(prepared->second.get(), path, text);
  const UniqueFd file = TRY(OpenForWriting(path, O_TRUNC));
  return WriteAll(file.get(), path, text);
}

Result<std::string> StdPlatform::ReadFile(const std::string& path) {
  const auto prepared = to_read_.find(path);
  return prepared != to_read_.end() ? prepared->second : ReadWholeFile(path);
}

void StdPlatform::HoldInterrupt() { HoldInterrupts(); }

bool StdPlatform::Interrupted() { return InterruptIsHeld(); }

void StdPlatform::ReleaseInterrupt() { ReleaseInterrupts(); }

// Keys come from standard input unless that is something else.
std::unique_ptr<Terminal> StdPlatform::TakeTerminal() {
  return StdTerminal::Take(isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : terminal_.get());
}

bool StdPlatform::Pause(uint32_t seconds) {
  constexpr uint32_t kLooksPerSecond = 1000 / kLookMs;
  std::fflush(stdout);
  for (uint32_t i = 0; i < seconds * kLooksPerSecond; ++i) {
    if (Interrupted()) return false;
    (void)::poll(nullptr, 0, kLookMs);
  }
  return !Interrupted();
}

}  // namespace ntpward::ntpq
