// One ntp-keygen at a time in a directory: from reading what is there to the last rename.
//
// The lock is flock(2) of the directory itself, so that it leaves nothing to clean up and ends with
// its process. ntpd takes none: it reads what is linked.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "keys/key_directory.h"
#include "privsep/base/result.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::keys {

class DirectoryLocks {
 public:
  // `patience_s`: how many seconds to wait for another process, for each directory; `say` tells of
  // waiting, and of a filesystem that has no such locks, where work goes on without.
  DirectoryLocks(int patience_s, std::function<void(const std::string&)> say)
      : patience_s_(patience_s), say_(std::move(say)) {}

  // Locks `directory` until this object ends, and removes what the dead left there. It may be one
  // that this object has already, by whatever path. Fails with what to do when another process
  // keeps it.
  Status Take(const KeyDirectory& directory);

 private:
  struct Held {
    dev_t device;
    ino_t inode;
    UniqueFd fd;
  };

  int patience_s_;
  std::function<void(const std::string&)> say_;
  std::vector<Held> held_;
};

}  // namespace ntpward::keys
