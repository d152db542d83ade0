// What the supervisor does when a role dies, hangs, misbehaves or says too much.
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "tests/supervisor/daemon_site.h"
#include "tests/supervisor/fake_roles.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward {
namespace {

namespace fs = std::filesystem;
using namespace ntpward::test;

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

// What it has spent it said before net had its answer: a false accusation must not undo it.
void AnAccusedClockForgetsNothingThatItSpent(void**) {
  Site site;
  Running daemon(site);
  usleep(600000);
  site.Script("step-and-accuse");
  daemon.ntpd.Expect("ntpd-clock sent ntpd-net a message");
  daemon.ntpd.Expect("clock request=0 refusal=0 correction=900");
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
  assert_true(floods < 600);  // of 3000
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

void ADeadNetsSocketsAreNotHandedOn(void**) {
  Site site;
  Running daemon(site);
  daemon.ntpd.Expect("socket 0 \\[?::");
  daemon.ntpd.Expect("socket 1 0.0.0.0");
  site.Script("spoil-sockets");
  daemon.ntpd.Expect("ntpd-net .* exited with status 1");
  const std::string lines = daemon.ntpd.Expect("socket 0 [^\n]*\n[^\n]*socket 1 [^\n]*\n");
  assert_true(lines.find("spoilt") == std::string::npos);
  // What waits for its start is not mistaken for a stranger's.
  assert_true(daemon.ntpd.text().find("unable to bind") == std::string::npos);
}

void APortThatIsTakenMeanwhileEndsNothing(void**) {
  Site site;
  Running daemon(site);
  daemon.ntpd.Expect("socket 1 0.0.0.0");
  site.Script("leave-sockets");
  daemon.ntpd.Expect("unable to bind to 0.0.0.0:123");
  daemon.ntpd.Expect("does not listen wherever it should: trying again in 1 s");
  daemon.ntpd.Expect("ntpd-net ready");
  site.Script("release");
  daemon.ntpd.Expect("Listen normally on 3 v4wildcard");
  daemon.ntpd.Expect("fake net: socket 3 0.0.0.0:123\n");
}

}  // namespace
}  // namespace ntpward

int main(int argc, char** argv) {
  using namespace ntpward;
  test::RunFakeRole(argc, argv);
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachRoleComesBackAfterKill9),
      cmocka_unit_test(GateStaysShutAndTheVirtualClockGoesOnAfterRestarts),
      cmocka_unit_test(NonsenseToTheClockKillsNetOnce),
      cmocka_unit_test(AnAccusedClockForgetsNothingThatItSpent),
      cmocka_unit_test(NonsenseToTheSupervisorEndsTheConversation),
      cmocka_unit_test(AnAccusationThatCannotBeIsNonsense),
      cmocka_unit_test(ARoleThatClosesItsChannelIsReplaced),
      cmocka_unit_test(LastWordsOnStandardErrorAreLogged),
      cmocka_unit_test(AFloodIsBoundedAndTheOthersAreHeard),
      cmocka_unit_test(StatisticsGoToTheFilesOfTodayOnly),
      cmocka_unit_test(ARoleThatHangsLaterIsStartedAgain),
      cmocka_unit_test(ADeadNetsSocketsAreNotHandedOn),
      cmocka_unit_test(APortThatIsTakenMeanwhileEndsNothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
