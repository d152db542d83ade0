// What a role is born with: the descriptors that it was given, its arguments, and nothing else.
//
// This program starts itself as the role, by its name kDescribe, and reads what that prints.
#include "privsep/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "privsep/base/unique_fd.h"
#include "tests/support/child.h"
#include "tests/support/cmocka_cc.h"

extern char** environ;

namespace ntpward {
namespace {

using test::RunInChild;

constexpr const char* kDescribe = "describe";

void Describe(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) std::printf("argument %s\n", argv[i]);
  for (char** entry = environ; *entry != nullptr; ++entry) std::printf("environment %s\n", *entry);
  for (int fd = 0; fd < 1024; ++fd) {
    struct stat status {};
    if (fstat(fd, &status) == 0)
      std::printf("fd %d %llu\n", fd, static_cast<unsigned long long>(status.st_ino));
  }
  std::printf("session %s\n", getsid(0) == getpid() ? "its own" : "another's");
  sigset_t blocked;
  sigprocmask(SIG_BLOCK, nullptr, &blocked);
  for (int number = 1; number < 32; ++number) {
    struct sigaction action = {};
    sigaction(number, nullptr, &action);
    if (action.sa_handler != SIG_DFL || sigismember(&blocked, number) == 1)
      std::printf("signal %d\n", number);
  }
}

std::string Inode(int fd) {
  struct stat status {};
  CHECK(fstat(fd, &status) == 0);
  return std::to_string(status.st_ino);
}

struct Outcome {
  int status = 0;
  std::string text;
  std::string proc_status;  // read by the parent, from what the child handed over
};

// Starts the role with `options` and its standard output into a pipe.
Outcome RunRole(SpawnOptions options, UniqueFd program) {
  int fds[2];
  CHECK(pipe2(fds, O_CLOEXEC) == 0);
  UniqueFd read_end(fds[0]);
  UniqueFd write_end(fds[1]);
  options.program_fd = program.get();
  options.fds.push_back({write_end.get(), 1});
  const auto spawned = SpawnRole(options);
  CHECK(spawned.ok());
  write_end.Close();
  Outcome outcome;
  char buffer[4096];
  for (ssize_t size; (size = read(read_end.get(), buffer, sizeof buffer)) > 0;)
    outcome.text.append(buffer, static_cast<size_t>(size));
  const ssize_t size = pread(spawned->status.get(), buffer, sizeof buffer, 0);
  CHECK(size > 0);
  outcome.proc_status.assign(buffer, static_cast<size_t>(size));
  CHECK(waitpid(spawned->pid, &outcome.status, 0) == spawned->pid);
  return outcome;
}

UniqueFd OwnProgram() { return UniqueFd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC)); }

void GivesExactlyTheDescriptorsThatWereNamed(void**) {
  // Sources whose numbers are each other's targets, and some that nobody was meant to get.
  UniqueFd a(fcntl(open("/dev/null", O_RDONLY), F_DUPFD, 5));
  UniqueFd b(fcntl(open("/dev/zero", O_RDONLY), F_DUPFD, 5));
  UniqueFd secret(open("/etc/passwd", O_RDONLY));
  SpawnOptions options;
  options.arguments = {kDescribe};
  options.fds = {{a.get(), b.get()}, {b.get(), a.get()}, {a.get(), 3}, {b.get(), 84}, {a.get(), 0}};
  const Outcome outcome = RunRole(options, OwnProgram());
  assert_int_equal(outcome.status, 0);
  std::string expected = "fd 0 " + Inode(a.get()) + "\n";
  assert_true(outcome.text.starts_with(expected));
  for (const auto& [fd, inode] :
       {std::pair(3, Inode(a.get())), std::pair(a.get(), Inode(b.get())),
        std::pair(b.get(), Inode(a.get())), std::pair(84, Inode(b.get()))}) {
    const std::string line = "fd " + std::to_string(fd) + " " + inode + "\n";
    assert_true(outcome.text.find(line) != std::string::npos);
  }
  size_t count = 0;
  for (size_t at = 0; (at = outcome.text.find("fd ", at)) != std::string::npos; ++at) ++count;
  assert_int_equal(count, 7);  // 0, 1, 2 and the four
  assert_true(outcome.text.find(Inode(secret.get())) == std::string::npos);
}

void GivesNoEnvironmentAndTheArgumentsAlone(void**) {
  setenv("SECRET", "hush", 1);
  SpawnOptions options;
  options.arguments = {kDescribe, "64801", "7"};
  const Outcome outcome = RunRole(options, OwnProgram());
  unsetenv("SECRET");
  assert_true(outcome.text.starts_with("argument 64801\nargument 7\nfd 0"));
  assert_true(outcome.text.find("environment") == std::string::npos);
}

