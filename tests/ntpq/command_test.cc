// The command language, and what monitoring programs rely on.
#include "ntpq/command.h"

#include <algorithm>
#include <sstream>

#include "tests/ntpq/bench.h"
#include "tests/ntpq/fake_server.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

size_t Columns(const std::string& line) {
  std::istringstream words(line);
  size_t count = 0;
  for (std::string word; words >> word;) ++count;
  return count;
}

// A session with a server that the test plays.
struct Played {
  explicit Played(FakeServer& server, const Settings& settings = {})
      : network(server), session(platform, network, names, settings) {
    session.OpenHost("ntp1", Family::kNone);
  }
  RecordingPlatform platform;
  FakeNetwork network;
  RecordedNames names;
  Session session;
};

// --- what the kernel refuses

void SaysThatAQuestionCouldNotLeave(void**) {
  FakeServer server{.refusal = "write: No buffer space available"};
  Played played(server);
  RunLine(played.session, "rv");
  assert_string_equal(played.platform.err.c_str(),
                      "ntpq: write to ntp1 failed: No buffer space available\n");
}

void AnotherHostDoesNotUndoAFailure(void**) {
  FakeServer server;
  Played played(server, Settings{.json = true});
  RunLine(played.session, "nosuch");
  assert_int_equal(played.session.exit_status, 2);
  RunLine(played.session, "host ntp2");
  assert_int_equal(played.session.exit_status, 2);
}

// --- what is longer than a request

// Every name that is asked for, each answered with its place in the list.
void ALongListOfNamesIsAskedForInParts(void**) {
  std::string names, sent;
  for (int i = 0; i < 60; ++i) names += (i > 0 ? "," : "") + ("variable_" + std::to_string(i));
  FakeServer server;
  size_t asked = 0;
  server.on_request = [&](const wire::ControlRequest& request) {
    const std::string_view data = AsText(request.data);
    sent += (sent.empty() ? "" : ",") + std::string(data);
    server.Answer(request, "answer_" + std::to_string(++asked) + "=1\r\n");
  };
  Played played(server);
  played.session.BeginCommand();
  const auto reply = played.session.Try(wire::ControlOp::kReadVariables, AssocId{0}, names);
  assert_true(reply.ok());
  assert_string_equal(sent.c_str(), names.c_str());
  assert_int_equal(asked, 2);
  assert_string_equal(reply->data.c_str(), "answer_1=1, answer_2=1\r\n");
}

void WhatFitsIntoNoRequestIsNotSent(void**) {
  FakeServer server;
  Played played(server);
  played.session.BeginCommand();
  const std::string name(wire::kMaxControlData + 1, 'x');
  for (const auto op : {wire::ControlOp::kReadVariables, wire::ControlOp::kReadMru})
    assert_false(played.session.Ask(op, AssocId{0}, name).has_value());
  assert_int_equal(server.sent.size(), 0);
  assert_true(played.platform.err.starts_with("***The question is longer than a request"));
}

// --- monitoring programs

void ShowsTenColumnsAndNoEmptyLine(void**) {
  Bench bench(Recording::Load("to-4.2.8-lpeers-n"));
  bench.session.settings.numeric = true;
  std::istringstream lines(bench.Out("lpeers"));
  std::string line;
  std::getline(lines, line);
  assert_true(line.find(" st t when poll reach ") != std::string::npos);
  assert_int_equal(Columns(line), 10);
  std::getline(lines, line);
  assert_int_equal(line.find_first_not_of('='), std::string::npos);
  size_t rows = 0;
  for (; std::getline(lines, line); ++rows) assert_int_equal(Columns(line), 10);
  assert_int_equal(rows, 12);
}

void PrintsAVersionThatPluginsAccept(void**) {
  Bench bench;
  int major = 0;
  int minor = 0;
  int point = 0;
  assert_int_equal(sscanf(bench.Out("version").c_str(), "ntpq %d.%d.%d", &major, &minor, &point),
                   3);
  assert_true(major * 10000 + minor * 100 + point >= 40208);
}

void TakesALoopbackAddressForTheSystem(void**) {
  Bench bench(Recording::Load("to-4.2.8-rv"));
  const std::string text = bench.Out("rv 127.0.0.1");
  assert_string_equal(bench.network.mismatch.c_str(), "");
  for (const char* item : {" offset=0.0", " frequency=0.0", " sys_jitter=0.0", "clk_wander="})
    assert_true(text.find(item) != std::string::npos);
}

