#include "ntpd/supervisor/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "privsep/base/system_error.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {
namespace {

// As the path says; nothing is resolved.
std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

Status WriteAndSync(const std::string& path, std::string_view text, unsigned mode) {
  const UniqueFd file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.valid()) return FailErrno(path);
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(file.get()) != 0)
    return FailErrno(path);
  return {};
}

void SyncDirectoryOf(const std::string& path) {
  const UniqueFd directory(open(ParentOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.valid()) (void)fsync(directory.get());
}

}  // namespace

Status ReplaceFile(const std::string& path, std::string_view text, unsigned mode) {
  const std::string aside = path + kAside;
  // What a crash left behind.
  (void)unlink(aside.c_str());
  if (const Status written = WriteAndSync(aside, text, mode); !written.ok()) {
    (void)unlink(aside.c_str());
    return written;
  }
  if (rename(aside.c_str(), path.c_str()) != 0) {
    const Failure<Error> failure = FailErrno(path);
    (void)unlink(aside.c_str());
    return failure;
  }
  SyncDirectoryOf(path);
  return {};
}

int CreateFile(const std::string& path, std::string_view text, unsigned mode) {
  // A name that SAVECONFIG gives to no file.
  const std::string aside = ParentOf(path) + "/." + path.substr(path.rfind('/') + 1) + ".new";
  // What a crash left behind.
  (void)unlink(aside.c_str());
  errno = 0;
  if (!WriteAndSync(aside, text, mode).ok() ||
      renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    const int failed = errno == 0 ? EIO : errno;
    (void)unlink(aside.c_str());
    return failed;
  }
  SyncDirectoryOf(path);
  return 0;
}

Result<std::optional<Ppm>> ReadDrift(const std::string& path) {
  // A FIFO must not make us wait.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0) {
    if (errno == ENOENT) return std::optional<Ppm>();
    return FailErrno(path);
  }
  if (!S_ISREG(status.st_mode)) return Fail(path + ": is no regular file");
  char text[128] = "";
  const ssize_t size = read(file.get(), text, sizeof text - 1);
  if (size < 0) return FailErrno(path);
  char* end = nullptr;
  const double ppm = std::strtod(text, &end);
  const bool rest_is_blank = std::strspn(end, " \t\r\n0123456789.-+") == std::strlen(end);
  if (end == text || !rest_is_blank || !std::isfinite(ppm) || std::fabs(ppm) > 500)
    return Fail(path + ": expected one number from -500 to 500 (ppm)");
  return std::optional<Ppm>(Ppm{ppm});
}

Status WriteDrift(const std::string& path, Ppm frequency) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3f\n", frequency.value);
  return ReplaceFile(path, text, 0644);
}

Status MayReplacePidFile(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return Fail(path + ": is no regular file; not overwritten");
  return {};
}

Status WritePidFile(const std::string& path) {
  TRY_VOID(MayReplacePidFile(path));
  return ReplaceFile(path, std::to_string(getpid()) + "\n", 0644);
}

}  // namespace ntpward::supervisor