void StartsWithSignalsAtTheirDefaults(void**) {
  sigset_t some;
  sigset_t before;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  sigprocmask(SIG_BLOCK, &some, &before);
  signal(SIGPIPE, SIG_IGN);
  SpawnOptions options;
  options.arguments = {kDescribe};
  const Outcome outcome = RunRole(options, OwnProgram());
  sigset_t after;
  sigprocmask(SIG_SETMASK, &before, &after);
  assert_true(outcome.text.find("signal") == std::string::npos);
  // The parent's own mask is as it was.
  assert_int_equal(sigismember(&after, SIGTERM), 1);
  assert_int_equal(sigismember(&after, SIGINT), 0);
}

// So it has no terminal into which it could type.
void LeadsASessionOfItsOwn(void**) {
  SpawnOptions options;
  options.arguments = {kDescribe};
  const Outcome outcome = RunRole(options, OwnProgram());
  assert_true(outcome.text.find("session its own\n") != std::string::npos);
}

void HandsOverTheStatusFileOfTheRole(void**) {
  SpawnOptions options;
  options.arguments = {kDescribe};
  const Outcome outcome = RunRole(options, OwnProgram());
  const std::string parent = "\nPPid:\t" + std::to_string(getpid()) + "\n";
  assert_true(outcome.proc_status.find(parent) != std::string::npos);
  assert_true(outcome.proc_status.find("\nSeccomp:\t") != std::string::npos);
}

// Else a port, say, would stay taken for a moment.
void TheChildKeepsOpenNothingThatTheParentClosesThen(void**) {
  for (int i = 0; i < 20; ++i) {
    int fds[2];
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    const UniqueFd read_end(fds[0]);
    UniqueFd write_end(fds[1]);
    const UniqueFd program = OwnProgram();
    const UniqueFd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
    SpawnOptions options;
    options.program_fd = program.get();
    options.arguments = {kDescribe};
    options.fds = {{null.get(), 1}};
    const auto spawned = SpawnRole(options);
    assert_true(spawned.ok());
    write_end.Close();
    pollfd ended{read_end.get(), POLLIN, 0};
    const int known = poll(&ended, 1, 0);
    assert_int_equal(waitpid(spawned->pid, nullptr, 0), spawned->pid);
    assert_int_equal(known, 1);
  }
}

void RaisesALowLimitOfOpenFiles(void**) {
  const auto raised = [](rlim_t soft, rlim_t hard) {
    return RunInChild([=] {
             const rlimit before{soft, hard};
             if (setrlimit(RLIMIT_NOFILE, &before) != 0) return 90;
             const Status enough = RaiseDescriptorLimit();
             if (!enough.ok())
               return enough.error().text.find("RLIMIT_NOFILE") != std::string::npos ? 1 : 91;
             rlimit after{};
             if (getrlimit(RLIMIT_NOFILE, &after) != 0 || after.rlim_max != hard) return 92;
             return static_cast<int>(after.rlim_cur / 16);
           })
        .exit_status;
  };
  assert_int_equal(raised(100, 2048), 64);
  assert_int_equal(raised(100, 512), 32);
  assert_int_equal(raised(1040, 2048), 65);  // not lowered
  assert_int_equal(raised(100, 100), 1);     // said
}

void EndsWith127WhenThereIsNoProgram(void**) {
  SpawnOptions options;
  options.arguments = {kDescribe};
  const Outcome outcome = RunRole(options, UniqueFd(open("/etc/passwd", O_RDONLY | O_CLOEXEC)));
  assert_true(WIFEXITED(outcome.status));
  assert_int_equal(WEXITSTATUS(outcome.status), 127);
}

}  // namespace
}  // namespace ntpward

int main(int argc, char** argv) {
  using namespace ntpward;
  if (std::strcmp(argv[0], kDescribe) == 0) return Describe(argc, argv), 0;
  const CMUnitTest tests[] = {
      cmocka_unit_test(GivesExactlyTheDescriptorsThatWereNamed),
      cmocka_unit_test(GivesNoEnvironmentAndTheArgumentsAlone),
      cmocka_unit_test(StartsWithSignalsAtTheirDefaults),
      cmocka_unit_test(LeadsASessionOfItsOwn),
      cmocka_unit_test(HandsOverTheStatusFileOfTheRole),
      cmocka_unit_test(TheChildKeepsOpenNothingThatTheParentClosesThen),
      cmocka_unit_test(RaisesALowLimitOfOpenFiles),
      cmocka_unit_test(EndsWith127WhenThereIsNoProgram),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
