// The cage: what each role's policy forbids kills it, and what it needs works under the
// supervisor's filter too.
#include "privsep/cage.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>

#include <cstdlib>

#include "privsep/policies.h"
#include "tests/support/child.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

using test::ChildEnd;
using test::RunInChild;

// A caged child that then does `body`; namespaces are left out so that it runs for any user.
template <typename Body>
ChildEnd Caged(Policy policy, Body body) {
  const pid_t parent = getpid();
  return RunInChild([&] {
    const Policy policies[] = {RuntimePolicy(), policy};
    CageOptions options;
    options.identity = {getuid(), getgid(), parent};
    options.policies = policies;
    if (!EnterCage(options).ok()) return 90;
    return body();
  });
}

void DiesOfSigsys(const ChildEnd& end) { assert_int_equal(end.signal, SIGSYS); }

int OpenPasswd() { return open("/etc/passwd", O_RDONLY) >= 0 ? 1 : 2; }
int SetTheClock() {
  // An empty request: reads only, but the filter cannot know and must kill all the same.
  timex request{};
  return clock_adjtime(CLOCK_REALTIME, &request) >= 0 ? 1 : 2;
}
int MakeSocket(int family, int type) {
  const int fd = socket(family, type, 0);
  return fd >= 0 ? 0 : 2;
}
int Exec() {
  execl("/bin/true", "true", static_cast<char*>(nullptr));
  return 2;
}

