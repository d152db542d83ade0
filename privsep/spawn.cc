#include "privsep/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "privsep/base/system_error.h"
#include "privsep/fds.h"

namespace ntpward {
namespace {

// Sources are first copied above every target, so that no dup2 destroys one that is still needed. Low
// enough for a soft limit of 256 descriptors.
constexpr int kAside = 100;
static_assert(kAside > kSeedFile);
constexpr int kExecFailed = 127;

void ResetSignals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Runs in the child; only what is safe after fork.
[[noreturn]] void Become(const SpawnOptions& options, std::vector<int>& aside, char** argv) {
  ResetSignals();
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

Result<pid_t> SpawnRole(const SpawnOptions& options) {
  std::vector<char*> argv;
  argv.reserve(options.arguments.size() + 1);
  for (const std::string& argument : options.arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<int> aside(options.fds.size(), -1);
  // A signal that came to the child before it is a program of its own would run our handlers there,
  // and those write into descriptors that it shares with us.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  const pid_t pid = fork();
  const int error = errno;
  if (pid == 0) Become(options, aside, argv.data());
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return FailErrno("fork", error);
  return pid;
}

}  // namespace ntpward
