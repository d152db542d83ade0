// Writes key files so that nobody ever sees half of one, or loses one that is in use.
//
// A file is written aside, brought to disk, and then gets its dated name, which must be new. Links
// point to dated files; they change in one step, and a plain file in a link's place is kept.
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

  // The file's octets; none when it does not exist. Links are followed.
  Result<std::optional<Secret>> Read(const std::string& name) const;
  bool Exists(const std::string& name) const;

  // Fails, and leaves nothing, when `name` exists.
  Status WriteNew(const std::string& name, std::string_view text, mode_t mode) const;
  // Makes `link` point to `target`. A plain file that stood there becomes `saved_name`; what came
  // of it is told: true when one was saved.
  Result<bool> MoveLink(const std::string& link, const std::string& target,
                        const std::string& saved_name) const;
  // The directory itself, down to the disk.
  Status Sync() const;

 private:
  explicit KeyDirectory(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace ntpward::keys