void NetCannotOpenAFile(void**) { DiesOfSigsys(Caged(NetPolicy(), OpenPasswd)); }
void NetCannotCallTheClock(void**) { DiesOfSigsys(Caged(NetPolicy(), SetTheClock)); }
void NetCannotExec(void**) { DiesOfSigsys(Caged(NetPolicy(), Exec)); }
void NetCannotFork(void**) {
  DiesOfSigsys(Caged(NetPolicy(), [] { return fork() >= 0 ? 1 : 2; }));
}
void NetMakesInternetDatagramSocketsOnly(void**) {
  assert_int_equal(Caged(NetPolicy(), [] { return MakeSocket(AF_INET, SOCK_DGRAM); }).exit_status,
                   0);
  DiesOfSigsys(Caged(NetPolicy(), [] { return MakeSocket(AF_INET, SOCK_STREAM); }));
  DiesOfSigsys(Caged(NetPolicy(), [] { return MakeSocket(AF_INET, SOCK_RAW); }));
  DiesOfSigsys(Caged(NetPolicy(), [] {
    return socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP) >= 0 ? 0 : 2;  // no right is needed for pings
  }));
  DiesOfSigsys(Caged(NetPolicy(), [] { return MakeSocket(AF_UNIX, SOCK_DGRAM); }));
  DiesOfSigsys(Caged(NetPolicy(), [] { return MakeSocket(AF_NETLINK, SOCK_DGRAM); }));
  DiesOfSigsys(Caged(NetPolicy(), [] { return MakeSocket(AF_PACKET, SOCK_DGRAM); }));
}
int SetOption(int family, int level, int name) {
  const int fd = socket(family, SOCK_DGRAM, 0);
  const int on = 1;
  return fd >= 0 && setsockopt(fd, level, name, &on, sizeof on) == 0 ? 0 : 2;
}
// Its listening sockets are the supervisor's, too.
void NetSetsFewOptionsOfSockets(void**) {
  const auto dies = [](int level, int name) {
    DiesOfSigsys(Caged(NetPolicy(), [=] { return SetOption(AF_INET, level, name); }));
  };
  for (const int name : {SO_ATTACH_FILTER, SO_ATTACH_BPF, SO_LOCK_FILTER, SO_DETACH_FILTER,
                         SO_RCVBUF, SO_REUSEADDR, SO_REUSEPORT, SO_BINDTODEVICE, SO_RCVTIMEO})
    dies(SOL_SOCKET, name);
  for (const int name : {IP_ADD_MEMBERSHIP, MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP, IP_MULTICAST_IF,
                         IP_MINTTL, IP_OPTIONS})
    dies(IPPROTO_IP, name);
  for (const int name : {IPV6_V6ONLY, IPV6_JOIN_GROUP, IPV6_MULTICAST_ALL})
    dies(IPPROTO_IPV6, name);
  dies(IPPROTO_UDP, 1);  // UDP_CORK
  for (const int name : {IP_TOS, IP_PKTINFO, IP_MULTICAST_LOOP})
    assert_int_equal(
        Caged(NetPolicy(), [=] { return SetOption(AF_INET, IPPROTO_IP, name); }).exit_status, 0);
  assert_int_equal(
      Caged(NetPolicy(), [] { return SetOption(AF_INET6, IPPROTO_IPV6, IPV6_TCLASS); }).exit_status,
      0);
}
void NetNeitherBindsListensNorShutsDown(void**) {
  DiesOfSigsys(Caged(NetPolicy(), [] { return shutdown(0, SHUT_RD); }));
  DiesOfSigsys(Caged(NetPolicy(), [] { return listen(0, 1); }));
  DiesOfSigsys(Caged(NetPolicy(), [] {
    const sockaddr_in any{.sin_family = AF_INET};
    return bind(0, reinterpret_cast<const sockaddr*>(&any), sizeof any);
  }));
}
void ClockCannotMakeASocketOrOpenAFile(void**) {
  DiesOfSigsys(Caged(ClockPolicy(), [] { return MakeSocket(AF_INET, SOCK_DGRAM); }));
  DiesOfSigsys(Caged(ClockPolicy(), OpenPasswd));
  DiesOfSigsys(Caged(ClockPolicy(), Exec));
}
void KeysCannotMakeASocketOpenAFileOrSetTheClock(void**) {
  DiesOfSigsys(Caged(KeysPolicy(), [] { return MakeSocket(AF_UNIX, SOCK_DGRAM); }));
  DiesOfSigsys(Caged(KeysPolicy(), OpenPasswd));
  DiesOfSigsys(Caged(KeysPolicy(), SetTheClock));
  DiesOfSigsys(Caged(KeysPolicy(), Exec));
}
void ResolveCannotWriteAFileExecOrSetTheClock(void**) {
  DiesOfSigsys(Caged(ResolvePolicy(), [] { return open("/tmp/x", O_WRONLY) >= 0 ? 1 : 2; }));
  DiesOfSigsys(Caged(ResolvePolicy(), Exec));
  DiesOfSigsys(Caged(ResolvePolicy(), SetTheClock));
  DiesOfSigsys(Caged(ResolvePolicy(), [] { return socket(AF_INET, SOCK_RAW, IPPROTO_UDP); }));
  DiesOfSigsys(Caged(ResolvePolicy(), [] { return socket(AF_PACKET, SOCK_RAW, 0); }));
  DiesOfSigsys(
      Caged(ResolvePolicy(), [] { return socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT); }));
  assert_int_equal(Caged(ResolvePolicy(), OpenPasswd).exit_status, 1);
}
void ResolveCannotEmptyAFile(void**) {
  DiesOfSigsys(Caged(ResolvePolicy(), [] { return open("/dev/null", O_RDONLY | O_TRUNC); }));
}

// Of a pipe that others hold too: whoever reads or writes it next would wait for ever.
void NobodyMakesAPipeBlock(void**) {
  for (const Policy& policy : {NetPolicy(), ClockPolicy(), KeysPolicy(), ResolvePolicy()}) {
    for (const int flags : {0, O_DIRECT, O_APPEND, O_NONBLOCK | O_ASYNC})
      DiesOfSigsys(Caged(policy, [flags] { return fcntl(0, F_SETFL, flags); }));
    DiesOfSigsys(Caged(policy, [] {
      int off = 0;
      return ioctl(0, FIONBIO, &off);
    }));
  }
}

// A signal that a descriptor sends is not asked for its target by tgkill's rule.
void NobodyHasSignalsSentByADescriptor(void**) {
  for (const Policy& policy : {NetPolicy(), ClockPolicy(), KeysPolicy(), ResolvePolicy()}) {
    for (const int command : {F_SETOWN, F_SETSIG, F_SETLEASE, F_NOTIFY})
      DiesOfSigsys(Caged(policy, [command] { return fcntl(0, command, 0); }));
    for (const int command : {FIOASYNC, FIOSETOWN, SIOCSPGRP})
      DiesOfSigsys(Caged(policy, [command] {
        int value = 1;
        return ioctl(0, static_cast<unsigned long>(command), &value);
      }));
  }
}

