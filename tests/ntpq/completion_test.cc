// What TAB adds.
#include "ntpq/completion.h"

#include <algorithm>

#include "ntpq/command.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

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
    size_t known = 0;
    for (size_t start = 0; start < names.size(); ++known) {
      const size_t end = std::min(names.find(',', start), names.size());
      assert_true(bench.Offers(list.command, names.substr(start, end - start)));
      start = end + 1;
    }
    assert_true(known >= 14);
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
      cmocka_unit_test(KnowsEveryVariableThatTheReferenceLists),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
