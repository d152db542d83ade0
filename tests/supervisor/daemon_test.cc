// The whole supervisor with ntpd-clock and ntpd-resolve as they are, and with stand-ins for the
// other two: how it starts and how it ends.
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <regex>

#include "tests/supervisor/daemon_site.h"
#include "tests/supervisor/fake_roles.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

using namespace ntpward::test;

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

// Before it handles them, too.
void ASignalAtTheStartEndsItInOrder(void**) {
  Site site;
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT}) {
    Ntpd ntpd(site, {"-n", "-d"});
    ntpd.Expect("Starting");
    ntpd.Send(signal);
    assert_int_equal(ntpd.Wait(), 0);
    assert_true(ntpd.text().find("exiting on signal") != std::string::npos);
  }
}

void ASighupAtTheStartIsDoneAfterIt(void**) {
  Site site;
  Ntpd ntpd(site, {"-n", "-d"});
  ntpd.Expect("Starting");
  ntpd.Send(SIGHUP);
  ntpd.Expect("ntpd-net ready");
  ntpd.Expect("reloading ");
  ntpd.Send(SIGTERM);
  assert_int_equal(ntpd.Wait(), 0);
}

void ASignalThatEndsQIsAFailure(void**) {
  Site site;
  Running daemon(site, {"-d", "-q"});
  daemon.ntpd.Send(SIGTERM);
  assert_int_equal(daemon.ntpd.Wait(), 1);
}

void QuitPrintsAndEndsWithTheStatusOfItsReason(void**) {
  Site site;
  Running daemon(site, {"-d", "-q"});
  site.Script("quit failed");
  daemon.ntpd.Expect("\nntpd: time \\?\\[2Jset\n");
  assert_int_equal(daemon.ntpd.Wait(), 1);
}

// kConfig names no drift file, beside which a successor would be told.
void QuitWaitsForTheServersSakeAndNotAgainstASignal(void**) {
  const auto log_of = [](const char* script, int signal) {
    Site site;
    Running daemon(site, {"-d", "-q"});
    if (script != nullptr) site.Script(script);
    if (signal != 0) daemon.ntpd.Send(signal);
    (void)daemon.ntpd.Wait();
    return daemon.ntpd.text();
  };
  assert_true(log_of("quit done", 0).find("so that servers which") != std::string::npos);
  assert_true(log_of("quit failed", 0).find("so that servers which") != std::string::npos);
  assert_true(log_of("quit unheard", 0).find("so that servers which") == std::string::npos);
  for (const int signal : {SIGTERM, SIGINT}) {
    const std::string log = log_of(nullptr, signal);
    assert_true(log.find("exiting on signal " + std::to_string(signal)) != std::string::npos);
    assert_true(log.find("so that servers which") == std::string::npos);
  }
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

void SigusrChangesTheDebugLevel(void**) {
  Site site;
  Running daemon(site);
  for (int i = 0; i < 2; ++i) {
    daemon.ntpd.Send(SIGUSR2);
    daemon.ntpd.Expect("debug lowered to 0\n");
  }
  site.Script("debug first");
  daemon.ntpd.Expect("fake net: said debug first");
  assert_true(daemon.ntpd.text().find("of debugging") == std::string::npos);
  daemon.ntpd.Send(SIGUSR1);
  daemon.ntpd.Expect("debug raised to 1\n");
  site.Script("debug second");
  daemon.ntpd.Expect("fake net: of debugging\n");
  daemon.ntpd.Send(SIGTERM);
  assert_int_equal(daemon.ntpd.Wait(), 0);
}

void StraySignalsEndNobody(void**) {
  Site site;
  Running daemon(site);
  for (const int number :
       {SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGPIPE, SIGXFSZ, SIGRTMIN, SIGRTMAX}) {
    daemon.ntpd.Send(number);
    assert_int_equal(kill(daemon.clock, number), 0);
  }
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT, SIGTERM})
    assert_int_equal(kill(daemon.clock, number), 0);
  daemon.ntpd.Send(SIGUSR1);
  daemon.ntpd.Expect("debug raised to 2\n");
  daemon.ntpd.Send(SIGTERM);
  assert_int_equal(daemon.ntpd.Wait(), 0);
  assert_true(daemon.ntpd.text().find("killed by signal") == std::string::npos);
}

void KillingTheSupervisorEndsItsRoles(void**) {
  Site site;
  Running daemon(site);
  daemon.Crash();
  for (int i = 0; i < 100 && kill(daemon.clock, 0) == 0; ++i) usleep(20000);
  for (int i = 0; i < 100 && kill(daemon.resolve, 0) == 0; ++i) usleep(20000);
  assert_int_equal(kill(daemon.clock, 0), -1);
  assert_int_equal(kill(daemon.resolve, 0), -1);
}

}  // namespace
}  // namespace ntpward

int main(int argc, char** argv) {
  using namespace ntpward;
  test::RunFakeRole(argc, argv);
  const CMUnitTest tests[] = {
      cmocka_unit_test(StartsAllRolesAndEndsOnSigterm),
      cmocka_unit_test(ALargeConfigurationArrivesWhole),
      cmocka_unit_test(AStartSaysLoudlyWhichLinesItLeavesOut),
      cmocka_unit_test(ASignalAtTheStartEndsItInOrder),
      cmocka_unit_test(ASighupAtTheStartIsDoneAfterIt),
      cmocka_unit_test(ASignalThatEndsQIsAFailure),
      cmocka_unit_test(QuitPrintsAndEndsWithTheStatusOfItsReason),
      cmocka_unit_test(QuitWaitsForTheServersSakeAndNotAgainstASignal),
      cmocka_unit_test(OnlyAPanicEndsTheDaemonWithoutQuit),
      cmocka_unit_test(WithoutAPanicLimitNothingOfNetEndsTheDaemon),
      cmocka_unit_test(AMeasurementThatWasAskedForIsASuccess),
      cmocka_unit_test(AClockThatCouldNotBeSetIsAFailure),
      cmocka_unit_test(ARoleThatHangsAtTheStartEndsTheStart),
      cmocka_unit_test(TheParentTellsWhetherTheDaemonStarted),
      cmocka_unit_test(SigusrChangesTheDebugLevel),
      cmocka_unit_test(StraySignalsEndNobody),
      cmocka_unit_test(KillingTheSupervisorEndsItsRoles),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
