// Our text for the reference daemons' answers is the reference ntpq's text, to the byte.
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <regex>
#include <set>

#include "ntpq/command.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

constexpr const char* kOurCommands = "commands of ntpward's ntpq:\n";

// The version is our own, and so are the commands behind those of the reference, and two key types.
void PutOursInto(Recording& recording, const Played& played) {
  const std::string_view types = "SHA1, SHAKE128\n";
  if (const size_t at = recording.out.find(types); at != std::string::npos)
    recording.out.replace(at, types.size(), "SHA1, SHA256, SHAKE128, DES\n");
  const std::string version = "ntpq 4.2.8p18-o Sat Nov 21 23:27:52 UTC 2026 (1)";
  if (const size_t at = recording.out.find(version); at != std::string::npos)
    recording.out.replace(at, version.size(), VersionText());
  if (recording.name == "help")
    recording.out += played.out.substr(std::min(played.out.find(kOurCommands), played.out.size()));
}

void AgreesInRequests(const Recording& recording, const Played& played) {
  assert_string_equal(played.mismatch.c_str(), "");
  assert_int_equal(played.asked, recording.exchanges.size());
}

void PrintsWhatTheReferencePrints(void** state) {
  Recording recording = *static_cast<const Recording*>(*state);
  const Played played = Play(recording, {"--signs", "--no-nonce"});
  AgreesInRequests(recording, played);
  PutOursInto(recording, played);
  assert_string_equal(played.out.c_str(), recording.out.c_str());
  assert_string_equal(played.err.c_str(), recording.err.c_str());
  assert_int_equal(played.exit_status, recording.exit_status);
}

// --- ntpq 4.2.6

// Where the reference's own text changed between 4.2.6 and 4.2.8 ours is that of 4.2.8. Each rule
// turns what 4.2.6 printed into it, or takes out of both what cannot be turned.
struct Rule {
  const char* what;
  const char* pattern;
  const char* replacement;
  bool both = false;
};
constexpr Rule kChanges[] = {
    {"4.2.8 separates the outputs of several commands", "\n\n+", "\n", true},
    {"4.2.6 begins the table of associations with an empty line", "^\n", "", true},
    {"so that items are compared, not where lines end: shorter values wrap elsewhere", ",\n", ", ",
     true},
    {"a word was corrected", "outlyer", "outlier"},
    {"a word became longer", "bcst", "bcast"},
    {"a time that is not known is not shown as a date",
     "00000000\\.00000000  Mon, Jan  1 1900  0:00:00\\.000", "(no time)"},
    {"a clock's status begins with its events", "(status=0000) , no", "$1 no"},
    {"a clock's reference identifier is text, though sent as an address", "refid=76\\.79\\.67\\.76",
     "refid=LOCL"},
    {"bad_auth became an event with a name", "(ok|bad)( +(?:reject|insane) )            ( ?[0-9])",
     "$1$2   bad_auth $3"},
    {"the type of an association comes from its mode, not from the local address",
     "( [0-9]+) [uslBbSMap] ", "$1 ? ", true},
    {"session keys are shown as they are sent, in hexadecimal", "keyid=(398663140)",
     "keyid=0x17c31de4"},
    {"numbers are shown as they are sent, not rounded anew", "=(?:-0\\.000|0\\.000000)([,\n])",
     "=0.000$1", true},
    {"an item without a value keeps its sign of equality", "\n(srcadr|offset)(?=\n)", "\n$1="},
    {"arguments have other names", "mrv assocID assocID", "mrv assocIDlow assocIDhigh"},
};

std::string Changed(std::string text, bool reference) {
  for (const Rule& rule : kChanges)
    if (rule.both || reference)
      text = std::regex_replace(text, std::regex(rule.pattern), rule.replacement);
  return text;
}

// A pool has no address; its line has no port to ask, and 4.2.6 hides what has no port 123.
std::string WithoutPools(const std::string& text) {
  return std::regex_replace(text, std::regex("[^\n]*\\.POOL\\.[^\n]*\n"), "");
}

