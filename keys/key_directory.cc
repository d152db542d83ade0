#include "keys/key_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "keys/aside_name.h"
#include "keys/key_text.h"
#include "keys/read_file.h"
#include "privsep/base/system_error.h"

namespace ntpward::keys {
namespace {

Status WriteAll(int fd, std::string_view text, const std::string& name) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FailErrno(name);
    text.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status FillAside(int directory, const std::string& aside, std::string_view text, mode_t mode) {
  const UniqueFd fd(
      openat(directory, aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return FailErrno(aside);
  TRY_VOID(WriteAll(fd.get(), text, aside));
  if (fchmod(fd.get(), mode) != 0 || fsync(fd.get()) != 0) return FailErrno(aside);
  return {};
}

}  // namespace

Result<KeyDirectory> KeyDirectory::Open(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return FailErrno(path);
  return KeyDirectory(std::move(fd));
}

Result<KeyDirectory> KeyDirectory::OpenAt(const KeyDirectory& from, const std::string& path) {
  UniqueFd fd(openat(from.fd(), path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return FailErrno(path);
  return KeyDirectory(std::move(fd));
}

Result<std::optional<Secret>> KeyDirectory::Read(const std::string& name) const {
  UniqueFd fd(openat(fd_.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) return std::optional<Secret>();
  if (!fd.valid()) return FailErrno(name);
  auto content = ReadToEnd(std::move(fd), kMaxKeyText);
  if (!content.ok()) return Fail(name + ": " + content.error().text);
  return std::optional<Secret>(std::move(content).value());
}

bool KeyDirectory::Exists(const std::string& name) const {
  struct stat status {};
  return fstatat(fd_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Status KeyDirectory::CheckWritable() const {
  const std::string aside = AsideName("new");
  Status filled = FillAside(fd_.get(), aside, {}, 0600);
  (void)unlinkat(fd_.get(), aside.c_str(), 0);
  return filled;
}

Status KeyDirectory::WriteNew(const std::string& name, std::string_view text, mode_t mode) const {
  const std::string aside = AsideName("new");
  Status filled = FillAside(fd_.get(), aside, text, mode);
  // link(2) fails for a name that exists, on every filesystem.
  if (filled.ok() && linkat(fd_.get(), aside.c_str(), fd_.get(), name.c_str(), 0) != 0)
    filled = FailErrno(name);
  (void)unlinkat(fd_.get(), aside.c_str(), 0);
  return filled;
}

std::optional<std::string> KeyDirectory::LinkTarget(const std::string& name) const {
  std::array<char, PATH_MAX> target;
  const ssize_t size = readlinkat(fd_.get(), name.c_str(), target.data(), target.size());
  if (size < 0 || static_cast<size_t>(size) == target.size()) return std::nullopt;
  return std::string(target.data(), static_cast<size_t>(size));
}

Status KeyDirectory::Remove(const std::string& name) const {
  if (unlinkat(fd_.get(), name.c_str(), 0) != 0) return FailErrno(name);
  return {};
}

Status KeyDirectory::Sync() const {
  if (fsync(fd_.get()) != 0) return FailErrno("keys directory");
  return {};
}

}  // namespace ntpward::keys
