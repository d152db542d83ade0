#include "ntpq/cage.h"

#include <asm/termbits.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "privsep/base/system_error.h"
#include "privsep/cage.h"
#include "privsep/capabilities.h"
#include "privsep/landlock.h"
#include "privsep/policies.h"

namespace ntpward::ntpq {
namespace {

constexpr ArgumentRule Equals(unsigned index, uint64_t value) {
  return {ArgumentRule::Kind::kEquals, index, value, 0};
}
// Of socket(2)'s second argument, the part that is no flag.
constexpr uint64_t kSocketType = 0xf;
constexpr ArgumentRule kDatagram = {ArgumentRule::Kind::kMaskedEquals, 1, SOCK_DGRAM, kSocketType};

constexpr SyscallRule kQuery[] = {
    {"socket", Equals(0, AF_INET), kDatagram},
    {"socket", Equals(0, AF_INET6), kDatagram},
    {"connect"},
    {"sendto"},
    {"recvfrom"},
    // Standard streams.
    {"fstat"},
    {"newfstatat", Equals(3, AT_EMPTY_PATH)},
    {"lseek"},
    // A file of a redirection, which was opened before.
    {"ftruncate"},
    {"writev"},
    {"fcntl", Equals(1, F_GETFL)},
    // The terminal: size, modes, line editing, a password without echo.
    {"ioctl", Equals(1, TCGETS)},
    {"ioctl", Equals(1, TCSETS)},
    {"ioctl", Equals(1, TCSETSW)},
    {"ioctl", Equals(1, TCSETSF)},
    {"ioctl", Equals(1, TIOCGWINSZ)},
    // libedit passes signals on to its own process group.
    {"kill", Equals(0, 0)},
    {"rt_sigpending"},
    {"rt_sigtimedwait"},
    // The password is locked into memory.
    {"mlock"},
    {"munlock"},
};

constexpr SyscallRule kFiles[] = {
    {"openat"},
};

// The user that owns no file, by the number that all of Linux gives it.
constexpr uid_t kNobody = 65534;

Status BecomeNobody() {
  if (setresgid(kNobody, kNobody, kNobody) != 0)
    return errno == EINVAL || errno == EPERM ? Status() : FailErrno("setresgid");
  if (setgroups(0, nullptr) != 0) return FailErrno("setgroups");
  if (setresuid(kNobody, kNobody, kNobody) != 0) return FailErrno("setresuid");
  return {};
}

// Loading a provider or the configuration later would open files.
Status PrepareOpenssl() {
  uint8_t random = 0;
  EVP_MD* digest = nullptr;
  const bool ready = OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr) == 1 &&
                     (digest = EVP_MD_fetch(nullptr, "SHA1", nullptr)) != nullptr &&
                     RAND_bytes(&random, 1) == 1;
  EVP_MD_free(digest);
  if (!ready) return Fail("OpenSSL does not start");
  return {};
}

// Without Landlock nothing is limited at the prompt; in batch mode seccomp alone is enough.
Status LimitFiles(FileAccess files) {
  if (files == FileAccess::kNone) {
    (void)ForbidReachingOut();
    return {};
  }
  const DirectoryGrant grants[] = {{".", DirectoryAccess::kWrite},
                                   {"/tmp", DirectoryAccess::kWrite}};
  std::vector<std::string> missing;
  if (auto limited = RestrictDirectories(grants, &missing); !limited.ok())
    return Fail(limited.error());
  return {};
}

}  // namespace

Policy QueryPolicy() { return kQuery; }
Policy FilePolicy() { return kFiles; }

void CloseAllBut(std::vector<int> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned next = STDERR_FILENO + 1;
  for (const int fd : keep) {
    const auto kept = static_cast<unsigned>(fd);
    if (kept > next) (void)close_range(next, kept - 1, 0);
    next = std::max(next, kept + 1);
  }
  (void)close_range(next, ~0U, 0);
}

Status GiveUpRights(FileAccess files) {
  TRY_VOID(LimitBoundingSet({}));
  if (geteuid() == 0 && files == FileAccess::kNone) TRY_VOID(BecomeNobody());
  return KeepOnlyCapabilities({});
}

Status EnterQueryCage(FileAccess files) {
  TRY_VOID(PrepareOpenssl());
  tzset();
  TRY_VOID(GiveUpRights(files));
  TRY_VOID(ForbidDumps());
  TRY_VOID(ForbidNewPrivileges());
  TRY_VOID(LimitFiles(files));
  std::vector<Policy> policies = {RuntimePolicy(), QueryPolicy()};
  if (files == FileAccess::kOpen) policies.push_back(FilePolicy());
  return InstallPolicies(policies);
}

}  // namespace ntpward::ntpq
