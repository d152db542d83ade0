// A directory of key files. A file is written aside, brought to disk, and then gets its name, which
// must be new: nobody ever sees half of one. key_change.h makes several of them, and their links,
// one change.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "privsep/base/result.h"
#include "privsep/base/secret.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::keys {

class KeyDirectory {
 public:
  static Result<KeyDirectory> Open(const std::string& path);
  // A relative `path` begins in `from`.
  static Result<KeyDirectory> OpenAt(const KeyDirectory& from, const std::string& path);

  // The file's octets; none when it does not exist. Links are followed.
  Result<std::optional<Secret>> Read(const std::string& name) const;
  bool Exists(const std::string& name) const;

  // Can a file be made here? Leaves nothing; for who has long to work before the first WriteNew().
  Status CheckWritable() const;
  // Fails, and leaves nothing, when `name` exists.
  Status WriteNew(const std::string& name, std::string_view text, mode_t mode) const;
  // Where a link points; none when `name` is no link.
  std::optional<std::string> LinkTarget(const std::string& name) const;
  Status Remove(const std::string& name) const;
  // The directory itself, down to the disk.
  Status Sync() const;
  // For openat(2) and its kind.
  int fd() const { return fd_.get(); }

 private:
  explicit KeyDirectory(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace ntpward::keys
