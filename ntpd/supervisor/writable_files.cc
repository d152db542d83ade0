#include "ntpd/supervisor/writable_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "ntpd/supervisor/append_file.h"
#include "ntpd/supervisor/state_file.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the kernel follows

Hindrance OfErrno(int error) { return {std::strerror(error), error == EACCES && geteuid() != 0}; }

std::optional<Hindrance> HindersAccess(const std::string& path, int mode) {
  if (faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0) return std::nullopt;
  return OfErrno(errno);
}

std::string DirectoryOf(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::optional<Hindrance> HindersCreation(const std::string& path) {
  auto hindrance = HindersAccess(DirectoryOf(path), W_OK | X_OK);
  if (hindrance) hindrance->text = DirectoryOf(path) + ": " + hindrance->text;
  return hindrance;
}

// Where a file is made that is opened by the link `path`, which leads nowhere yet.
std::string EndOfLinks(std::string path) {
  std::error_code failed;
  for (int i = 0; i < kMostLinks && fs::is_symlink(fs::symlink_status(path, failed)); ++i)
    path = (fs::path(path).parent_path() / fs::read_symlink(path, failed)).string();
  return path;
}

// Whether a driver serves the character devices of a number. Where it cannot be told: yes.
bool HasDriver(unsigned major_number) {
  std::ifstream devices("/proc/devices");
  std::string line;
  if (!std::getline(devices, line) || line != "Character devices:") return true;
  while (std::getline(devices, line) && !line.empty())
    if (std::strtoul(line.c_str(), nullptr, 10) == major_number) return true;
  return false;
}

bool IsDirectory(const std::string& path) {
  std::error_code failed;
  return fs::is_directory(path, failed);
}

}  // namespace

std::optional<Hindrance> HindersAppending(const std::string& path) {
  struct stat status {};
  if (!IsDirectory(DirectoryOf(path))) return std::nullopt;
  if (lstat(path.c_str(), &status) != 0)
    return errno == ENOENT ? HindersCreation(path) : OfErrno(errno);
  if (S_ISLNK(status.st_mode) && !MayFollowLinkOf(status.st_uid))
    return Hindrance{"is a link that somebody else made"};
  if (stat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return OfErrno(errno);
    const std::string end = EndOfLinks(path);
    if (!IsDirectory(DirectoryOf(end)))
      return Hindrance{"is a link to " + end + ", and there is no directory " + DirectoryOf(end)};
    return HindersCreation(end);
  }
  if (S_ISDIR(status.st_mode)) return OfErrno(EISDIR);
  if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) return Hindrance{"is no regular file"};
  // Not opened: a device may do something then.
  if (S_ISCHR(status.st_mode) && !HasDriver(major(status.st_rdev))) return OfErrno(ENXIO);
  return HindersAccess(path, W_OK);
}

std::optional<Hindrance> HindersSeedFile(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return OfErrno(errno);
    return HindersCreation(path);
  }
  if (S_ISDIR(status.st_mode)) return OfErrno(EISDIR);
  if (S_ISLNK(status.st_mode)) return Hindrance{"is a symbolic link"};
  if (!S_ISREG(status.st_mode)) return Hindrance{"is no regular file"};
  return HindersAccess(path, R_OK | W_OK);
}

std::optional<Hindrance> HindersReplacing(const std::string& path) {
  if (!IsDirectory(DirectoryOf(path))) return std::nullopt;
  const std::string aside = path + kAside;
  if (IsDirectory(aside)) return Hindrance{aside + ": " + std::strerror(EISDIR)};
  return HindersCreation(path);
}

}  // namespace ntpward::supervisor
