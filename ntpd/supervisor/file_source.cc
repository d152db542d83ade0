#include "ntpd/supervisor/file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {

namespace {

// `-c /dev/null` is how one says "no configuration".
bool IsNullDevice(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

}  // namespace

Result<Secret> DiskFiles::Read(std::string_view path) {
  // A FIFO would make us wait, for ever at a reload: O_NONBLOCK, then only regular files.
  const UniqueFd file(
      open(std::string(path).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  struct stat status {};
  if (!file.valid() && errno == EACCES && caged_)
    return Fail("cannot be reached: a file in a new directory needs a restart");
  if (!file.valid() || fstat(file.get(), &status) != 0)
    return Fail(std::string(std::strerror(errno)));
  if (S_ISDIR(status.st_mode)) return Fail("is a directory");
  if (!S_ISREG(status.st_mode) && !IsNullDevice(status)) return Fail("is no regular file");
  const auto length = static_cast<size_t>(std::max<off_t>(status.st_size, 0));
  Secret text = TRY(Secret::Zeros(std::min(length, kMaxSize) + 1));
  size_t size = 0;
  for (;;) {
    const ssize_t got = read(file.get(), text.bytes().data() + size, text.size() - size);
    if (got < 0) return Fail(std::string(std::strerror(errno)));
    if (got == 0) break;
    size += static_cast<size_t>(got);
    if (size == text.size()) return Fail("is too large, or grew while it was read");
  }
  return Secret::Copy(Bytes(text.bytes()).first(size));
}

}  // namespace ntpward::supervisor
