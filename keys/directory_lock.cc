#include "keys/directory_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstring>

#include "keys/aside_name.h"
#include "privsep/base/system_error.h"

namespace ntpward::keys {
namespace {

constexpr int kLooksPerSecond = 10;

std::string PathOf(int fd) {
  std::array<char, PATH_MAX> path;
  const ssize_t size =
      readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path.data(), path.size());
  return size <= 0 ? "keys directory" : std::string(path.data(), static_cast<size_t>(size));
}

// 0, or the errno of the last attempt.
int TryLock(int fd) {
  int done = 0;
  do done = flock(fd, LOCK_EX | LOCK_NB);
  while (done != 0 && errno == EINTR);
  return done == 0 ? 0 : errno;
}

}  // namespace

Status DirectoryLocks::Take(const KeyDirectory& directory) {
  // An opening of its own: the lock then lasts as long as this object.
  UniqueFd fd(openat(directory.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!fd.valid() || fstat(fd.get(), &status) != 0) return FailErrno("keys directory");
  for (const Held& held : held_)
    if (held.device == status.st_dev && held.inode == status.st_ino) return {};
  const std::string path = PathOf(fd.get());
  int error = TryLock(fd.get());
  if (error == EWOULDBLOCK && patience_s_ > 0)
    say_("Waiting for another ntp-keygen, which is at work in " + path);
  for (int looks = patience_s_ * kLooksPerSecond; error == EWOULDBLOCK && looks > 0; --looks) {
    const timespec pause{0, 1000000000 / kLooksPerSecond};
    nanosleep(&pause, nullptr);
    error = TryLock(fd.get());
  }
  if (error == EWOULDBLOCK)
    return Fail(path + ": another ntp-keygen is at work there, and has not ended within " +
                std::to_string(patience_s_) +
                " s; nothing was changed: run this again when it has ended (lslocks shows it)");
  if (error != 0) {
    say_("Warning: " + path + " cannot be locked (" + std::strerror(error) +
         "): see to it that no other ntp-keygen runs there");
    return {};
  }
  held_.push_back({status.st_dev, status.st_ino, std::move(fd)});
  RemoveAsides(directory);
  return {};
}

}  // namespace ntpward::keys
