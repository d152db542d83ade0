#include "ntpd/supervisor/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "privsep/base/system_error.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {

Result<std::string> ReadOwnFile(const std::string& path, size_t most) {
  // A FIFO must not make us wait, nor a link lead us elsewhere.
  const UniqueFd file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW));
  if (!file.valid() && errno == ENOENT) return std::string();
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0) return FailErrno(path);
  if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) != 0)
    return Fail(path + ": is no file that only this account can write");
  if (status.st_size <= 0 || static_cast<size_t>(status.st_size) > most)
    return Fail(path + ": is empty or too long");
  std::string text(static_cast<size_t>(status.st_size), '\0');
  if (read(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return FailErrno(path);
  return text;
}

}  // namespace ntpward::supervisor
