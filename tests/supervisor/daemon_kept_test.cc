// What outlives the death of a role and of the supervisor: what commands and lines of configuration
// have changed, and that the first step was made.
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/supervisor/daemon_site.h"
#include "tests/supervisor/fake_roles.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

namespace fs = std::filesystem;
using namespace ntpward::test;

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
    daemon.Crash();
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
  daemon.Crash();
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
      cmocka_unit_test(CommandsOutliveTheKeyProcess),
      cmocka_unit_test_teardown(ACrashedSupervisorGetsNoSecondFirstStep, ForgetRuntimeDirectory),
      cmocka_unit_test_teardown(ACrashedSupervisorKeepsWhatCommandsDid, ForgetRuntimeDirectory),
      cmocka_unit_test_teardown(ACrashedSupervisorKeepsLinesOfConfiguration,
                                ForgetRuntimeDirectory),
      cmocka_unit_test(ALineThatComesAfterTheDeathOfNetReachesItsSuccessor),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
