// What `ntpq --json` says of recorded answers.
#include <map>
#include <set>
#include <sstream>

#include "ntpq/command.h"
#include "ntpq/json_variables.h"
#include "ntpq/variable_forms.h"
#include "tests/ntpq/fake_server.h"
#include "tests/ntpq/json.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::ntpq::test {
namespace {

struct Bench {
  explicit Bench(const std::string& name) : Bench(Recording::Load(name)) {}
  explicit Bench(Recording played = {}) : recording(std::move(played)) {
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

// What stands at each path, as Json::Shown has it.
void Expect(const Json& document, const std::map<std::string, std::string>& members) {
  for (const auto& [path, expected] : members)
    if (const std::string shown = document.At(path).Shown(); shown != expected)
      fail_msg("%s is %s, not %s", path.c_str(), shown.c_str(), expected.c_str());
}

void SaysWhoWasAskedAndWhen(void**) {
  Bench bench("to-4.2.8-as");
  const Json document = bench.Run("as");
  Expect(document, {{"command", "associations"}, {"host", "10.77.0.2"}, {"address", "127.0.0.1"}});
  assert_true(document.At("time").text.ends_with("Z"));
  Expect(document, {{"error", "null"}, {"warnings", "[...]"}});
  assert_int_equal(bench.session.exit_status, 0);
}

void TakesStatusWordsApart(void**) {
  Bench bench("to-4.2.8-as");
  const Json first = bench.Run("as").At("result.associations.0");
  Expect(first, {{"index", "1"},
                 {"assid", "35381"},
                 {"status.hex", "c011"},
                 {"status.word", "49169"},
                 {"status.configured", "true"},
                 {"status.auth_enabled", "true"},
                 {"status.authentic", "false"},
                 {"status.selection.code", "0"},
                 {"status.selection.name", "sel_reject"},
                 {"status.last_event.name", "mobilize"}});
}

void ShowsWhatTheBillboardShows(void**) {
  Bench bench("to-4.2.8-peers");
  const Json first = bench.Run("peers").At("result.peers.0");
  Expect(first, {{"assid", "35381"},
                 {"tally", " "},
                 {"remote", "10.77.0.12"},
                 {"name", "ntp2.lab.example"},
                 {"refid", "INIT"},
                 {"when_s", "null"},
                 {"poll_s", "16"},
                 {"dispersion_ms", "15937.5"},
                 {"flash.code", "5632"},
                 {"flash.names.1", "peer_dist"}});
}

void KeepsNumbersExactAndTimesTwice(void**) {
  Bench bench("to-4.2.8-rv");
  const Json result = bench.Run("rv").At("result");
  Expect(result, {{"assid", "0"}, {"status.source.name", "sync_ntp"}});
  const Json variables = result.At("variables");
  Expect(variables, {{"stratum", "7"}, {"rootdelay", "0.045"}});
  assert_true(variables.At("rootdelay").kind == Json::Kind::kNumber);
  Expect(variables, {{"leap.name", "leap_none"},
                     {"refid", "10.77.0.15"},
                     {"reftime.ntp", "0xeeacac82.601ea377"},
                     {"reftime.time", "2026-11-21T23:49:22.375467506Z"},
                     {"processor", "x86_64"},
                     {"cert.0", "client server 0x4"},
                     {"update.time", "2026-11-21T23:46:00Z"}});
}

void SaysWhatTheServerRefused(void**) {
  Bench bench("to-4.2.8-rv0-unknown");
  const Json document = bench.Run("rv 0 nosuchvar");
  Expect(document, {{"result", "null"},
                    {"error.kind", "refused"},
                    {"error.code.code", "5"},
                    {"error.code.name", "unknown_variable"}});
  assert_int_equal(bench.session.exit_status, 2);
  assert_string_equal(bench.platform.err.c_str(), "");
}

void SaysWhatTheKernelRefused(void**) {
  size_t refused = 0;
  for (const Recording& recording : Recording::LoadAll("errors")) {
    std::istringstream lines(Play(recording, {"--json", "--no-nonce"}).out);
    for (std::string line; std::getline(lines, line);) {
      const auto document = Json::Parse(line);
      assert_true(document.has_value());
      if (document->At("error.kind").text != "transport") continue;
      Expect(*document, {{"error.text", "read: Connection refused"}});
      ++refused;
    }
  }
  assert_true(refused > 0);
}

void SaysWhenNothingCame(void**) {
  Bench bench;
  const Json document = bench.Run("rv");
  Expect(document,
         {{"result", "null"}, {"error.kind", "timeout"}, {"error.text", "Request timed out"}});
}

void SaysWhatIsNoCommand(void**) {
  Bench bench;
  Expect(bench.Run("frobnicate"), {{"error.kind", "usage"}, {"command", "frobnicate"}});
  Expect(bench.Run("pstats"), {{"error.kind", "usage"}});
  Expect(bench.Run("rv 99999"), {{"error.text", "Invalid association ID 99999 specified"}});
}

void WritesOneDocumentForAHostThatIsNone(void**) {
  Bench bench;
  bench.platform.out.clear();
  RunBatch(bench.session, {{"nowhere", Family::kNone}}, {"rv", "peers"});
  const auto document = Json::Parse(bench.platform.out);
  assert_true(document.has_value());
  Expect(*document, {{"command", "host"}, {"host", "nowhere"}, {"error.kind", "host"}});
}

void RedirectsTheDocument(void**) {
  Bench bench("to-4.2.8-as");
  RunLine(bench.session, "as > list");
  assert_string_equal(bench.platform.out.c_str(), "");
  const auto document = Json::Parse(bench.platform.files["list"]);
  assert_true(document.has_value());
  Expect(*document, {{"command", "associations"}});
}

// --- the schema

Schema LoadSchema() {
  const auto bytes = ntpward::test::ReadFile("docs/ntpq-json.schema.json");
  const auto root = Json::Parse(std::string(bytes.begin(), bytes.end()));
  assert_true(root.has_value());
  return Schema(*root);
}

// Checks each line of what was printed; counts the results by command.
void CheckLines(const Schema& schema, const std::string& out, std::map<std::string, int>& results) {
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    const auto document = Json::Parse(line);
    if (!document) fail_msg("not JSON: %s", line.c_str());
    const std::string wrong = schema.Validate(*document);
    if (!wrong.empty()) fail_msg("%s in %s", wrong.c_str(), line.c_str());
    const bool failed = document->At("error").kind != Json::Kind::kNull;
    const bool has_result = document->At("result").kind != Json::Kind::kNull;
    assert_true(failed || has_result);
    if (has_result) ++results[document->At("command").text];
  }
}

constexpr const char* kRecordings[] = {"to-4.2.8", "to-4.2.6", "by-4.2.6-to-4.2.6",
                                       "by-4.2.6-to-4.2.8", "errors"};

// Lines that no recording has, and the recording whose packets answer them.
struct Sample {
  const char* recording;
  std::vector<const char*> lines;
};
const Sample kSamples[] = {
    {"to-4.2.8-rv", {"readvar"}},
    {"to-4.2.8-cv", {"clockvar"}},
    {"to-4.2.8-cl", {"clocklist"}},
    {"to-4.2.8-mrv-vars", {"mreadvar &1 &3 srcadr,stratum"}},
    {"to-4.2.8-mrl", {"addvars srcadr,offset", "mreadlist &1 &2", "readlist &1"}},
    {"to-4.2.8-lassociations", {"lassociations", "lpassociations"}},
    {"to-4.2.8-rv-a1", {"why &1"}},
    {"to-4.2.8-rv", {"quit", "exit"}},
};

// A server that takes foo=1 twice; none that was recorded takes anything.
Recording WritableServer() {
  const Exchange written = {ntpward::test::FromHex("160300010000000000000005666f6f3d31"),
                            {{{}, ntpward::test::FromHex("168300010615000000000000")}}};
  Recording recording;
  recording.exchanges = {written, written};
  return recording;
}

// A question without authentication, and what a server of ntpward answers.
Exchange Answered(wire::ControlOp op, uint16_t assoc, std::string_view data,
                  std::string_view answer) {
  wire::ControlHeader header;
  header.op = op;
  header.assoc = AssocId{assoc};
  const auto reply = wire::ReplyHeader(header, 0, 0xf614);
  return {wire::BuildControlRequest(header, AsBytes(data), wire::ControlPadding::kPlain),
          {{{},
            wire::BuildControlReply(reply, AsBytes(answer), {}, wire::ControlPadding::kPlain)
                .front()}}};
}

Recording NtpwardServer() {
  using enum wire::ControlOp;
  Recording recording;
  recording.exchanges = {
      Answered(kReadVariables, 0, "privsep",
               "privsep_ntpd=\"state=running uptime=60 restarts=0 refused=0 uid=0 seccomp=2 "
               "no_new_privs=1 capabilities=0xc0\", privsep_net=\"state=starting\""),
      Answered(kReadStatus, 0, "", std::string_view("\x30\x39\xf6\x14\x30\x3a\xf6\x14", 8)),
      Answered(kReadVariables, 12345, "", "srcadr=10.77.0.1, flags=0x87f21, host=\"server\""),
      Answered(kReadVariables, 12345, "identity,trail,cookieage,keylistage,autokeyerror",
               "identity=\"IFF\", trail.0=\"server ca 202711212341\", cookieage=5, "
               "autokeyerror=\"crypto_nak\", autokeyerrorage=7"),
      Answered(kReadVariables, 12346, "", "srcadr=10.77.0.2, keyid=5"),
      Answered(kReadVariables, 0,
               "ctl_reset,ctl_received,ctl_answered,ctl_errors,ctl_unproved,ctl_limited,"
               "ctl_malformed,ctl_mode7,ss_autokey1",
               "ctl_reset=9, ctl_received=4, ctl_mode7=1, ss_autokey1=2")};
  return recording;
}

void TellsOfProcessesAndAutokeyWhatAServerOfOursSays(void**) {
  Bench bench(NtpwardServer());
  const Json processes = bench.Run("privsep").At("result.processes");
  Expect(processes, {{"0.seccomp.name", "filter"},
                     {"0.no_new_privs", "true"},
                     {"0.capabilities.1", "setuid"},
                     {"1.state", "starting"},
                     {"1.uid", "null"}});
  const Json autokey = bench.Run("autokey").At("result");
  Expect(autokey, {{"without_autokey", "1"},
                   {"associations.0.authenticated", "true"},
                   {"associations.0.identity", "IFF"},
                   {"associations.0.trail.0.issuer", "ca"},
                   {"associations.0.trail.0.not_after.time", "2027-11-21T23:41:00Z"},
                   {"associations.0.cookie_age_s", "5"},
                   {"associations.0.key_list_age_s", "null"},
                   {"associations.0.last_failure", "crypto_nak"}});
  Expect(bench.Run("ctlstats").At("result.variables"), {{"ctl_mode7", "1"}, {"ss_autokey1", "2"}});
  Expect(bench.Run("watch"), {{"error.kind", "unavailable"}});
}

// What the daemon sends by name alone, too.
void WhyTellsWhatTheDaemonKnowsOfAutokey(void**) {
  using enum wire::ControlOp;
  const std::string refused = "autokeyerror=\"bad_filestamp\", autokeycause=\"x is wrong\"";
  Recording recording;
  for (const bool loops : {false, true}) {
    const std::string_view all = loops ? "flags=0x80021, hmode=1" : "keyid=0x2ead7dd2";
    recording.exchanges.insert(
        recording.exchanges.end(),
        {Answered(kReadVariables, 12345, "", all), Answered(kReadVariables, 12345, "identity", ""),
         Answered(kReadVariables, 12345, "trail", loops ? "trailloop=1" : ""),
         Answered(kReadVariables, 12345, "autokeyerror", loops ? "" : refused),
         Answered(kReadVariables, 12345, "received", ""),
         Answered(kReadVariables, 12345, "restrict", ""), Answered(kReadVariables, 0, "peer", "")});
  }
  Bench bench(recording);
  for (const char* words : {"bad_filestamp): x is wrong.", "comes back to this host"}) {
    const Json why = bench.Run("why 12345");
    assert_true(why.At("result.explanation").text.find(words) != std::string::npos);
  }
}

// A command whose result the schema does not tell of cannot be added: this looks at all there are.
void EveryCommandHasAResultThatFitsTheSchema(void**) {
  const Schema schema = LoadSchema();
  std::map<std::string, int> results;
  for (const char* file : kRecordings)
    for (const Recording& recording : Recording::LoadAll(file))
      CheckLines(schema, Play(recording, {"--json", "--no-nonce"}).out, results);
  for (const Sample& sample : kSamples) {
    Bench bench(sample.recording);
    for (const char* line : sample.lines) RunLine(bench.session, line);
    CheckLines(schema, bench.platform.out, results);
  }
  Bench writable(WritableServer());
  writable.session.settings.no_nonce = true;
  for (const char* line :
       {"keyid 7", "passwd ctlpass", "writevar 0 foo=1", "addvars foo=1", "writelist"})
    RunLine(writable.session, line);
  CheckLines(schema, writable.platform.out, results);
  Bench ours(NtpwardServer());
  for (const char* line : {"privsep", "autokey", "ctlstats"}) RunLine(ours.session, line);
  CheckLines(schema, ours.platform.out, results);
  for (const Command* command : AllCommands()) {
    const std::string name(command->name);
    // These have nothing but an error to tell.
    if (name != "poll" && name != "watch" && results[name] == 0)
      fail_msg("no document of %s", name.c_str());
  }
}

void TheSchemaHasTheFormOfEveryVariable(void**) {
  const Schema schema = LoadSchema();
  const Json& told = schema.root().At("$defs.variables.properties");
  assert_int_equal(told.members.size(), KnownForms().size());
  for (const NamedForm& known : KnownForms()) {
    const std::string wanted = "#/$defs/value_" + std::string(FormName(known.form));
    assert_string_equal(told.At(known.name).At("$ref").text.c_str(), wanted.c_str());
  }
}

void TheSchemaHasEveryKindOfError(void**) {
  const Schema schema = LoadSchema();
  std::set<std::string> told;
  for (const Json& kind : schema.root().At("$defs.error.properties.kind.enum").items)
    told.insert(kind.text);
  for (const std::string_view kind : ErrorKindNames())
    assert_true(told.contains(std::string(kind)));
  assert_int_equal(told.size(), ErrorKindNames().size());
}

void TextIsNoResultOfAnyCommand(void**) {
  const Schema schema = LoadSchema();
  const auto document = Json::Parse(
      R"({"command":"rv","host":null,"address":null,"time":"","result":{"text":"x"},"error":null,)"
      R"("warnings":[]})");
  assert_true(document.has_value());
  assert_false(schema.Validate(*document).empty());
}

// --- a hostile server

Json Variables(const std::string& text, bool raw = false) {
  std::string out;
  JsonWriter json([&](std::string_view piece) { out += piece; });
  WriteVariables(json, text, {raw, {}}, [](std::string_view) {});
  json.EndLine();
  const auto value = Json::Parse(out);
  if (!value) fail_msg("not JSON: %s", out.c_str());
  return *value;
}

void TakesAnyOctetsAsVariables(void**) {
  std::string all;
  for (int octet = 1; octet < 256; ++octet) all += static_cast<char>(octet);
  const std::string hostile = "x=\"" + std::string("\x1b[2J\\\xff\x80") + "\", y=\x07\x7f";
  const Json value = Variables(hostile);
  assert_string_equal(value.At("x").text.c_str(), "\x1b[2J\\\xff\x80");
  Variables(all);
  Variables(all + "=" + all + "," + all);
  for (size_t i = 0; i <= hostile.size(); ++i) Variables(hostile.substr(0, i));
}

void KeepsWhatIsNotWhatItsNamePromises(void**) {
  const Json value = Variables(
      "leap=7, hmode=999, flash=0x10000, reftime=yesterday, expire=2026, filtdelay=a b, "
      "offset=1e999, stratum=+3, reach=zz, delay");
  Expect(value, {{"leap", "7"},
                 {"hmode", "999"},
                 {"flash", "0x10000"},
                 {"reftime", "yesterday"},
                 {"expire", "2026"},
                 {"filtdelay", "a b"},
                 {"offset", "1e999"},
                 {"stratum", "+3"},
                 {"reach", "zz"}});
  for (const auto& [name, member] : value.members)
    assert_true(member.kind == (name == "delay" ? Json::Kind::kNull : Json::Kind::kText));
}

void KeepsTheFirstOfTwoOfOneName(void**) {
  std::string out;
  std::vector<std::string> warnings;
  JsonWriter json([&](std::string_view piece) { out += piece; });
  WriteVariables(json, "offset=1, offset=2, cert=\"a\", cert=\"b\"", {},
                 [&](std::string_view text) { warnings.emplace_back(text); });
  json.EndLine();
  assert_string_equal(out.c_str(), "{\"offset\":1,\"cert\":[\"a\",\"b\"]}\n");
  assert_int_equal(warnings.size(), 1);
}

void NumbersThatNobodyCountsToFitTheSchema(void**) {
  FakeServer server;
  server.on_request = [&](const wire::ControlRequest& request) {
    const std::string most = "18446744073709551615";
    if (request.header.op == wire::ControlOp::kReadVariables)
      return server.Answer(request,
                           "flash=0xffffffffffffffff, privsep_net=\"state=running uptime=" + most +
                               " restarts=" + most + " uid=" + most + "\"\r\n");
    server.Answer(request,
                  "nonce=eead1d407cad7e69c4cb583a, addr.0=192.0.2.1:123, "
                  "last.0=0xeeacac93.123456c0, first.0=0xeeacac91.123456c0, ct.0=" +
                      most + ", mv.0=0xffffffffffffffff, rs.0=0xffffffffffffffff, " +
                      "now=0xeeacac95.123456c0\r\n");
  };
  RecordingPlatform platform;
  FakeNetwork network(server);
  RecordedNames names;
  Session session(platform, network, names, Settings{.json = true});
  session.OpenHost("127.0.0.1", Family::kNone);
  for (const char* line : {"mrulist", "rv", "privsep"}) RunLine(session, line);
  std::map<std::string, int> results;
  CheckLines(LoadSchema(), platform.out, results);
  assert_int_equal(results.size(), 3);
}

void GivesRawValuesAsTheyCame(void**) {
  const Json value = Variables("leap=0, version=\"ntpd\", offset=1", true);
  Expect(value, {{"version", "\"ntpd\""}});
  for (const auto& [name, member] : value.members) assert_true(member.kind == Json::Kind::kText);
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NumbersThatNobodyCountsToFitTheSchema),
      cmocka_unit_test(SaysWhoWasAskedAndWhen),
      cmocka_unit_test(TakesStatusWordsApart),
      cmocka_unit_test(ShowsWhatTheBillboardShows),
      cmocka_unit_test(KeepsNumbersExactAndTimesTwice),
      cmocka_unit_test(SaysWhatTheServerRefused),
      cmocka_unit_test(SaysWhatTheKernelRefused),
      cmocka_unit_test(SaysWhenNothingCame),
      cmocka_unit_test(SaysWhatIsNoCommand),
      cmocka_unit_test(WritesOneDocumentForAHostThatIsNone),
      cmocka_unit_test(RedirectsTheDocument),
      cmocka_unit_test(TellsOfProcessesAndAutokeyWhatAServerOfOursSays),
      cmocka_unit_test(WhyTellsWhatTheDaemonKnowsOfAutokey),
      cmocka_unit_test(EveryCommandHasAResultThatFitsTheSchema),
      cmocka_unit_test(TheSchemaHasTheFormOfEveryVariable),
      cmocka_unit_test(TheSchemaHasEveryKindOfError),
      cmocka_unit_test(TextIsNoResultOfAnyCommand),
      cmocka_unit_test(TakesAnyOctetsAsVariables),
      cmocka_unit_test(KeepsWhatIsNotWhatItsNamePromises),
      cmocka_unit_test(KeepsTheFirstOfTwoOfOneName),
      cmocka_unit_test(GivesRawValuesAsTheyCame),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
