// What TAB adds.
#include "ntpq/completion.h"

#include <algorithm>

#include "ntpq/command.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/served_variables.h"

namespace ntpward::ntpq::test {
namespace {

struct Bench {
  Bench() {
    platform.now = recording.start;
    session.OpenHost("127.0.0.1", Family::kNone);
  }
  std::string Added(std::string_view line) { return Complete(session, line).insert; }
  size_t Choices(std::string_view line) { return Complete(session, line).choices.size(); }
  bool Offers(std::string_view line, const std::string& word) {
    const Completion completion = Complete(session, line);
    return std::find(completion.choices.begin(), completion.choices.end(), word) !=
           completion.choices.end();
  }

  Recording recording = Recording::Load("to-4.2.8-as");
  RecordingPlatform platform;
  RecordedNetwork network{recording, platform};
  RecordedNames names;
  Session session{platform, network, names, Settings{}};
};

void CompletesCommands(void**) {
  Bench bench;
  assert_string_equal(bench.Added("apee").c_str(), "rs ");
  assert_string_equal(bench.Added("  ~sysi").c_str(), "nfo ");
  assert_string_equal(bench.Added("peers").c_str(), " ");
  assert_string_equal(bench.Added("pass").c_str(), "");
  assert_int_equal(bench.Choices("pass"), 2);
  assert_int_equal(bench.Choices(""), AllCommands().size());
  assert_string_equal(bench.Added("help apee").c_str(), "rs ");
  assert_string_equal(bench.Added("nosuch").c_str(), "");
}

void CompletesVariablesOfSystemPeersAndClocks(void**) {
  Bench bench;
  assert_string_equal(bench.Added("rv 0 ss_upt").c_str(), "ime");
  assert_string_equal(bench.Added("rv 0 stratum,ss_upt").c_str(), "ime");
  assert_string_equal(bench.Added("rv 0 stratum ss_upt").c_str(), "ime");
  assert_string_equal(bench.Added("rv 7 ss_upt").c_str(), "");
  assert_string_equal(bench.Added("rv 7 srch").c_str(), "ost");
  assert_string_equal(bench.Added("cv 7 badf").c_str(), "ormat");
  assert_string_equal(bench.Added("rv 0 ss_r").c_str(), "e");
  assert_int_equal(bench.Choices("rv 0 ss_r"), 3);
  assert_string_equal(bench.Added("addvars srch").c_str(), "ost");
  assert_string_equal(bench.Added("mrv 1 2 filto").c_str(), "ffset");
}

void CompletesAssociationsOfTheListThatWasFetched(void**) {
  Bench bench;
  assert_string_equal(bench.Added("rv ").c_str(), "");
  RunLine(bench.session, "as");
  assert_string_equal(bench.Added("rv ").c_str(), "353");
  assert_int_equal(bench.Choices("rv "), 12);
  assert_string_equal(bench.Added("rv 35384").c_str(), " ");
  assert_true(bench.Offers("mrv 35384 3538", "35389"));
}

void CompletesTheWordsOfOtherArguments(void**) {
  Bench bench;
  assert_string_equal(bench.Added("hostnames y").c_str(), "es ");
  assert_string_equal(bench.Added("drefid h").c_str(), "ash ");
  assert_string_equal(bench.Added("keytype RIP").c_str(), "EMD160 ");
  assert_string_equal(bench.Added("peers ").c_str(), "-");
  assert_string_equal(bench.Added("mrulist minc").c_str(), "ount=");
  assert_string_equal(bench.Added("mrulist kod sort=addr lim").c_str(), "ited ");
  RunLine(bench.session, "addvars foo=1,fool,bar");
  assert_string_equal(bench.Added("rmvars b").c_str(), "ar");
  assert_int_equal(bench.Choices("rmvars f"), 2);
}

void AddsNothingWhereThereIsNothingToAdd(void**) {
  Bench bench;
  for (const char* line : {"keyid ", "passwd ", "sysinfo ", ":config ser", "rv 1 a b c d", "p "})
    assert_string_equal(bench.Added(line).c_str(), "");
}

// Whether all of these names, separated by commas, are offered behind `command`.
void OffersAll(Bench& bench, const std::string& command, std::string_view names) {
  size_t known = 0;
  for (; !names.empty(); ++known) {
    const size_t end = std::min(names.find(','), names.size());
    const std::string name(names.substr(0, end));
    if (!bench.Offers(command, name))
      fail_msg("%s%s is not offered", command.c_str(), name.c_str());
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  assert_true(known >= 14);
}

void KnowsEveryVariableThatOurDaemonServes(void**) {
  Bench bench;
  OffersAll(bench, "rv 0 ", ntpward::test::kSystemVariables);
  OffersAll(bench, "rv 1 ", ntpward::test::kPeerVariables);
  OffersAll(bench, "cv 0 ", ntpward::test::kClockVariables);
}

// The names that 4.2.8 lists itself.
void KnowsEveryVariableThatTheReferenceLists(void**) {
  Bench bench;
  const struct {
    const char* recording;
    const char* command;
  } lists[] = {{"to-4.2.8-rv0-varlist", "rv 0 "},
               {"to-4.2.8-rv-a1-varlist", "rv 1 "},
               {"to-4.2.8-cv-varlist", "cv 0 "}};
  for (const auto& list : lists) {
    std::string names = Recording::Load(list.recording).out;
    names = names.substr(names.find('"') + 1);
    names.resize(names.find('"'));
    OffersAll(bench, list.command, names);
  }
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(CompletesCommands),
      cmocka_unit_test(CompletesVariablesOfSystemPeersAndClocks),
      cmocka_unit_test(CompletesAssociationsOfTheListThatWasFetched),
      cmocka_unit_test(CompletesTheWordsOfOtherArguments),
      cmocka_unit_test(AddsNothingWhereThereIsNothingToAdd),
      cmocka_unit_test(KnowsEveryVariableThatOurDaemonServes),
      cmocka_unit_test(KnowsEveryVariableThatTheReferenceLists),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
