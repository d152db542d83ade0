// What ntpq does with files and streams of this machine.
#include "ntpq/std_platform.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

// The exit status of a child that does it; minus the signal that ended it.
template <typename Act>
int InChild(Act act) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) _exit(act());
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void SaysThatOutputWasLost(void**) {
  const auto print = [](const char* path, size_t size) {
    return InChild([&] {
      if (freopen(path, "w", stdout) == nullptr) return 9;
      StdPlatform platform;
      platform.Out(std::string(size, 'x'));
      platform.Err("");
      platform.Out("more");
      return platform.Flush().ok() ? 0 : 1;
    });
  };
  // In the buffer until the end, and long before.
  for (const size_t size : {size_t{1}, size_t{1} << 20}) {
    assert_int_equal(print("/dev/full", size), 1);
    assert_int_equal(print("/dev/null", size), 0);
  }
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SaysThatOutputWasLost),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
