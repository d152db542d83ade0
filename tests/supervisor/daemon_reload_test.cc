// What a reload may change, and what it leaves alone.
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "tests/supervisor/daemon_site.h"
#include "tests/supervisor/fake_roles.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

using namespace ntpward::test;

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

void AReloadChangesWhatEachInterfaceIsFor(void**) {
  Site site;
  site.Configure(std::string(kConfig) + "interface listen 127.0.0.1\ninterface ignore ipv6\n");
  Running daemon(site);
  daemon.ntpd.Expect("fake net: socket 0 127.0.0.1:123\n");
  site.Configure(std::string(kConfig) +
                 "interface drop ipv4\ninterface ignore ipv6\ntos minclock 5\n");
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

void ALeapFileThatWasDamagedSinceKeepsOutNoReload(void**) {
  Site site;
  const std::string configuration = std::string(kConfig) + "leapfile " + site.Path("leap") + "\n";
  site.Configure(configuration);
  Running daemon(site);
  std::ofstream(site.Path("leap")) << "no table\n";
  site.Configure(configuration + "tos minclock 5\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("the leap second file is not used\n");
  daemon.ntpd.Expect("minclock=5\n");
}

void ARefusedReloadChangesNothing(void**) {
  Site site;
  Running daemon(site);
  site.Script("keys-fail");
  site.Configure("restrict default ignore\nserver 192.0.2.9\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("fake keys: wrong password");
  daemon.ntpd.Expect("reload refused: ntpd-keys cannot use the new key files; nothing changed");
  site.Configure("server 192.0.2.1 nonsense\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("reload refused: the configuration has errors");
  site.Configure(std::string(kConfig) + "driftfile /tmp/elsewhere/drift\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("reload refused: restart needed: /tmp/elsewhere is a new directory");
  // ntpd-keys is not asked what it thinks of a file that it cannot be given.
  site.Configure(std::string(kConfig) + "keys " + site.Path("state") + "\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("reload refused: .*state: is a directory; nothing changed");
  // What a start would leave out, a reload refuses.
  site.Configure(std::string(kConfig) + "broadcast time.example\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("ntp.conf:3:11: error: expected a numeric address after 'broadcast'\n");
  daemon.ntpd.Expect("reload refused: the configuration has errors");
  site.Configure(std::string(kConfig) + "leapfile " + site.Path("script") + "\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("reload refused: the leap second file cannot be used");
  site.Configure(std::string(kConfig) + "interface ignore ipv4\ninterface ignore ipv6\n");
  daemon.ntpd.Send(SIGHUP);
  daemon.ntpd.Expect("reload refused: no address to listen on");
  assert_true(daemon.ntpd.Rest(300).find("fake net") == std::string::npos);
  for (const pid_t pid : {daemon.net, daemon.keys, daemon.clock, daemon.resolve})
    assert_int_equal(kill(pid, 0), 0);
}

}  // namespace
}  // namespace ntpward

int main(int argc, char** argv) {
  using namespace ntpward;
  test::RunFakeRole(argc, argv);
  const CMUnitTest tests[] = {
      cmocka_unit_test(AReloadReplacesTheKeyProcess),
      cmocka_unit_test(AReloadChangesWhatEachInterfaceIsFor),
      cmocka_unit_test(AReloadTellsNetWhetherItsKeysGoOn),
      cmocka_unit_test(AReloadGivesTheClockItsNewLimits),
      cmocka_unit_test(ALeapFileThatWasDamagedSinceKeepsOutNoReload),
      cmocka_unit_test(ARefusedReloadChangesNothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