void NobodyLocksAFileOrShrinksAPipe(void**) {
  for (const Policy& policy : {NetPolicy(), ClockPolicy(), KeysPolicy(), ResolvePolicy()}) {
    DiesOfSigsys(Caged(policy, [] { return flock(0, LOCK_SH); }));
    for (const int command : {F_SETLK, F_SETLKW, F_OFD_SETLK, F_SETPIPE_SZ})
      DiesOfSigsys(Caged(policy, [command] { return fcntl(0, command, 0); }));
  }
}

// What name service modules do with their sockets.
void ResolveSetsUpItsOwnSockets(void**) {
  const ChildEnd end = Caged(ResolvePolicy(), [] {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int waiting = 0;
    if (fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) | FD_CLOEXEC) != 0) return 1;
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) return 2;
    if (fcntl(fd, F_DUPFD, 3) < 3 || fcntl(fd, F_DUPFD_CLOEXEC, 3) < 3) return 3;
    const int udp = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(udp, FIONREAD, &waiting) != 0) return 4;
    // They fail or not as the system has it.
    (void)if_nametoindex("lo");
    char name[IF_NAMESIZE];
    (void)if_indextoname(1, name);
    (void)isatty(0);
    return 0;
  });
  assert_int_equal(end.signal, 0);
  assert_int_equal(end.exit_status, 0);
}

// As the system's resolver writes a question by TCP: its length and itself.
void ResolveWritesAQuestionInParts(void**) {
  const ChildEnd end = Caged(ResolvePolicy(), [] {
    int length = 12;
    char question[12] = {};
    const iovec parts[] = {{&length, 2}, {question, sizeof question}};
    return writev(-1, parts, 2) == -1 ? 0 : 1;
  });
  assert_int_equal(end.signal, 0);
  assert_int_equal(end.exit_status, 0);
}

// Where all share one uid a role must not end another.
void ARoleSignalsNobodyButItself(void**) {
  const pid_t parent = getpid();
  DiesOfSigsys(Caged(
      NetPolicy(), [parent] { return static_cast<int>(syscall(SYS_tgkill, parent, parent, 0)); }));
  assert_int_equal(Caged(NetPolicy(),
                         [] {
                           std::abort();
                           return 0;
                         })
                       .signal,
                   SIGABRT);
}

void ClockMovesNoOtherClock(void**) {
  DiesOfSigsys(Caged(ClockPolicy(), [] {
    timex request{};
    return clock_adjtime(CLOCK_MONOTONIC, &request);
  }));
}

void NobodyMapsExecutableMemory(void**) {
  for (const Policy& policy : {NetPolicy(), ClockPolicy(), KeysPolicy()}) {
    DiesOfSigsys(
        Caged(policy, [] { return syscall(SYS_mmap, nullptr, 4096, 7, 0x22, -1, 0) > 0 ? 1 : 2; }));
  }
}

void CageSetsWhatProcShows(void**) {
  const ChildEnd end = Caged(ClockPolicy(), [] { return 0; });
  assert_int_equal(end.exit_status, 0);
  // prctl is not in the policy, so it is asked before the filter closes: EnterCage minus policies.
  const pid_t parent = getpid();
  const ChildEnd open_cage = RunInChild([&] {
    CageOptions options;
    options.identity = {getuid(), getgid(), parent};
    const Policy everything[] = {RuntimePolicy(), RoleStartPolicy()};
    options.policies = everything;
    if (!EnterCage(options).ok()) return 90;
    int death_signal = 0;
    if (prctl(PR_GET_PDEATHSIG, &death_signal) != 0 || death_signal != SIGKILL) return 1;
    if (prctl(PR_GET_DUMPABLE) != 0) return 2;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 3;
    if (prctl(PR_GET_SECCOMP) != 2) return 4;
    return 0;
  });
  assert_int_equal(open_cage.exit_status, 0);
}

// They come to everybody where a script names the programs by a pattern.
void StraySignalsDoNotEndACagedProcess(void**) {
  for (const int number : {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGPIPE,
                           SIGXFSZ, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGRTMIN, SIGRTMAX}) {
    const ChildEnd end = Caged(ClockPolicy(), [number] {
      struct sigaction action {};
      return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN ? 0 : number;
    });
    assert_int_equal(end.signal, 0);
    assert_int_equal(end.exit_status, 0);
  }
}

