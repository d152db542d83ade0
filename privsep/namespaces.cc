#include "privsep/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privsep/base/system_error.h"
#include "privsep/channel.h"
#include "privsep/msg/role.h"

namespace ntpward {
namespace {

bool EmptyRoot() {
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
               "size=4k,nr_inodes=2,mode=0555") == 0 &&
         chdir("/proc") == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
         umount2(".", MNT_DETACH) == 0;
}

// Runs in a child, whose end leaves the namespace to whoever holds its descriptor.
bool MakeAndSend(UniqueFd socket) {
  if (unshare(CLONE_NEWNS) != 0) return false;
  const UniqueFd own(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!own.valid() || !EmptyRoot()) return false;
  Channel parent(std::move(socket), UniqueFd());
  return parent.SendWithFd(msg::RoleReady{}, own.get()) == SendOutcome::kSent;
}

}  // namespace

Result<UniqueFd> MakeEmptyRoot() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
    return FailErrno("empty root");
  Channel child(UniqueFd(fds[0]), UniqueFd{});
  UniqueFd childs_end(fds[1]);
  const pid_t pid = fork();
  if (pid < 0) return FailErrno("empty root");
  if (pid == 0) _exit(MakeAndSend(std::move(childs_end)) ? 0 : 1);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  auto received = child.ReceiveWithFd();
  if (status != 0 || !received || !received->fd.valid())
    return Fail("empty root: the system does not allow it");
  return std::move(received->fd);
}

bool EnterEmptyRoot(int fd) { return setns(fd, CLONE_NEWNS) == 0 && chdir("/") == 0; }

}  // namespace ntpward