void PrintsWhat426PrintsButForWhatChanged(void** state) {
  const auto& recording = *static_cast<const Recording*>(*state);
  const Played played = Play(recording, {});
  AgreesInRequests(recording, played);
  const std::string ours = WithoutPools(Changed(played.out, false));
  const std::string theirs = Changed(recording.out, true);
  assert_string_equal(ours.c_str(), theirs.c_str());
  assert_string_equal(Changed(played.err, false).c_str(), Changed(recording.err, true).c_str());
}

// A rule that nothing needs hides what it should not.
void NeedsEachRule(void**) {
  std::set<const char*> needed;
  for (const char* file : {"by-4.2.6-to-4.2.6", "by-4.2.6-to-4.2.8"})
    for (const Recording& recording : Recording::LoadAll(file))
      for (const Rule& rule : kChanges) {
        const std::string text =
            recording.out + recording.err + (rule.both ? Play(recording, {}).out : "");
        if (std::regex_search(text, std::regex(rule.pattern))) needed.insert(rule.pattern);
      }
  assert_int_equal(needed.size(), std::size(kChanges));
}

// --- what is ours

void HelpListsOurCommandsBehindTheReferences(void**) {
  const Recording recording = Recording::Load("to-4.2.8-help");
  const std::string out = Play(recording, {}).out;
  assert_true(out.starts_with(recording.out));
  assert_true(out.substr(recording.out.size()).starts_with(kOurCommands));
  assert_true(out.find("why ", recording.out.size()) != std::string::npos);
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

// A command that no recording shows is not known to look right.
void HasARecordingOfEveryCommand(void**) {
  std::string lines;
  for (const char* file : {"to-4.2.8", "to-4.2.6"})
    for (const Recording& recording : Recording::LoadAll(file))
      for (const std::string& argument : recording.arguments) lines += "\n" + argument + " ";
  for (const Command* command : AllCommands()) {
    // Long names of what is recorded by its short one, and what prints nothing.
    const std::set<std::string_view> same = {"lpassociations", "readvar",   "readlist",
                                             "clockvar",       "clocklist", "mreadvar",
                                             "mreadlist",      "quit",      "exit"};
    if (command->own || same.contains(command->name)) continue;
    if (lines.find("\n" + std::string(command->name) + " ") == std::string::npos)
      fail_msg("no recording of %s", std::string(command->name).c_str());
  }
}

int SetZone(void**) {
  setenv("TZ", "UTC", 1);
  tzset();
  return 0;
}

// Named after the claim and the recording; all must outlive the run.
struct Suite {
  std::vector<Recording> recordings;
  std::vector<std::string> names;
  std::vector<CMUnitTest> tests;

  void Add(const char* file, const char* claim, CMUnitTestFunction test) {
    for (Recording& recording : Recording::LoadAll(file)) {
      names.push_back(std::string(claim) + " " + file + "-" + recording.name);
      recordings.push_back(std::move(recording));
      tests.push_back({nullptr, test, nullptr, nullptr, nullptr});
    }
  }
  void Point() {
    for (size_t i = 0; i < tests.size(); ++i) {
      tests[i].name = names[i].c_str();
      tests[i].initial_state = &recordings[i];
    }
  }
};

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  Suite suite;
  for (const char* file : {"to-4.2.8", "to-4.2.6", "errors"})
    suite.Add(file, "PrintsWhatTheReferencePrints", PrintsWhatTheReferencePrints);
  for (const char* file : {"by-4.2.6-to-4.2.6", "by-4.2.6-to-4.2.8"})
    suite.Add(file, "PrintsWhat426PrintsButForWhatChanged", PrintsWhat426PrintsButForWhatChanged);
  suite.Point();
  const CMUnitTest ours[] = {
      cmocka_unit_test(NeedsEachRule),
      cmocka_unit_test(HelpListsOurCommandsBehindTheReferences),
      cmocka_unit_test(LeavesOutPlusSignsByDefault),
      cmocka_unit_test(HasARecordingOfEveryCommand),
  };
  suite.tests.insert(suite.tests.end(), std::begin(ours), std::end(ours));
  return _cmocka_run_group_tests("recorded_output", suite.tests.data(), suite.tests.size(), SetZone,
                                 nullptr);
}
