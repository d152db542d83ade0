// What `ntpq --json` says of recorded answers.
#include "ntpq/command.h"
#include "ntpq/options.h"
#include "tests/ntpq/json.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

struct Bench {
  explicit Bench(const std::string& name = "") {
    if (!name.empty()) recording = Recording::Load(name);
    platform.now = recording.start;
    Settings settings;
    settings.json = true;
    session.settings = settings;
    session.OpenHost("10.77.0.2", Family::kNone);
  }

  // The document that a line makes.
  Json Run(const std::string& line) {
    platform.out.clear();
    platform.err.clear();
    RunLine(session, line);
    assert_true(platform.out.ends_with('\n'));
    const auto value = Json::Parse(platform.out);
    if (!value) print_error("not JSON: %s\n", platform.out.c_str());
    assert_true(value.has_value());
    return *value;
  }

  Recording recording;
  RecordingPlatform platform;
  RecordedNetwork network{recording, platform};
  RecordedNames names;
  Session session{platform, network, names, Settings{}};
};

#define EXPECT(document, path, expected) \
  assert_string_equal((document).At(path).Shown().c_str(), expected)

void SaysWhoWasAskedAndWhen(void**) {
  Bench bench("to-4.2.8-as");
  const Json document = bench.Run("as");
  EXPECT(document, "command", "associations");
  EXPECT(document, "host", "10.77.0.2");
  EXPECT(document, "address", "127.0.0.1");
  assert_true(document.At("time").text.ends_with("Z"));
  EXPECT(document, "error", "null");
  EXPECT(document, "warnings", "[...]");
  assert_int_equal(bench.session.exit_status, 0);
}

void TakesStatusWordsApart(void**) {
  Bench bench("to-4.2.8-as");
  const Json first = bench.Run("as").At("result.associations.0");
  EXPECT(first, "index", "1");
  EXPECT(first, "assid", "35381");
  EXPECT(first, "status.hex", "c011");
  EXPECT(first, "status.word", "49169");
  EXPECT(first, "status.configured", "true");
  EXPECT(first, "status.auth_enabled", "true");
  EXPECT(first, "status.authentic", "false");
  EXPECT(first, "status.selection.code", "0");
  EXPECT(first, "status.selection.name", "sel_reject");
  EXPECT(first, "status.last_event.name", "mobilize");
}

void ShowsWhatTheBillboardShows(void**) {
  Bench bench("to-4.2.8-peers");
  const Json first = bench.Run("peers").At("result.peers.0");
  EXPECT(first, "assid", "35381");
  EXPECT(first, "tally", " ");
  EXPECT(first, "remote", "10.77.0.12");
  EXPECT(first, "name", "ntp2.lab.example");
  EXPECT(first, "refid", "INIT");
  EXPECT(first, "when_s", "null");
  EXPECT(first, "poll_s", "16");
  EXPECT(first, "dispersion_ms", "15937.5");
  EXPECT(first, "flash.code", "5632");
  EXPECT(first, "flash.names.1", "peer_dist");
}

void KeepsNumbersExactAndTimesTwice(void**) {
  Bench bench("to-4.2.8-rv");
  const Json result = bench.Run("rv").At("result");
  EXPECT(result, "assid", "0");
  EXPECT(result, "status.source.name", "sync_ntp");
  const Json variables = result.At("variables");
  EXPECT(variables, "stratum", "7");
  EXPECT(variables, "rootdelay", "0.045");
  assert_true(variables.At("rootdelay").kind == Json::Kind::kNumber);
  EXPECT(variables, "leap.name", "leap_none");
  EXPECT(variables, "refid", "10.77.0.15");
  EXPECT(variables, "reftime.ntp", "0xeeacac82.601ea377");
  EXPECT(variables, "reftime.time", "2026-11-21T23:49:22.375467506Z");
  EXPECT(variables, "processor", "x86_64");
  EXPECT(variables, "cert.0", "client server 0x4");
  EXPECT(variables, "update.time", "2026-11-21T23:46:00Z");
}

void SaysWhatTheServerRefused(void**) {
  Bench bench("to-4.2.8-rv0-unknown");
  const Json document = bench.Run("rv 0 nosuchvar");
  EXPECT(document, "result", "null");
  EXPECT(document, "error.kind", "refused");
  EXPECT(document, "error.code.code", "5");
  EXPECT(document, "error.code.name", "unknown_variable");
  assert_int_equal(bench.session.exit_status, 2);
  assert_string_equal(bench.platform.err.c_str(), "");
}

void SaysWhenNothingCame(void**) {
  Bench bench;
  const Json document = bench.Run("rv");
  EXPECT(document, "result", "null");
  EXPECT(document, "error.kind", "timeout");
  EXPECT(document, "error.text", "Request timed out");
}

void SaysWhatIsNoCommand(void**) {
  Bench bench;
  EXPECT(bench.Run("frobnicate"), "error.kind", "usage");
  EXPECT(bench.Run("frobnicate"), "command", "frobnicate");
  EXPECT(bench.Run("pstats"), "error.kind", "usage");
  EXPECT(bench.Run("rv 99999"), "error.text", "Invalid association ID 99999 specified");
}

void WritesOneDocumentForAHostThatIsNone(void**) {
  Bench bench;
  bench.platform.out.clear();
  RunBatch(bench.session, {{"nowhere", Family::kNone}}, {"rv", "peers"});
  const auto document = Json::Parse(bench.platform.out);
  assert_true(document.has_value());
  EXPECT(*document, "command", "host");
  EXPECT(*document, "host", "nowhere");
  EXPECT(*document, "error.kind", "host");
}

void RedirectsTheDocument(void**) {
  Bench bench("to-4.2.8-as");
  RunLine(bench.session, "as > list");
  assert_string_equal(bench.platform.out.c_str(), "");
  const auto document = Json::Parse(bench.platform.files["list"]);
  assert_true(document.has_value());
  EXPECT(*document, "command", "associations");
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SaysWhoWasAskedAndWhen),
      cmocka_unit_test(TakesStatusWordsApart),
      cmocka_unit_test(ShowsWhatTheBillboardShows),
      cmocka_unit_test(KeepsNumbersExactAndTimesTwice),
      cmocka_unit_test(SaysWhatTheServerRefused),
      cmocka_unit_test(SaysWhenNothingCame),
      cmocka_unit_test(SaysWhatIsNoCommand),
      cmocka_unit_test(WritesOneDocumentForAHostThatIsNone),
      cmocka_unit_test(RedirectsTheDocument),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
