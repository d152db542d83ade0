#include "keys/read_file.h"

#include <unistd.h>

#include <cerrno>

#include "privsep/base/system_error.h"

namespace ntpward::keys {
namespace {

constexpr size_t kFirstRoom = 16 * 1024;

// As read(2), but whole: fills `buffer` unless the file ends before.
Result<size_t> Fill(int fd, MutableBytes buffer) {
  size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = read(fd, buffer.data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno("it cannot be read");
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  return used;
}

}  // namespace

Result<Secret> ReadToEnd(UniqueFd fd, size_t max) {
  Secret buffer = TRY(Secret::Zeros(std::min(kFirstRoom, max + 1)));
  size_t used = 0;
  for (;;) {
    used += TRY(Fill(fd.get(), buffer.bytes().subspan(used)));
    if (used > max) return Fail("it is too long");
    if (used < buffer.size()) return Secret::Copy(buffer.bytes().first(used));
    Secret larger = TRY(Secret::Zeros(std::min(buffer.size() * 4, max + 1)));
    std::copy(buffer.bytes().begin(), buffer.bytes().end(), larger.bytes().begin());
    buffer = std::move(larger);
  }
}

}  // namespace ntpward::keys
