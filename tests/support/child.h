// Runs a piece of a test in a process of its own, and tells how that ended.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "privsep/base/result.h"

namespace ntpward::test {

struct ChildEnd {
  int exit_status = -1;  // -1 when a signal ended it
  int signal = 0;
};

// `body` returns the exit status. The child never runs the parent's tests or destructors.
template <typename Body>
ChildEnd RunInChild(Body body) {
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) _exit(body());
  int status = 0;
  CHECK(waitpid(pid, &status, 0) == pid);
  if (WIFEXITED(status)) return {WEXITSTATUS(status), 0};
  return {-1, WTERMSIG(status)};
}

}  // namespace ntpward::test
