// The whole supervisor with ntpd-clock and ntpd-resolve as they are, and with stand-ins for the
// other two: what it does when they die, misbehave or say too much, and what a reload may change.
//
// It runs in a network namespace of its own, without the right to set the clock.
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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>

#include "privsep/base/unique_fd.h"
#include "privsep/capabilities.h"
#include "tests/supervisor/fake_roles.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kConfig = "restrict default\nserver 192.0.2.1\n";

// A directory with ntpd, its roles and a configuration.
class Site {
 public:
  Site() {
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
  ~Site() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  void Configure(const std::string& text) { Write("ntp.conf", text); }
  // Renamed into place, so that nobody reads half of it.
  void Script(const std::string& text) {
    Write("script.new", text);
    fs::rename(directory_ / "script.new", directory_ / "script");
  }
  std::string Path(const std::string& name) const { return (directory_ / name).string(); }

 private:
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name) << text;
  }
  fs::path directory_;
};

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

class Ntpd {
 public:
  enum class SystemClock { kLeftAlone, kAskedFor };
  // Never with the right to set the clock: `kAskedFor` leaves out --no-clock alone.
  Ntpd(const Site& site, std::vector<std::string> options,
       SystemClock clock = SystemClock::kLeftAlone) {
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
    std::vector<char*> argv;
    for (std::string& option : options) argv.push_back(option.data());
    argv.push_back(nullptr);
    execv(program.c_str(), argv.data());
    _exit(97);
  }
  ~Ntpd() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  // Waits until a line that was not seen before matches; its first group, or the whole match.
  std::string Expect(const std::string& pattern) {
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
  // The log from where the last Expect() stopped, to the end of what is there within `ms`.
  std::string Rest(int ms) {
    const auto deadline = Clock::now() + std::chrono::milliseconds(ms);
    while (Clock::now() < deadline && ReadMore()) {
    }
    return text_.substr(seen_);
  }
  void Send(int signal) const { kill(pid_, signal); }
  int Wait() {
    int status = 0;
    const auto deadline = Clock::now() + std::chrono::seconds(20);
    while (waitpid(pid_, &status, WNOHANG) == 0) {
      if (Clock::now() > deadline) fail_msg("ntpd does not end:\n%s", text_.c_str());
      (void)ReadMore();
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  const std::string& text() const { return text_; }

 private:
  // False at the end of file.
  bool ReadMore() {
    pollfd readable{log_.get(), POLLIN, 0};
    if (poll(&readable, 1, 100) <= 0) return true;
    char buffer[8192];
    const ssize_t size = read(log_.get(), buffer, sizeof buffer);
    if (size <= 0) return false;
    text_.append(buffer, static_cast<size_t>(size));
    return true;
  }

  pid_t pid_ = -1;
  UniqueFd log_;
  std::string text_;
  size_t seen_ = 0;
};

pid_t PidIn(const std::string& text) { return static_cast<pid_t>(std::atoi(text.c_str())); }

// Started, with the pids of its roles.
struct Running {
  explicit Running(const Site& site, std::vector<std::string> options = {"-n", "-d"},
                   Ntpd::SystemClock system_clock = Ntpd::SystemClock::kLeftAlone)
      : ntpd(site, std::move(options), system_clock) {
    ntpd.Expect("fake net: associations");
    net = PidIn(ntpd.Expect("ntpd-net ready, pid (\\d+)"));
    clock = PidFromLog("clock");
    keys = PidFromLog("keys");
    resolve = PidFromLog("resolve");
  }
  pid_t PidFromLog(const std::string& role) {
    std::smatch match;
    const std::regex expression("ntpd-" + role + " ready, pid (\\d+)");
    CHECK(std::regex_search(ntpd.text(), match, expression));
    return PidIn(match[1].str());
  }
  Ntpd ntpd;
  pid_t net, clock, keys, resolve;
};

void StartsAllRolesAndEndsOnSigterm(void**) {
  Site site;
  site.Configure(std::string(kConfig) + "driftfile " + site.Path("state/drift") + "\n");
  Running daemon(site);
  assert_true(daemon.ntpd.text().find("landlock=yes") != std::string::npos);
  daemon.ntpd.Send(SIGTERM);
  assert_int_equal(daemon.ntpd.Wait(), 0);
  // Net's last word reached the disk.
  std::ifstream drift(site.Path("state/drift"));
  std::string line;
  assert_true(std::getline(drift, line) && line == "-7.500");
}

void EachRoleComesBackAfterKill9(void**) {
  Site site;
  Running daemon(site, {"-n", "-d", "-g"});
  kill(daemon.clock, SIGKILL);
  daemon.ntpd.Expect("ntpd-clock .* killed by signal 9");
  daemon.ntpd.Expect("ntpd-clock ready");
  daemon.ntpd.Expect("fake net: restarted 0");
  kill(daemon.keys, SIGKILL);
  daemon.ntpd.Expect("ntpd-keys ready");
  daemon.ntpd.Expect("fake net: restarted 1");
  kill(daemon.resolve, SIGKILL);
  daemon.ntpd.Expect("ntpd-resolve ready");
  daemon.ntpd.Expect("fake net: restarted 2");
  kill(daemon.net, SIGKILL);
  daemon.ntpd.Expect("fake net: associations=1 restrictions=2 gate=open");
  // A new net hears the state of the clock without asking.
  daemon.ntpd.Expect("fake net: clock request=0");
}

void GateStaysShutAndTheVirtualClockGoesOnAfterRestarts(void**) {
  Site site;
  Running daemon(site, {"-n", "-d", "-g"});
  site.Script("step 5000");
  daemon.ntpd.Expect("clock request=77 refusal=0 correction=5000");
  kill(daemon.clock, SIGKILL);
  daemon.ntpd.Expect("clock request=0 refusal=0 correction=5000");
  kill(daemon.net, SIGKILL);
  daemon.ntpd.Expect("associations=1 restrictions=2 gate=shut");
  site.Script("step 6000");
  daemon.ntpd.Expect("clock request=77 refusal=3 correction=5000");
  (void)daemon.ntpd.Rest(200);
  assert_true(daemon.ntpd.text().find("clock: refused: step over the limit") != std::string::npos);
}

void NonsenseToTheClockKillsNetOnce(void**) {
  Site site;
  Running daemon(site);
  usleep(600000);
  site.Script("garbage-to-clock");
  daemon.ntpd.Expect("ntpd-net sent ntpd-clock a message \\(type 85\\)");
  daemon.ntpd.Expect("ntpd-net ready");
  // The other four accusations are about a process that is gone.
  assert_true(daemon.ntpd.Rest(800).find("that it must not send") == std::string::npos);
}

void NonsenseToTheSupervisorEndsTheConversation(void**) {
  Site site;
  Running daemon(site);
  site.Script("garbage-to-supervisor");
  daemon.ntpd.Expect("ntpd-net sent a malformed message: killed");
  daemon.ntpd.Expect("ntpd-net ready");
  assert_true(daemon.ntpd.text().find("after the nonsense") == std::string::npos);
}

void AnAccusationThatCannotBeIsNonsense(void**) {
  Site site;
  Running daemon(site);
  site.Script("accuse-itself");
  daemon.ntpd.Expect("ntpd-net sent a malformed message: killed");
  daemon.ntpd.Expect("ntpd-net ready");
  site.Script("answer-nothing");
  daemon.ntpd.Expect("ntpd-net sent a malformed message: killed");
}

void ARoleThatClosesItsChannelIsReplaced(void**) {
  Site site;
  Running daemon(site);
  site.Script("close");
  daemon.ntpd.Expect("ntpd-net .* killed by signal 9");
  daemon.ntpd.Expect("ntpd-net ready");
}

void LastWordsOnStandardErrorAreLogged(void**) {
  Site site;
  Running daemon(site);
  site.Script("abort");
  daemon.ntpd.Expect("ntpd-net: fake words on standard error");
  daemon.ntpd.Expect("killed by signal 6");
}

void AFloodIsBoundedAndTheOthersAreHeard(void**) {
  Site site;
  Running daemon(site);
  site.Script("flood");
  daemon.ntpd.Expect("flood x");
  kill(daemon.clock, SIGKILL);
  daemon.ntpd.Expect("ntpd-clock ready");
  const std::string log = daemon.ntpd.Rest(500);
  size_t floods = 0;
  const std::string all = daemon.ntpd.text();
  for (size_t at = 0; (at = all.find("flood x", at)) != std::string::npos; ++at) ++floods;
  assert_true(floods < 200);
}

// A taken-over net must not write into the files of days that are over, nor into those to come.
void StatisticsGoToTheFilesOfTodayOnly(void**) {
  const auto files = [](const Site& site) {
    return std::distance(fs::directory_iterator(site.Path("state")), {});
  };
  for (const double today : {0.0, -10 * 86400.0}) {
    Site site;
    site.Configure(std::string(kConfig) + "statsdir " + site.Path("state") +
                   "/\nstatistics loopstats\nfilegen loopstats nolink\n");
    Running daemon(site, {"-n", "-d", "--no-clock=" + std::to_string(today)});
    for (const double other : {-2 * 86400.0, 2 * 86400.0, 1e9}) {
      site.Script("statistics " + std::to_string(today + other));
      daemon.ntpd.Expect("fake net: statistics sent");
    }
    assert_int_equal(files(site), 0);
    site.Script("statistics " + std::to_string(today));
    daemon.ntpd.Expect("fake net: statistics sent");
    assert_int_equal(files(site), 1);
  }
}

void ALargeConfigurationArrivesWhole(void**) {
  Site site;
  std::string config;
  for (int i = 0; i < 3000; ++i)
    config +=
        "restrict 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24 kod\n";
  for (int i = 0; i < 600; ++i)
    config += "server 192.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + "\n";
  for (int i = 0; i < 400; ++i) config += "server n" + std::to_string(i) + ".example\n";
  site.Configure(config);
  Running daemon(site);
  assert_true(daemon.ntpd.text().find("associations=1000 restrictions=3000") != std::string::npos);
}

void AStartSaysLoudlyWhichLinesItLeavesOut(void**) {
  Site site;
  site.Configure(std::string(kConfig) + "sevrer 192.0.2.2\nbroadcast time.example\nphone 5\n");
  Running daemon(site);
  const std::string log = daemon.ntpd.text();
  assert_true(
      std::regex_search(log, std::regex("conf:3:1: error: unknown .*; THIS LINE IS LEFT OUT\n")));
  assert_true(std::regex_search(log, std::regex("conf:4:11: error: .*; THIS LINE IS LEFT OUT\n")));
  assert_true(std::regex_search(log, std::regex("conf:5:1: warning: .* has no effect")));
}

void AReloadReplacesTheKeyProcess(void**) {
  Site site;
  Running daemon(site);
  site.Configure(std::string(kConfig) + "server 192.0.2.2\nserver name.example\n");
  daemon.ntpd.Send(SIGHUP);
  const pid_t keys = PidIn(daemon.ntpd.Expect("ntpd-keys ready, pid (\\d+)"));
  assert_true(keys != daemon.keys);
  daemon.ntpd.Expect("ntpd-resolve ready");
  daemon.ntpd.Expect("fake net: associations=3 restrictions=2");
  usleep(100000);
  assert_int_equal(kill(daemon.keys, 0), -1);
  assert_int_equal(kill(daemon.net, 0), 0);
  // None of these ends was a failure.
  assert_true(daemon.ntpd.text().find("starting again") == std::string::npos);
  daemon.ntpd.Send(SIGTERM);
  assert_int_equal(daemon.ntpd.Wait(), 0);
}

// What a command said of keys is known to each ntpd-keys that comes after.
void CommandsOutliveTheKeyProcess(void**) {
  Site site;
  site.Script("keys-command");
  Running daemon(site);
  if (daemon.ntpd.text().find("fake keys: commanded") == std::string::npos)
    daemon.ntpd.Expect("fake keys: commanded");
  site.Script("");
  kill(daemon.keys, SIGKILL);
  daemon.ntpd.Expect("fake keys: files=0 password=0 kept=5\\+6-\\.");
  daemon.ntpd.Expect("fake keys: serves, kept=5\\+6-\\.");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("fake keys: files=0 password=0 kept=5\\+6-\\.");
  // Commands may have come while it loaded: it is told once more, and before it listens to net.
  daemon.ntpd.Expect("fake keys: serves, kept=5\\+6-5\\+6-\\.");
  assert_true(daemon.ntpd.text().find("malformed") == std::string::npos);
  daemon.ntpd.Send(SIGTERM);
  assert_int_equal(daemon.ntpd.Wait(), 0);
}

void AReloadChangesWhatEachInterfaceIsFor(void**) {
  Site site;
  site.Configure(std::string(kConfig) + "interface listen 127.0.0.1\ninterface ignore ipv6\n");
  Running daemon(site);
  daemon.ntpd.Expect("fake net: socket 0 127.0.0.1:123\n");
  site.Configure(std::string(kConfig) +
                 "interface drop all\ninterface ignore ipv6\ntos minclock 5\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("Deleting 0 lo 127\\.0\\.0\\.1:123\n");
  daemon.ntpd.Expect("Listen and drop on 1 lo 127\\.0\\.0\\.1:123\n");
  daemon.ntpd.Expect("fake net: socket gone 0\n");
  daemon.ntpd.Expect("fake net: socket 1 127.0.0.1:123 drop\n");
  daemon.ntpd.Expect("minclock=5\n");
  site.Configure(std::string(kConfig));
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("interface: from some lines to none, or from none to some, needs a restart");
}

// What peers have agreed with us goes from the old ntpd-keys to the new one, or is agreed anew.
void AReloadTellsNetWhetherItsKeysGoOn(void**) {
  Site site;
  site.Configure(std::string(kConfig) + "crypto pw secret\nkeysdir " + site.Path("state") + "\n");
  Running daemon(site);
  site.Script("keys-inherit");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("fake net: continued 1");
  site.Script("");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("fake net: restarted 1");
  // Without Autokey there is nothing to hand over.
  site.Script("keys-inherit");
  site.Configure(kConfig);
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("fake net: restarted 1");
}

void AReloadGivesTheClockItsNewLimits(void**) {
  Site site;
  Running daemon(site);
  site.Script("step 5000");
  daemon.ntpd.Expect("clock request=77 refusal=3 correction=0");
  site.Configure(std::string(kConfig) + "tinker panic 10000 freq 3\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("tinker freq changed: needs a restart");
  daemon.ntpd.Expect("fake net: restarted 0");
  site.Script("step 6000");
  daemon.ntpd.Expect("clock request=77 refusal=0 correction=6000");
  assert_true(daemon.ntpd.text().find("starting again") == std::string::npos);
}

void ARefusedReloadChangesNothing(void**) {
  Site site;
  Running daemon(site);
  site.Script("keys-fail");
  site.Configure("restrict default ignore\nserver 192.0.2.9\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("fake keys: wrong password");
  daemon.ntpd.Expect("reload refused: the new ntpd-keys .* exited with status 1; nothing changed");
  site.Configure("server 192.0.2.1 nonsense\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("reload refused: the configuration has errors");
  site.Configure(std::string(kConfig) + "driftfile /tmp/elsewhere/drift\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("reload refused: restart needed: /tmp/elsewhere is a new directory");
  // What a start would leave out, a reload refuses.
  site.Configure(std::string(kConfig) + "broadcast time.example\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("ntp.conf:3:11: error: expected a numeric address after 'broadcast'\n");
  daemon.ntpd.Expect("reload refused: the configuration has errors");
  site.Configure(std::string(kConfig) + "leapfile " + site.Path("script") + "\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("reload refused: the leap second file cannot be used");
  assert_true(daemon.ntpd.Rest(300).find("fake net") == std::string::npos);
  for (const pid_t pid : {daemon.net, daemon.keys, daemon.clock, daemon.resolve})
    assert_int_equal(kill(pid, 0), 0);
}

void QuitPrintsAndEndsWithTheStatusOfItsReason(void**) {
  Site site;
  Running daemon(site, {"-d", "-q"});
  site.Script("quit failed");
  daemon.ntpd.Expect("\nntpd: time \\?\\[2Jset\n");
  assert_int_equal(daemon.ntpd.Wait(), 1);
}

void OnlyAPanicEndsTheDaemonWithoutQuit(void**) {
  Site site;
  Running daemon(site);
  for (const char* script : {"quit done", "quit failed"}) {
    site.Script(script);
    daemon.ntpd.Expect("ntpd-net wants the daemon to end, which it may not");
    daemon.ntpd.Expect("ntpd-net sent a malformed message: killed");
    daemon.ntpd.Expect("ntpd-net ready");
  }
  site.Script("quit panic");
  assert_int_equal(daemon.ntpd.Wait(), 255);
}

void WithoutAPanicLimitNothingOfNetEndsTheDaemon(void**) {
  Site site;
  site.Configure(std::string(kConfig) + "tinker panic 0\n");
  Running daemon(site);
  site.Script("quit panic");
  daemon.ntpd.Expect("ntpd-net sent a malformed message: killed");
  daemon.ntpd.Expect("ntpd-net ready");
}

void AMeasurementThatWasAskedForIsASuccess(void**) {
  Site site;
  Running daemon(site, {"-d", "-q"});
  site.Script("quit done");
  daemon.ntpd.Expect("\nntpd: time \\?\\[2Jset\n");
  assert_int_equal(daemon.ntpd.Wait(), 0);
}

void AClockThatCouldNotBeSetIsAFailure(void**) {
  Site site;
  Running daemon(site, {"-d", "-q"}, Ntpd::SystemClock::kAskedFor);
  site.Script("quit done");
  daemon.ntpd.Expect("\nntpd: time \\?\\[2Jset \\(no right to set it\\)\n");
  assert_int_equal(daemon.ntpd.Wait(), 1);
}

void ARoleThatHangsAtTheStartEndsTheStart(void**) {
  Site site;
  site.Script("keys-hang");
  Ntpd ntpd(site, {"-n", "-d", "--ready-timeout=0.3"});
  ntpd.Expect("ntpd-keys is not ready after [0-9.]+ s: killed");
  assert_int_equal(ntpd.Wait(), 1);
}

void ARoleThatHangsLaterIsStartedAgain(void**) {
  Site site;
  Running daemon(site, {"-n", "-d", "--ready-timeout=3"});
  site.Script("keys-hang");
  kill(daemon.keys, SIGKILL);
  daemon.ntpd.Expect("ntpd-keys is not ready after [0-9.]+ s: killed");
  site.Script("");
  daemon.ntpd.Expect("ntpd-keys: starting again in");
  daemon.ntpd.Expect("ntpd-keys ready");
}

void TheParentTellsWhetherTheDaemonStarted(void**) {
  Site site;
  Ntpd good(site, {"-p", site.Path("state/pid"), "-l", site.Path("state/log")});
  assert_int_equal(good.Wait(), 0);
  std::ifstream pid_file(site.Path("state/pid"));
  pid_t pid = 0;
  assert_true(static_cast<bool>(pid_file >> pid));
  // Nobody holds the terminal any more: the end of file comes.
  good.Rest(300);
  kill(pid, SIGTERM);
  site.Script("keys-fail");
  Ntpd bad(site, {"-l", site.Path("state/log2")});
  assert_int_equal(bad.Wait(), 1);
}

void KillingTheSupervisorEndsItsRoles(void**) {
  Site site;
  Running daemon(site);
  daemon.ntpd.Send(SIGKILL);
  (void)daemon.ntpd.Wait();
  for (int i = 0; i < 100 && kill(daemon.clock, 0) == 0; ++i) usleep(20000);
  for (int i = 0; i < 100 && kill(daemon.resolve, 0) == 0; ++i) usleep(20000);
  assert_int_equal(kill(daemon.clock, 0), -1);
  assert_int_equal(kill(daemon.resolve, 0), -1);
  // The stand-ins have no cage, and so no death with their parent.
  kill(daemon.net, SIGKILL);
  kill(daemon.keys, SIGKILL);
}

void ACrashedSupervisorGetsNoSecondFirstStep(void**) {
  Site site;
  setenv("RUNTIME_DIRECTORY", site.Path("state").c_str(), 1);
  const std::string marker = site.Path("state/first-step-done");
  {
    Running daemon(site, {"-n", "-d", "-g"});
    assert_false(fs::exists(marker));
    site.Script("step 5000");
    daemon.ntpd.Expect("clock request=77 refusal=0 correction=5000");
    for (int i = 0; i < 100 && !fs::exists(marker); ++i) usleep(20000);
    assert_true(fs::exists(marker));
    daemon.ntpd.Send(SIGKILL);
    (void)daemon.ntpd.Wait();
    kill(daemon.net, SIGKILL);
    kill(daemon.keys, SIGKILL);
  }
  Running again(site, {"-n", "-d", "-g"});
  assert_true(again.ntpd.text().find("-g is ignored") != std::string::npos);
  assert_true(again.ntpd.text().find("gate=shut") != std::string::npos);
  site.Script("step 6000");
  again.ntpd.Expect("clock request=77 refusal=3 correction=0");
  again.ntpd.Send(SIGTERM);
  assert_int_equal(again.ntpd.Wait(), 0);
  assert_false(fs::exists(marker));
  Running third(site, {"-n", "-d", "-g"});
  assert_true(third.ntpd.text().find("gate=open") != std::string::npos);
}

// A daemon whose supervisor dies once it has kept something in `file`.
void RunUntilCrash(Site& site, const std::string& file) {
  Running daemon(site);
  for (int i = 0; i < 250 && !fs::exists(file); ++i) usleep(20000);
  assert_true(fs::exists(file));
  daemon.ntpd.Send(SIGKILL);
  (void)daemon.ntpd.Wait();
  kill(daemon.net, SIGKILL);
  kill(daemon.keys, SIGKILL);
}

// Keys that were revoked must not come back because the supervisor died.
void ACrashedSupervisorKeepsWhatCommandsDid(void**) {
  Site site;
  setenv("RUNTIME_DIRECTORY", site.Path("state").c_str(), 1);
  const std::string file = site.Path("state/trusted-keys");
  site.Script("keys-command");
  RunUntilCrash(site, file);
  site.Script("");
  {
    Running panics(site);
    site.Script("quit panic");
    assert_int_equal(panics.ntpd.Wait(), 255);
    assert_true(fs::exists(file));
    site.Script("");
  }
  Running again(site);
  assert_true(again.ntpd.text().find("what commands said of 2 keys holds on") != std::string::npos);
  assert_true(again.ntpd.text().find("kept=5+6-.") != std::string::npos);
  again.ntpd.Send(SIGTERM);
  assert_int_equal(again.ntpd.Wait(), 0);
  assert_false(fs::exists(file));
  Running third(site);
  assert_true(third.ntpd.text().find("kept=.") != std::string::npos);
}

// Nor may what a line of configuration has changed.
void ACrashedSupervisorKeepsLinesOfConfiguration(void**) {
  Site site;
  setenv("RUNTIME_DIRECTORY", site.Path("state").c_str(), 1);
  const std::string file = site.Path("state/config-lines");
  site.Script("keys-line");
  RunUntilCrash(site, file);
  site.Script("");
  Running again(site);
  assert_true(again.ntpd.text().find("1 lines that ntpq gave stay in force") != std::string::npos);
  assert_true(again.ntpd.text().find("fake net: line unconfig 4711 of ntp.example") !=
              std::string::npos);
  again.ntpd.Send(SIGTERM);
  assert_int_equal(again.ntpd.Wait(), 0);
  assert_false(fs::exists(file));
}

// ntpd-net asked for it, and its successor had been told all that was kept when ntpd-keys agreed.
void ALineThatComesAfterTheDeathOfNetReachesItsSuccessor(void**) {
  Site site;
  Running daemon(site);
  site.Script("keys-line");
  kill(daemon.net, SIGKILL);
  daemon.ntpd.Expect("fake net: associations=");
  kill(daemon.keys, SIGKILL);
  daemon.ntpd.Expect("fake net: line unconfig 4711 of ntp.example");
  daemon.ntpd.Expect("fake net: associations=");
  assert_true(daemon.ntpd.text().find("malformed") == std::string::npos);
  daemon.ntpd.Send(SIGTERM);
  assert_int_equal(daemon.ntpd.Wait(), 0);
}

int ForgetRuntimeDirectory(void**) { return unsetenv("RUNTIME_DIRECTORY"); }

}  // namespace
}  // namespace ntpward

int main(int argc, char** argv) {
  using namespace ntpward;
  test::RunFakeRole(argc, argv);
  const CMUnitTest tests[] = {
      cmocka_unit_test(StartsAllRolesAndEndsOnSigterm),
      cmocka_unit_test(EachRoleComesBackAfterKill9),
      cmocka_unit_test(GateStaysShutAndTheVirtualClockGoesOnAfterRestarts),
      cmocka_unit_test(NonsenseToTheClockKillsNetOnce),
      cmocka_unit_test(NonsenseToTheSupervisorEndsTheConversation),
      cmocka_unit_test(AnAccusationThatCannotBeIsNonsense),
      cmocka_unit_test(ARoleThatClosesItsChannelIsReplaced),
      cmocka_unit_test(LastWordsOnStandardErrorAreLogged),
      cmocka_unit_test(AFloodIsBoundedAndTheOthersAreHeard),
      cmocka_unit_test(StatisticsGoToTheFilesOfTodayOnly),
      cmocka_unit_test(ALargeConfigurationArrivesWhole),
      cmocka_unit_test(AStartSaysLoudlyWhichLinesItLeavesOut),
      cmocka_unit_test(AReloadReplacesTheKeyProcess),
      cmocka_unit_test(CommandsOutliveTheKeyProcess),
      cmocka_unit_test(AReloadChangesWhatEachInterfaceIsFor),
      cmocka_unit_test(AReloadTellsNetWhetherItsKeysGoOn),
      cmocka_unit_test(AReloadGivesTheClockItsNewLimits),
      cmocka_unit_test(ARefusedReloadChangesNothing),
      cmocka_unit_test(QuitPrintsAndEndsWithTheStatusOfItsReason),
      cmocka_unit_test(OnlyAPanicEndsTheDaemonWithoutQuit),
      cmocka_unit_test(WithoutAPanicLimitNothingOfNetEndsTheDaemon),
      cmocka_unit_test(AMeasurementThatWasAskedForIsASuccess),
      cmocka_unit_test(AClockThatCouldNotBeSetIsAFailure),
      cmocka_unit_test(ARoleThatHangsAtTheStartEndsTheStart),
      cmocka_unit_test(ARoleThatHangsLaterIsStartedAgain),
      cmocka_unit_test(TheParentTellsWhetherTheDaemonStarted),
      cmocka_unit_test(KillingTheSupervisorEndsItsRoles),
      cmocka_unit_test_teardown(ACrashedSupervisorGetsNoSecondFirstStep, ForgetRuntimeDirectory),
      cmocka_unit_test_teardown(ACrashedSupervisorKeepsWhatCommandsDid, ForgetRuntimeDirectory),
      cmocka_unit_test_teardown(ACrashedSupervisorKeepsLinesOfConfiguration,
                                ForgetRuntimeDirectory),
      cmocka_unit_test(ALineThatComesAfterTheDeathOfNetReachesItsSuccessor),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
