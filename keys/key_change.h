// New key files and the links to them, as one change of the keys directory: all of it or nothing.
//
// The files come first, under dated names that nobody refers to yet. Whatever a link needs is made
// ready, too, and only then do the links move, each in one step, without needing room on the disk.
// What fails before the last of them takes everything back: old links lead where they did, plain
// files stand where they stood, and the new files are gone. (Losing power between two moves can
// leave some of the links new; no file is lost by it, and HowToCertify() says what mends it.)
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "keys/key_directory.h"

namespace ntpward::keys {

class KeyChange {
 public:
  // `directory` must outlive this object.
  explicit KeyChange(const KeyDirectory& directory) : directory_(directory) {}
  // Takes everything back that was not committed.
  ~KeyChange();
  KeyChange(const KeyChange&) = delete;
  KeyChange& operator=(const KeyChange&) = delete;

  // Fails when `name` exists.
  Status WriteNew(const std::string& name, std::string_view text, mode_t mode);
  // Makes ready that `link` will point to `target`; the links move in the order of these calls.
  // True when a plain file stands there: it will be found as `saved_name`. Fails on anything but a
  // link or a plain file.
  Result<bool> PrepareLink(const std::string& link, const std::string& target,
                           const std::string& saved_name);
  // Moves the links. After a failure everything is as it was before the first call of all.
  Status Commit();

 private:
  struct Link {
    std::string name;
    std::string fresh;   // the new link's name until it moves
    std::string old;     // another name of what stands there; empty: nothing
    bool plain = false;  // `old` is the saved name of a plain file, and stays
    bool moved = false;
  };

  Status Move();
  void TakeBack();
  Failure<Error> Failed(const std::string& name) const;

  const KeyDirectory& directory_;
  std::vector<std::string> files_;
  std::vector<Link> links_;
};

}  // namespace ntpward::keys
