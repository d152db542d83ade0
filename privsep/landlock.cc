#include "privsep/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "privsep/base/system_error.h"
#include "privsep/base/unique_fd.h"

namespace ntpward {
namespace {

// What newer kernels know than the headers that this is built with (include/uapi/linux/landlock.h).
constexpr uint64_t kTruncate = 1U << 14;             // version 3
constexpr uint64_t kTcp = (1U << 0) | (1U << 1);     // version 4: bind, connect
constexpr uint64_t kDeviceControl = 1U << 15;        // version 5
constexpr uint64_t kScopes = (1U << 0) | (1U << 1);  // version 6: abstract sockets, signals

// landlock_ruleset_attr of version 6; older kernels take it when what they do not know is zero.
struct Attributes {
  uint64_t files = 0;
  uint64_t network = 0;
  uint64_t scoped = 0;
};

constexpr uint64_t kListAndRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kFiles =
    kListAndRead | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

uint64_t HandledFiles(int version) {
  uint64_t files = kFiles;
  if (version >= 2) files |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) files |= kTruncate;
  if (version >= 5) files |= kDeviceControl;
  return files;
}

uint64_t Rights(DirectoryAccess access) {
  switch (access) {
    case DirectoryAccess::kRead:
      return kListAndRead;
    case DirectoryAccess::kExecute:
      return kListAndRead | LANDLOCK_ACCESS_FS_EXECUTE;
    case DirectoryAccess::kDevices:
      return kListAndRead | LANDLOCK_ACCESS_FS_WRITE_FILE;
    case DirectoryAccess::kWrite:
      return kListAndRead | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
             LANDLOCK_ACCESS_FS_REMOVE_FILE | kTruncate;
  }
  return 0;
}

UniqueFd MakeRuleset(const Attributes& attributes) {
  return UniqueFd(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
}

bool RestrictSelf(const UniqueFd& ruleset) {
  return syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0;
}

}  // namespace

int LandlockVersion() {
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<bool> RestrictDirectories(std::span<const DirectoryGrant> grants,
                                 std::vector<std::string>* missing) {
  const int version = LandlockVersion();
  if (version == 0) return false;
  const Attributes attributes{.files = HandledFiles(version)};
  const UniqueFd ruleset = MakeRuleset(attributes);
  if (!ruleset.valid()) return FailErrno("landlock");
  for (const DirectoryGrant& grant : grants) {
    const UniqueFd directory(open(grant.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) {
      missing->push_back(grant.path);
      continue;
    }
    landlock_path_beneath_attr rule{};
    rule.allowed_access = Rights(grant.access) & attributes.files;
    rule.parent_fd = directory.get();
    if (syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
      return Fail("landlock: " + grant.path + ": " + std::strerror(errno));
  }
  if (!RestrictSelf(ruleset)) return FailErrno("landlock");
  return true;
}

bool ForbidReachingOut() {
  const int version = LandlockVersion();
  if (version == 0) return false;
  Attributes attributes{.files = HandledFiles(version)};
  if (version >= 4) attributes.network = kTcp;
  if (version >= 6) attributes.scoped = kScopes;
  const UniqueFd ruleset = MakeRuleset(attributes);
  return ruleset.valid() && RestrictSelf(ruleset);
}

}  // namespace ntpward
