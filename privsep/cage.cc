#include "privsep/cage.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "privsep/base/system_error.h"
#include "privsep/capabilities.h"
#include "privsep/fds.h"
#include "privsep/landlock.h"
#include "privsep/namespaces.h"
#include "privsep/stray_signals.h"

namespace ntpward {
namespace {

bool ParseNumber(const char* text, unsigned* number) {
  const char* end = text + std::strlen(text);
  const auto [stop, failed] = std::from_chars(text, end, *number);
  return failed == std::errc{} && stop == end && stop != text;
}

std::string EnterNamespaces(const CageOptions& options) {
  if (!HasCapability(CAP_SYS_ADMIN)) return " namespaces=shared";
  std::string said = unshare(CLONE_NEWIPC) == 0 ? " ipc=own" : " ipc=shared";
  if (options.own_network) said += unshare(CLONE_NEWNET) == 0 ? " network=own" : " network=shared";
  if (options.empty_root) said += EnterEmptyRoot(kEmptyRoot) ? " root=empty" : " root=shared";
  return said;
}

// From here on the process is `identity`; capabilities in `keep` survive the change of uid.
Status BecomeIdentity(const CageOptions& options) {
  if (getuid() == options.identity.uid && geteuid() == options.identity.uid) return {};
  if (!options.keep.empty() && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
    return FailErrno("keepcaps");
  const gid_t gid = options.identity.gid;
  const uid_t uid = options.identity.uid;
  if (setgroups(0, nullptr) != 0) return FailErrno("setgroups");
  if (setresgid(gid, gid, gid) != 0) return FailErrno("setresgid");
  if (setresuid(uid, uid, uid) != 0) return FailErrno("setresuid");
  if (getgroups(0, nullptr) != 0) return Fail("supplementary groups are left");
  return {};
}

// What the kernel says after the change counts: it leaves as it is what is asked to become -1.
Status CheckIdentity(const RoleIdentity& identity) {
  uid_t uids[3];
  gid_t gids[3];
  if (getresuid(&uids[0], &uids[1], &uids[2]) != 0) return FailErrno("getresuid");
  if (getresgid(&gids[0], &gids[1], &gids[2]) != 0) return FailErrno("getresgid");
  for (const uid_t uid : uids)
    if (uid != identity.uid) return Fail("runs as uid " + std::to_string(uid) + " still");
  for (const gid_t gid : gids)
    if (gid != identity.gid) return Fail("runs as gid " + std::to_string(gid) + " still");
  return {};
}

// The kernel clears the death signal at a change of credentials, so this comes after it.
Status DieWithParent(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return FailErrno("PR_SET_PDEATHSIG");
  // It may have died before we asked.
  if (getppid() != parent) return Fail("the supervisor is gone");
  return {};
}

// The C library opens the time zone's file at the first use of a date, which would kill the process
// later, in OpenSSL for example. A zone that needs no file, looked at once, settles it.
void SettleTimeZone() {
  setenv("TZ", "UTC0", 1);
  tzset();
}

}  // namespace

Result<RoleIdentity> RoleIdentity::FromArguments(int argc, char** argv) {
  unsigned uid = 0;
  unsigned gid = 0;
  unsigned parent = 0;
  if (argc != 4 || !ParseNumber(argv[1], &uid) || !ParseNumber(argv[2], &gid) ||
      !ParseNumber(argv[3], &parent))
    return Fail("this program is started by ntpd, not by hand");
  return RoleIdentity{uid, gid, static_cast<pid_t>(parent)};
}

Status ForbidDumps() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return FailErrno("RLIMIT_CORE");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return FailErrno("PR_SET_DUMPABLE");
  return {};
}

Status ForbidNewPrivileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return FailErrno("PR_SET_NO_NEW_PRIVS");
  return {};
}

Result<std::string> EnterCage(const CageOptions& options) {
  SettleTimeZone();
  IgnoreStraySignals();
  // Sent to all processes of the daemon they are meant for the supervisor, which ends the others
  // itself: ntpd-net has yet to say what the drift file should hold.
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) signal(number, SIG_IGN);
  // Under exec by descriptor the kernel names the process after the descriptor.
  (void)prctl(PR_SET_NAME, program_invocation_short_name, 0, 0, 0);
  std::string said = EnterNamespaces(options);
  (void)close(kEmptyRoot);
  // The bounding set needs CAP_SETPCAP, which goes with the uid.
  TRY_VOID(LimitBoundingSet(options.keep));
  TRY_VOID(BecomeIdentity(options));
  TRY_VOID(CheckIdentity(options.identity));
  TRY_VOID(DieWithParent(options.identity.parent));
  TRY_VOID(ForbidDumps());
  TRY_VOID(ForbidNewPrivileges());
  TRY_VOID(KeepOnlyCapabilities(options.keep));
  if (options.empty_root) said += ForbidReachingOut() ? " landlock=yes" : " landlock=no";
  TRY_VOID(InstallPolicies(options.policies));
  return "seccomp=2 no_new_privs=1" + said;
}

}  // namespace ntpward
