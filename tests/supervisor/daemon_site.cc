#include "tests/supervisor/daemon_site.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <regex>

#include "privsep/capabilities.h"
#include "tests/support/arguments.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// A new network has a loopback interface that is down.
void RaiseLoopback() {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0) _exit(95);
}

// In the child: a network of its own, and a clock that it cannot set. It does not outlive a test
// that fails, and holds nothing open that the test's caller waits for.
void Isolate() {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  const int flags = HasCapability(CAP_SYS_ADMIN) ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER;
  if (unshare(flags) != 0) _exit(96);
  RaiseLoopback();
  if (HasCapability(CAP_SETPCAP)) (void)cap_drop_bound(CAP_SYS_TIME);
}

}  // namespace

Site::Site() {
  char name[] = "/tmp/ntpd-test-XXXXXX";
  CHECK(mkdtemp(name) != nullptr);
  directory_ = name;
  const fs::path self = fs::read_symlink("/proc/self/exe");
  const fs::path programs = self.parent_path() / "../../bin";
  for (const char* program : {"ntpd", "ntpd-clock", "ntpd-resolve"})
    fs::copy_file(programs / program, directory_ / program);
  for (const char* program : {"ntpd-net", "ntpd-keys"}) fs::copy_file(self, directory_ / program);
  fs::create_directory(directory_ / "state");
  Configure(kConfig);
}

Site::~Site() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void Site::Script(const std::string& text) {
  Write("script.new", text);
  fs::rename(directory_ / "script.new", directory_ / "script");
}

void Site::Write(const std::string& name, const std::string& text) {
  std::ofstream(directory_ / name) << text;
}

Ntpd::Ntpd(const Site& site, std::vector<std::string> options, SystemClock clock) {
  int fds[2];
  CHECK(pipe2(fds, O_CLOEXEC) == 0);
  log_ = UniqueFd(fds[0]);
  const UniqueFd output(fds[1]);
  const std::string program = site.Path("ntpd");
  if (clock == SystemClock::kLeftAlone) options.insert(options.begin(), "--no-clock");
  options.insert(options.begin(), {program, "-c", site.Path("ntp.conf")});
  pid_ = fork();
  if (pid_ != 0) return;
  Isolate();
  dup2(output.get(), 1);
  dup2(output.get(), 2);
  execv(program.c_str(), Arguments(std::move(options)).argv());
  _exit(97);
}

Ntpd::~Ntpd() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string Ntpd::Expect(const std::string& pattern) {
  const std::regex expression(pattern);
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  for (;;) {
    std::smatch match;
    const std::string rest = text_.substr(seen_);
    if (std::regex_search(rest, match, expression)) {
      seen_ += static_cast<size_t>(match.position(0) + match.length(0));
      return match.size() > 1 ? match[1].str() : match[0].str();
    }
    if (Clock::now() > deadline || !ReadMore()) break;
  }
  std::fprintf(stderr, "'%s' did not come; the log is:\n%s", pattern.c_str(), text_.c_str());
  fail();
  return "";
}

std::string Ntpd::Rest(int ms) {
  const auto deadline = Clock::now() + std::chrono::milliseconds(ms);
  while (Clock::now() < deadline && ReadMore()) {
  }
  return text_.substr(seen_);
}

void Ntpd::Send(int signal) const { kill(pid_, signal); }

int Ntpd::Wait() {
  int status = 0;
  const auto deadline = Clock::now() + std::chrono::seconds(20);
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (Clock::now() > deadline) fail_msg("ntpd does not end:\n%s", text_.c_str());
    (void)ReadMore();
  }
  // Its last words are in the pipe by now; who inherited that may hold it open.
  for (pollfd rest{log_.get(), POLLIN, 0}; poll(&rest, 1, 0) > 0 && ReadMore();) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

bool Ntpd::ReadMore() {
  pollfd readable{log_.get(), POLLIN, 0};
  if (poll(&readable, 1, 100) <= 0) return true;
  char buffer[8192];
  const ssize_t size = read(log_.get(), buffer, sizeof buffer);
  if (size <= 0) return false;
  text_.append(buffer, static_cast<size_t>(size));
  return true;
}

pid_t PidIn(const std::string& text) { return static_cast<pid_t>(std::atoi(text.c_str())); }

Running::Running(const Site& site, std::vector<std::string> options, Ntpd::SystemClock system_clock)
    : ntpd(site, std::move(options), system_clock) {
  ntpd.Expect("fake net: associations");
  net = PidIn(ntpd.Expect("ntpd-net ready, pid (\\d+)"));
  clock = PidFromLog("clock");
  keys = PidFromLog("keys");
  resolve = PidFromLog("resolve");
}

void Running::Crash() {
  ntpd.Send(SIGKILL);
  (void)ntpd.Wait();
  kill(net, SIGKILL);
  kill(keys, SIGKILL);
}

pid_t Running::PidFromLog(const std::string& role) const {
  std::smatch match;
  const std::regex expression("ntpd-" + role + " ready, pid (\\d+)");
  CHECK(std::regex_search(ntpd.text(), match, expression));
  return PidIn(match[1].str());
}

}  // namespace ntpward::test