// -1 changes nothing, and is no failure for the kernel.
void RefusesAnIdentityThatIsNone(void**) {
  const pid_t parent = getpid();
  const std::pair<uid_t, gid_t> kNone[] = {{-1, -1}, {65534, -1}, {-1, 65534}};
  for (const auto& [uid, gid] : kNone) {
    const ChildEnd end = RunInChild([&, uid = uid, gid = gid] {
      const Policy policies[] = {RuntimePolicy()};
      CageOptions options;
      options.identity = {uid, gid, parent};
      options.policies = policies;
      return EnterCage(options).ok() ? 1 : 0;
    });
    assert_int_equal(end.signal, 0);
    assert_int_equal(end.exit_status, 0);
  }
}

void RefusesWhenTheParentIsGone(void**) {
  const ChildEnd end = RunInChild([] {
    CageOptions options;
    options.identity = {getuid(), getgid(), 1};  // our parent is the test, not init
    return EnterCage(options).ok() ? 1 : 0;
  });
  assert_int_equal(end.exit_status, 0);
}

// A stopped and continued process comes back from poll through restart_syscall.
void SurvivesStopAndContinueInPoll(void**) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    const Policy policies[] = {RuntimePolicy(), ClockPolicy()};
    CageOptions options;
    options.identity = {getuid(), getgid(), parent};
    options.policies = policies;
    if (!EnterCage(options).ok()) _exit(90);
    poll(nullptr, 0, 600);
    _exit(0);
  }
  timespec pause{0, 200000000};
  nanosleep(&pause, nullptr);
  kill(child, SIGSTOP);
  nanosleep(&pause, nullptr);
  kill(child, SIGCONT);
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

void RoleIdentityComesFromNumbersOnly(void**) {
  char program[] = "ntpd-net";
  char good[] = "12";
  char bad[] = "12x";
  char* argv[] = {program, good, good, good, nullptr};
  assert_true(RoleIdentity::FromArguments(4, argv).ok());
  assert_false(RoleIdentity::FromArguments(3, argv).ok());
  argv[2] = bad;
  assert_false(RoleIdentity::FromArguments(4, argv).ok());
}

}  // namespace
}  // namespace ntpward

int main() {
  using namespace ntpward;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NetCannotOpenAFile),
      cmocka_unit_test(NetCannotCallTheClock),
      cmocka_unit_test(NetCannotExec),
      cmocka_unit_test(NetCannotFork),
      cmocka_unit_test(NetMakesInternetDatagramSocketsOnly),
      cmocka_unit_test(NetSetsFewOptionsOfSockets),
      cmocka_unit_test(NetNeitherBindsListensNorShutsDown),
      cmocka_unit_test(ClockCannotMakeASocketOrOpenAFile),
      cmocka_unit_test(KeysCannotMakeASocketOpenAFileOrSetTheClock),
      cmocka_unit_test(ResolveCannotWriteAFileExecOrSetTheClock),
      cmocka_unit_test(ResolveCannotEmptyAFile),
      cmocka_unit_test(NobodyMakesAPipeBlock),
      cmocka_unit_test(NobodyHasSignalsSentByADescriptor),
      cmocka_unit_test(NobodyLocksAFileOrShrinksAPipe),
      cmocka_unit_test(ResolveSetsUpItsOwnSockets),
      cmocka_unit_test(ResolveWritesAQuestionInParts),
      cmocka_unit_test(ARoleSignalsNobodyButItself),
      cmocka_unit_test(ClockMovesNoOtherClock),
      cmocka_unit_test(NobodyMapsExecutableMemory),
      cmocka_unit_test(CageSetsWhatProcShows),
      cmocka_unit_test(StraySignalsDoNotEndACagedProcess),
      cmocka_unit_test(RefusesAnIdentityThatIsNone),
      cmocka_unit_test(RefusesWhenTheParentIsGone),
      cmocka_unit_test(SurvivesStopAndContinueInPoll),
      cmocka_unit_test(RoleIdentityComesFromNumbersOnly),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
