// What ntpq does with files and streams of this machine.
#include "ntpq/std_platform.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "ntpq/cage.h"
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

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
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

// A file to write, with something in it.
struct KeptFile {
  KeptFile() {
    const int file = mkstemp(path);
    CHECK(file >= 0 && write(file, "kept for long\n", 14) == 14);
    close(file);
  }
  ~KeptFile() { unlink(path); }
  KeptFile(const KeptFile&) = delete;
  KeptFile& operator=(const KeptFile&) = delete;

  char path[32] = "/tmp/std_platform_test_XXXXXX";
};

void AFileKeepsWhatItHoldsUntilItIsWritten(void**) {
  const KeptFile kept;
  StdPlatform platform;
  assert_true(platform.PrepareWrite(kept.path).ok());
  assert_string_equal(Contents(kept.path).c_str(), "kept for long\n");
  assert_true(platform.WriteFile(kept.path, "first\n").ok());
  assert_string_equal(Contents(kept.path).c_str(), "first\n");
  assert_true(platform.WriteFile(kept.path, "2\n").ok());
  assert_string_equal(Contents(kept.path).c_str(), "2\n");
}

void APreparedFileIsWrittenInTheCage(void**) {
  const KeptFile kept;
  const int status = InChild([&] {
    StdPlatform platform;
    if (!platform.PrepareWrite(kept.path).ok()) return 9;
    if (!EnterQueryCage(FileAccess::kNone).ok()) return 8;
    return platform.WriteFile(kept.path, "new\n").ok() ? 0 : 1;
  });
  assert_int_equal(status, 0);
  assert_string_equal(Contents(kept.path).c_str(), "new\n");
}

void WhatIsNoFileIsWrittenToo(void**) {
  StdPlatform platform;
  assert_true(platform.PrepareWrite("/dev/null").ok());
  assert_true(platform.WriteFile("/dev/null", "x").ok());
  assert_true(platform.PrepareWrite("/dev/full").ok());
  assert_false(platform.WriteFile("/dev/full", "x").ok());
}

void CtrlCEndsAQuestionThatIsNotAnswered(void**) {
  for (const bool secret : {false, true}) {
    int master = -1;
    const pid_t child = forkpty(&master, nullptr, nullptr, nullptr);
    if (child == 0) {
      alarm(20);  // who waits for ever fails
      StdPlatform platform;
      platform.OpenTerminal();
      platform.HoldInterrupt();
      const auto answer = platform.Ask("Keyid: ", secret);
      _exit(answer ? 1 : platform.Interrupted() ? 0 : 2);
    }
    const UniqueFd terminal(master);
    std::string seen;
    for (char c; seen.find("Keyid: ") == std::string::npos && read(master, &c, 1) == 1;) seen += c;
    assert_int_equal(write(master, "\x03", 1), 1);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
  }
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SaysThatOutputWasLost),
      cmocka_unit_test(AFileKeepsWhatItHoldsUntilItIsWritten),
      cmocka_unit_test(APreparedFileIsWrittenInTheCage),
      cmocka_unit_test(WhatIsNoFileIsWrittenToo),
      cmocka_unit_test(CtrlCEndsAQuestionThatIsNotAnswered),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
