// ntpq's cage: what it must be able to do inside, and what must kill it.
#include "ntpq/cage.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "ntpq/cook.h"
#include "ntpq/interrupt.h"
#include "ntpq/mac.h"
#include "ntpq/name_process.h"
#include "ntpq/udp.h"
#include "privsep/base/secret.h"
#include "privsep/landlock.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

// Runs `act` in a caged child; its exit status, or minus the signal that ended it.
template <typename Act>
int InCage(FileAccess files, Act act) {
  const pid_t child = fork();
  if (child == 0) {
    if (!EnterQueryCage(files).ok()) _exit(100);
    _exit(act());
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void DiesOfAnythingButAsking(void**) {
  assert_int_equal(InCage(FileAccess::kNone, [] { return open("/etc/hosts", O_RDONLY) < 0; }),
                   -SIGSYS);
  assert_int_equal(InCage(FileAccess::kNone, [] { return socket(AF_UNIX, SOCK_DGRAM, 0) < 0; }),
                   -SIGSYS);
  assert_int_equal(InCage(FileAccess::kNone, [] { return socket(AF_INET, SOCK_STREAM, 0) < 0; }),
                   -SIGSYS);
  assert_int_equal(InCage(FileAccess::kOpen, [] { return execl("/bin/true", "true", nullptr); }),
                   -SIGSYS);
  assert_int_equal(InCage(FileAccess::kOpen, [] { return static_cast<int>(fork()); }), -SIGSYS);
  assert_int_equal(InCage(FileAccess::kOpen, [] { return kill(getppid(), 0); }), -SIGSYS);
  // Whoever started it shares its standard streams.
  assert_int_equal(InCage(FileAccess::kOpen, [] { return fcntl(0, F_SETFL, O_NONBLOCK); }),
                   -SIGSYS);
  assert_int_equal(InCage(FileAccess::kOpen, [] { return fcntl(0, F_SETOWN, getppid()); }),
                   -SIGSYS);
  assert_int_equal(InCage(FileAccess::kOpen,
                          [] {
                            int on = 1;
                            return ioctl(0, FIONBIO, &on);
                          }),
                   -SIGSYS);
}

void ReachesOnlyFilesBelowTheCurrentDirectoryAtThePrompt(void**) {
  const bool limited = LandlockVersion() > 0;
  const int status = InCage(FileAccess::kOpen, [limited] {
    if (open("tests/ntpq/data/hosts", O_RDONLY) < 0) return 1;
    // A kernel without Landlock lets it pass.
    return limited && open("/etc/passwd", O_RDONLY) >= 0 ? 2 : 0;
  });
  assert_int_equal(status, 0);
}

// What `name` says in /proc/self/status.
std::string StatusOf(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  return "";
}

// Status can be read no more once seccomp is on: so this looks before that.
int RightsLeft(FileAccess files) {
  const pid_t child = fork();
  if (child == 0) {
    const bool was_root = geteuid() == 0;
    if (!GiveUpRights(files).ok()) _exit(100);
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
      if (StatusOf(set) != "0000000000000000") _exit(1);
    if (was_root && StatusOf("CapBnd") != "0000000000000000") _exit(2);
    _exit(geteuid() == 0 ? 10 : 0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  return WEXITSTATUS(status);
}

// Whether root can become somebody else here.
bool CanBecomeNobody() {
  const pid_t child = fork();
  if (child == 0) _exit(setresgid(65534, 65534, 65534) == 0 ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  return geteuid() != 0 || status == 0;
}

void KeepsNoCapabilityAndInBatchModeNoRoot(void**) {
  assert_int_equal(RightsLeft(FileAccess::kNone), CanBecomeNobody() ? 0 : 10);
  assert_int_equal(RightsLeft(FileAccess::kOpen), geteuid() == 0 ? 10 : 0);
}

void AsksAndSealsInside(void**) {
  const int result = InCage(FileAccess::kNone, [] {
    const SocketAddress nobody{IpAddress::V4(127, 0, 0, 1), 9};
    auto transport = UdpTransport::Connect(nobody);
    if (!transport.ok() || !(*transport)->Send(AsBytes("x")).ok()) return 1;
    const auto answer = (*transport)->Receive((*transport)->Now() + 0.01);
    if (answer.ok() && answer->has_value()) return 2;
    for (const char* type : {"MD5", "SHA1", "AES128CMAC", "SHAKE128"})
      if (!MakeMac(*FindKeyType(type), KeyId{1}, AsBytes("key"), AsBytes("text")).ok()) return 3;
    (void)MakeMac(*FindKeyType("MD4"), KeyId{1}, AsBytes("key"), AsBytes("text"));
    auto secret = Secret::Copy(AsBytes("password"));
    return secret.ok() ? 0 : 4;
  });
  assert_int_equal(result, 0);
}

// The kernel is asked for an interface's name by a system call that would end it.
void ReadsAnAddressWithAnInterfaceInside(void**) {
  const int result = InCage(FileAccess::kNone, [] {
    for (const char* name : {"srcadr", "dstadr", "refid", "peeradr"})
      if (CookValue(name, "fe80::1%lo", Scope::kPeer, Display{}).empty()) return 1;
    return 0;
  });
  assert_int_equal(result, 0);
}

void LooksNamesUpFromOutside(void**) {
  auto names = NameProcess::Start();
  assert_true(names.ok());
  (*names)->BeginCommand();
  const int result = InCage(FileAccess::kNone, [&] {
    const auto host = (*names)->Resolve("127.0.0.1", Family::kNone);
    if (!host.ok() || host->addresses[0] != IpAddress::V4(127, 0, 0, 1)) return 1;
    if ((*names)->Resolve("127.0.0.1", Family::kIpv6).ok()) return 2;
    if ((*names)->Resolve(std::string(5000, 'x'), Family::kNone).ok()) return 3;
    // No look-up finds a name for the wildcard.
    return (*names)->NameOf(IpAddress::V4(0, 0, 0, 0)) == "0.0.0.0" ? 0 : 4;
  });
  assert_int_equal(result, 0);
}

// The processes that this one started and that live.
std::vector<pid_t> Children() {
  std::ifstream file("/proc/self/task/" + std::to_string(getpid()) + "/children");
  return {std::istream_iterator<pid_t>(file), {}};
}

// One that was taken over may read nothing; an interrupt ends each wait at once.
void WaitsForNoLookUpThatIsNeverRead(void**) {
  const pid_t child = fork();
  if (child == 0) {
    auto names = NameProcess::Start();
    const std::vector<pid_t> children = Children();
    if (!names.ok() || children.size() != 1 || kill(children[0], SIGSTOP) != 0) _exit(1);
    HoldInterrupts();
    raise(SIGINT);
    alarm(20);
    bool found = false;
    for (int i = 0; i < 10000 && !found; ++i) found = (*names)->Resolve("name", Family::kNone).ok();
    kill(children[0], SIGKILL);  // it would never see the end of its questions
    _exit(found ? 2 : 0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(DiesOfAnythingButAsking),
      cmocka_unit_test(ReachesOnlyFilesBelowTheCurrentDirectoryAtThePrompt),
      cmocka_unit_test(KeepsNoCapabilityAndInBatchModeNoRoot),
      cmocka_unit_test(AsksAndSealsInside),
      cmocka_unit_test(ReadsAnAddressWithAnInterfaceInside),
      cmocka_unit_test(LooksNamesUpFromOutside),
      cmocka_unit_test(WaitsForNoLookUpThatIsNeverRead),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
