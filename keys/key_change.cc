#include "keys/key_change.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "keys/aside_name.h"

namespace ntpward::keys {

KeyChange::~KeyChange() { TakeBack(); }

Failure<Error> KeyChange::Failed(const std::string& name) const {
  return Fail(name + ": " + strerror(errno));
}

Status KeyChange::WriteNew(const std::string& name, std::string_view text, mode_t mode) {
  TRY_VOID(directory_.WriteNew(name, text, mode));
  files_.push_back(name);
  return {};
}

Result<bool> KeyChange::PrepareLink(const std::string& link, const std::string& target,
                                    const std::string& saved_name) {
  const int at = directory_.fd();
  struct stat status {};
  const bool exists = fstatat(at, link.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!exists && errno != ENOENT) return Failed(link);
  if (exists && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
    return Fail(link + ": is neither a link nor a plain file; nothing was changed");
  const std::string number = std::to_string(links_.size());
  Link entry{link, AsideName("link" + number), "", exists && S_ISREG(status.st_mode)};
  if (symlinkat(target.c_str(), at, entry.fresh.c_str()) != 0) return Failed(entry.fresh);
  // From here on TakeBack() knows of it.
  Link& kept = links_.emplace_back(std::move(entry));
  if (kept.plain) {
    if (linkat(at, link.c_str(), at, saved_name.c_str(), 0) != 0) return Failed(saved_name);
    kept.old = saved_name;
  } else if (exists) {
    std::array<char, 4096> old_target{};
    const std::string old = AsideName("old" + number);
    if (readlinkat(at, link.c_str(), old_target.data(), old_target.size() - 1) < 0 ||
        symlinkat(old_target.data(), at, old.c_str()) != 0)
      return Failed(old);
    kept.old = old;
  }
  return kept.plain;
}

Status KeyChange::Move() {
  // The files are on the disk before anything refers to them.
  TRY_VOID(directory_.Sync());
  for (Link& link : links_) {
    if (renameat(directory_.fd(), link.fresh.c_str(), directory_.fd(), link.name.c_str()) != 0)
      return Failed(link.name);
    link.moved = true;
  }
  return directory_.Sync();
}

Status KeyChange::Commit() {
  if (const Status moved = Move(); !moved.ok()) {
    TakeBack();
    return moved;
  }
  for (const Link& link : links_)
    if (!link.plain && !link.old.empty()) (void)unlinkat(directory_.fd(), link.old.c_str(), 0);
  links_.clear();
  files_.clear();
  return {};
}

void KeyChange::TakeBack() {
  const int at = directory_.fd();
  for (const Link& link : links_) {
    if (!link.moved) {
      (void)unlinkat(at, link.fresh.c_str(), 0);
      if (!link.old.empty()) (void)unlinkat(at, link.old.c_str(), 0);
    } else if (link.old.empty()) {
      (void)unlinkat(at, link.name.c_str(), 0);
    } else {
      (void)renameat(at, link.old.c_str(), at, link.name.c_str());
    }
  }
  for (const std::string& file : files_) (void)unlinkat(at, file.c_str(), 0);
  if (!links_.empty() || !files_.empty()) (void)directory_.Sync();
  links_.clear();
  files_.clear();
}

}  // namespace ntpward::keys