void IgnoresAnArgumentOfACommandWithout(void**) {
  Bench bench(Recording::Load("to-4.2.8-iostats"));
  assert_true(bench.Out("iostats 127.0.0.1").starts_with("time since reset:"));
}

// As ntpq 4.2.8, whose other commands name it LOCAL(0).
void SysinfoShowsAReferenceClockByItsNumber(void**) {
  Recording recording = Recording::Load("to-4.2.8-sysinfo");
  const std::string_view theirs = "refid=10.77.0.15, ", ours = "refid=127.127.1.0,";
  size_t changed = 0;
  for (Exchange& exchange : recording.exchanges)
    for (Response& response : exchange.responses) {
      const auto at = std::search(response.datagram.begin(), response.datagram.end(),
                                  theirs.begin(), theirs.end());
      if (at == response.datagram.end()) continue;
      std::copy(ours.begin(), ours.end(), at);
      ++changed;
    }
  assert_int_equal(changed, 1);
  Bench bench(recording);
  assert_true(bench.Out("sysinfo").find("reference ID:       127.127.1.0\n") != std::string::npos);
}

// --- the command language

void NamesWhatIsWrong(void**) {
  Bench bench;
  assert_string_equal(bench.Err("nope").c_str(), "***Command `nope' unknown\n");
  assert_string_equal(bench.Err("p").c_str(), "***Command `p' ambiguous\n");
  assert_string_equal(bench.Err("pas").c_str(), "***Command `pas' ambiguous\n");
  assert_string_equal(bench.Err("rv abc").c_str(), "***Illegal unsigned value abc\n");
  assert_string_equal(bench.Err("rv -1").c_str(), "***Illegal unsigned value -1\n");
  assert_string_equal(bench.Err("rv 99999").c_str(), "***Invalid association ID 99999 specified\n");
  assert_string_equal(bench.Err("rv &x").c_str(),
                      "***Association index `&x' invalid/undecodable\n");
  assert_string_equal(bench.Err("peers 7").c_str(), "***Version must be either 4 or 6\n");
  assert_string_equal(bench.Err("keyid 70000").c_str(), "Invalid key identifier\n");
  assert_string_equal(bench.Err("hostnames x").c_str(), "What?\n");
  assert_string_equal(bench.Err("raw >").c_str(), "***No file for redirect\n");
  assert_string_equal(bench.Err("addvars").c_str(), "usage: addvars name[=value][,...]\n");
  assert_int_equal(bench.network.asked, 0);
}

void RedirectsAndDiscards(void**) {
  Bench bench;
  assert_string_equal(bench.Out("hostnames > out").c_str(), "");
  assert_string_equal(bench.platform.files["out"].c_str(), "hostnames being shown\n");
  assert_string_equal(bench.Out("~hostnames").c_str(), "");
  assert_string_equal(FilesOf("rv 0 x > some/file").written.c_str(), "some/file");
  assert_string_equal(FilesOf("config-from-file a.conf").read.c_str(), "a.conf");
  assert_true(FilesOf(":config restrict > x").written.empty());
}

void KeepsQuotedWordsTogether(void**) {
  Bench bench;
  bench.Out("addvars \"a=b c\"");
  assert_string_equal(bench.Out("showvars").c_str(), "a=b c\n");
}

void RejectsAListOfAssociationsThatIsNoList(void**) {
  Recording odd;
  odd.exchanges.push_back({{0x16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                           {{{}, {0x16, 0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x8a, 0x40, 0, 0}}}});
  Bench bench(odd);
  assert_string_equal(bench.Err("as").c_str(),
                      "***Server returned 2 octets, should be multiple of 4\n");
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SaysThatAQuestionCouldNotLeave),
      cmocka_unit_test(AnotherHostDoesNotUndoAFailure),
      cmocka_unit_test(ALongListOfNamesIsAskedForInParts),
      cmocka_unit_test(WhatFitsIntoNoRequestIsNotSent),
      cmocka_unit_test(ShowsTenColumnsAndNoEmptyLine),
      cmocka_unit_test(PrintsAVersionThatPluginsAccept),
      cmocka_unit_test(TakesALoopbackAddressForTheSystem),
      cmocka_unit_test(IgnoresAnArgumentOfACommandWithout),
      cmocka_unit_test(SysinfoShowsAReferenceClockByItsNumber),
      cmocka_unit_test(NamesWhatIsWrong),
      cmocka_unit_test(RedirectsAndDiscards),
      cmocka_unit_test(KeepsQuotedWordsTogether),
      cmocka_unit_test(RejectsAListOfAssociationsThatIsNoList),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
