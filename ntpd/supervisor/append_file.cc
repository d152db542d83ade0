#include "ntpd/supervisor/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace ntpward::supervisor {
namespace {

constexpr int kHow = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

bool IsOurLink(const std::string& path) {
  struct stat link {};
  return lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode) && MayFollowLinkOf(link.st_uid);
}

}  // namespace

bool MayFollowLinkOf(uid_t owner) { return owner == 0 || owner == geteuid(); }

Result<UniqueFd> OpenForAppending(const std::string& path) {
  UniqueFd file(open(path.c_str(), kHow | O_NOFOLLOW, 0644));
  if (!file.valid() && errno == ELOOP && IsOurLink(path))
    file = UniqueFd(open(path.c_str(), kHow, 0644));
  if (!file.valid() && errno == ELOOP) return Fail("is a link that somebody else made");
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0)
    return Fail(std::string(std::strerror(errno)));
  // A device is /dev/null or a terminal.
  if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) return Fail("is no regular file");
  return file;
}

}  // namespace ntpward::supervisor
