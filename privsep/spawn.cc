#include "privsep/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "privsep/base/system_error.h"
#include "privsep/fds.h"

namespace ntpward {
namespace {

// Sources are first copied above every target, so that no dup2 destroys one that is still needed.
// Low enough for a limit of kFewestDescriptors.
constexpr int kAside = 100;
constexpr rlim_t kFewestDescriptors = 256;
constexpr rlim_t kUsualDescriptors = 1024;
static_assert(kAside > kSeedFile);
constexpr int kExecFailed = 127;

void ResetSignals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Room for one descriptor beside one octet of data.
struct DescriptorMessage {
  char octet = 0;
  iovec data{&octet, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};

  DescriptorMessage() {
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
  DescriptorMessage(const DescriptorMessage&) = delete;
  DescriptorMessage& operator=(const DescriptorMessage&) = delete;
};

// In the child; only what is safe after fork.
void ShowStatus(int to_parent) {
  const int status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (status < 0) return;
  DescriptorMessage message;
  cmsghdr* item = CMSG_FIRSTHDR(&message.header);
  item->cmsg_level = SOL_SOCKET;
  item->cmsg_type = SCM_RIGHTS;
  item->cmsg_len = CMSG_LEN(sizeof status);
  std::memcpy(CMSG_DATA(item), &status, sizeof status);
  (void)sendmsg(to_parent, &message.header, MSG_NOSIGNAL);
}

ssize_t Receive(int from_child, DescriptorMessage* message) {
  ssize_t size = -1;
  do size = recvmsg(from_child, &message->header, MSG_CMSG_CLOEXEC);
  while (size < 0 && errno == EINTR);
  return size;
}

// In the parent, whose copy of the child's end is closed: ends with the child's exec. From then on
// the child holds nothing of ours but what it was given, so that what we close is closed.
UniqueFd TakeStatus(int from_child) {
  DescriptorMessage message;
  const ssize_t size = Receive(from_child, &message);
  if (size <= 0) return UniqueFd();
  DescriptorMessage nothing;
  (void)Receive(from_child, &nothing);
  const cmsghdr* item = CMSG_FIRSTHDR(&message.header);
  if (item == nullptr || item->cmsg_type != SCM_RIGHTS) return UniqueFd();
  int status = -1;
  std::memcpy(&status, CMSG_DATA(item), sizeof status);
  return UniqueFd(status);
}

// Runs in the child; only what is safe after fork.
[[noreturn]] void Become(const SpawnOptions& options, int to_parent, std::vector<int>& aside,
                         char** argv) {
  ResetSignals();
  // Away from the operator's terminal, where it could type commands (TIOCSTI).
  if (setsid() < 0) _exit(kExecFailed);
  ShowStatus(to_parent);
  const int program = fcntl(options.program_fd, F_DUPFD_CLOEXEC, kAside);
  for (size_t i = 0; i < options.fds.size(); ++i) {
    aside[i] = fcntl(options.fds[i].source, F_DUPFD_CLOEXEC, kAside);
    if (aside[i] < 0) _exit(kExecFailed);
  }
  if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) _exit(kExecFailed);
  for (size_t i = 0; i < options.fds.size(); ++i)
    if (dup2(aside[i], options.fds[i].target) < 0) _exit(kExecFailed);
  char* no_environment[] = {nullptr};
  syscall(SYS_execveat, program, "", argv, no_environment, AT_EMPTY_PATH);
  _exit(kExecFailed);
}

}  // namespace

Status RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return FailErrno("RLIMIT_NOFILE");
  if (limit.rlim_cur < kUsualDescriptors) {
    limit.rlim_cur = std::min(limit.rlim_max, kUsualDescriptors);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return FailErrno("RLIMIT_NOFILE");
  }
  if (limit.rlim_cur >= kFewestDescriptors) return {};
  return Fail("too few open files are allowed (RLIMIT_NOFILE, ulimit -n): " +
              std::to_string(limit.rlim_cur) + ", and " + std::to_string(kFewestDescriptors) +
              " are needed");
}

Result<SpawnedRole> SpawnRole(const SpawnOptions& options) {
  std::vector<char*> argv;
  argv.reserve(options.arguments.size() + 1);
  for (const std::string& argument : options.arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<int> aside(options.fds.size(), -1);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return FailErrno("socketpair");
  const UniqueFd from_child(ends[0]);
  UniqueFd to_parent(ends[1]);
  // A signal that came to the child before it is a program of its own would run our handlers there,
  // and those write into descriptors that it shares with us.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  const pid_t pid = fork();
  const int error = errno;
  if (pid == 0) Become(options, to_parent.get(), aside, argv.data());
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return FailErrno("fork", error);
  to_parent.Close();
  return SpawnedRole{pid, TakeStatus(from_child.get())};
}

}  // namespace ntpward
