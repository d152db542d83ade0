// Our text for the reference daemons' answers is the reference ntpq's text, to the byte.
#include <stdlib.h>
#include <time.h>

#include "ntpq/command.h"
#include "ntpq/options.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

struct Run {
  std::string out;
  std::string err;
  std::string mismatch;
  size_t asked = 0;
};

Run Play(const Recording& recording, const std::vector<std::string>& extra) {
  std::vector<std::string> words = {"ntpq"};
  words.insert(words.end(), extra.begin(), extra.end());
  words.insert(words.end(), recording.arguments.begin(), recording.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const auto options = ParseOptions(static_cast<int>(words.size()), argv.data());
  assert_true(options.ok());

  RecordingPlatform platform;
  platform.now = recording.start;
  RecordedNetwork network(recording, platform);
  RecordedNames names;
  Session session(platform, network, names, options->settings);
  RunBatch(session, options->hosts, options->commands);
  return {platform.out, platform.err, network.mismatch, network.asked};
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  if (const size_t at = text.find(from); at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

void PrintsWhatTheReferencePrints(void** state) {
  const auto name = static_cast<const char*>(*state);
  const Recording recording = Recording::Load(name);
  const Run run = Play(recording, {"--signs", "--no-nonce"});
  assert_string_equal(run.mismatch.c_str(), "");
  assert_int_equal(run.asked, recording.exchanges.size());
  // The version is our own.
  const std::string out =
      Replaced(recording.out, "ntpq 4.2.8p18-o Sat Nov 21 23:27:52 UTC 2026 (1)", VersionText());
  assert_string_equal(run.out.c_str(), out.c_str());
  assert_string_equal(run.err.c_str(), recording.err.c_str());
}

void HelpListsOurCommandsBehindTheReferences(void**) {
  const Recording recording = Recording::Load("to-4.2.8-help");
  const std::string out = Play(recording, {}).out;
  assert_true(out.starts_with(recording.out));
  assert_true(out.substr(recording.out.size()).starts_with("commands of ntpward's ntpq:\nwhy "));
}

void LeavesOutPlusSignsByDefault(void**) {
  for (const char* name :
       {"to-4.2.8-peers", "to-4.2.8-rv", "to-4.2.8-rv-a1", "to-4.2.8-apeers-n"}) {
    const Recording recording = Recording::Load(name);
    const std::string plain = Play(recording, {}).out;
    const std::string with_signs = Play(recording, {"--signs"}).out;
    assert_true(with_signs.find("+0.") != std::string::npos);
    assert_true(plain.find("+0.") == std::string::npos);
  }
}

int SetZone(void**) {
  setenv("TZ", "UTC", 1);
  tzset();
  return 0;
}

#define RECORDED(name)                                                                    \
  {                                                                                       \
    "PrintsWhatTheReferencePrints " name, PrintsWhatTheReferencePrints, nullptr, nullptr, \
        const_cast<char*>(name)                                                           \
  }

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LeavesOutPlusSignsByDefault),
      cmocka_unit_test(HelpListsOurCommandsBehindTheReferences),
      RECORDED("to-4.2.6-as"),
      RECORDED("to-4.2.6-cv"),
      RECORDED("to-4.2.6-peers"),
      RECORDED("to-4.2.6-rv"),
      RECORDED("to-4.2.6-rv-a1"),
      RECORDED("to-4.2.6-rv-a9"),
      RECORDED("to-4.2.6-sysinfo"),
      RECORDED("to-4.2.8-apeers-n"),
      RECORDED("to-4.2.8-as"),
      RECORDED("to-4.2.8-as-pas-lpas"),
      RECORDED("to-4.2.8-auth-yes-rv"),
      RECORDED("to-4.2.8-authinfo"),
      RECORDED("to-4.2.8-badcmd"),
      RECORDED("to-4.2.8-cmd-redirect"),
      RECORDED("to-4.2.8-config-badkey"),
      RECORDED("to-4.2.8-config-err"),
      RECORDED("to-4.2.8-config-ok"),
      RECORDED("to-4.2.8-cv"),
      RECORDED("to-4.2.8-cv-bad"),
      RECORDED("to-4.2.8-cv-varlist"),
      RECORDED("to-4.2.8-cv0-one"),
      RECORDED("to-4.2.8-help-peers"),
      RECORDED("to-4.2.8-ifstats"),
      RECORDED("to-4.2.8-iostats"),
      RECORDED("to-4.2.8-kerninfo"),
      RECORDED("to-4.2.8-local-cmds"),
      RECORDED("to-4.2.8-lpeers-n"),
      RECORDED("to-4.2.8-monstats"),
      RECORDED("to-4.2.8-mrl"),
      RECORDED("to-4.2.8-mrulist"),
      RECORDED("to-4.2.8-mrulist-count"),
      RECORDED("to-4.2.8-mrulist-n"),
      RECORDED("to-4.2.8-mrulist-raw"),
      RECORDED("to-4.2.8-mrv-vars"),
      RECORDED("to-4.2.8-noresolve"),
      RECORDED("to-4.2.8-opeers-n"),
      RECORDED("to-4.2.8-pas-empty"),
      RECORDED("to-4.2.8-peers"),
      RECORDED("to-4.2.8-peers-wide"),
      RECORDED("to-4.2.8-pstats"),
      RECORDED("to-4.2.8-pstats-n"),
      RECORDED("to-4.2.8-raw-rv"),
      RECORDED("to-4.2.8-reslist"),
      RECORDED("to-4.2.8-rv"),
      RECORDED("to-4.2.8-rv-a1"),
      RECORDED("to-4.2.8-rv-a10"),
      RECORDED("to-4.2.8-rv-a4"),
      RECORDED("to-4.2.8-rv-a6"),
      RECORDED("to-4.2.8-rv-a7"),
      RECORDED("to-4.2.8-rv-a8"),
      RECORDED("to-4.2.8-rv-badassoc"),
      RECORDED("to-4.2.8-rv-badid"),
      RECORDED("to-4.2.8-rv-n"),
      RECORDED("to-4.2.8-rv0-args"),
      RECORDED("to-4.2.8-rv0-crypto"),
      RECORDED("to-4.2.8-rv0-leap"),
      RECORDED("to-4.2.8-rv0-oldrv"),
      RECORDED("to-4.2.8-rv0-three"),
      RECORDED("to-4.2.8-rv0-unknown"),
      RECORDED("to-4.2.8-saveconfig"),
      RECORDED("to-4.2.8-sysinfo"),
      RECORDED("to-4.2.8-sysinfo-n"),
      RECORDED("to-4.2.8-sysstats"),
      RECORDED("to-4.2.8-timerstats"),
      RECORDED("to-4.2.8-twohosts-as"),
      RECORDED("to-4.2.8-v1-as"),
      RECORDED("to-4.2.8-v4-as"),
      RECORDED("to-4.2.8-writevar"),
      RECORDED("to-4.2.8-writevar-rw"),
  };
  return cmocka_run_group_tests(tests, SetZone, nullptr);
}
