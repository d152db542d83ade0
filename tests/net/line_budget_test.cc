// What strangers cause to be said is bounded.
#include <algorithm>
#include <string>
#include <vector>

#include "ntpd/net/reporter.h"
#include "tests/net/harness.h"

namespace ntpward::net {
namespace {

using namespace ntpward::test;

void LinesThatStrangersCauseAreBounded(void**) {
  Harness h;
  for (int i = 0; i < 5000; ++i) {
    h.node.reporter.CryptoStatistics("10.0.0.1", "error 1");
    h.node.reporter.Log(LogLevel::kInfo, "somebody said something");
    while (i % 50 == 0 && h.supervisor.far.Receive()) {
    }
  }
  LineBudget budget(10, 20);
  const MonoTime start = Timebase::Mono();
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += budget.Take(start);
  assert_int_equal(taken, 20);
  assert_int_equal(budget.TakeLost(), 980);
  for (int i = 0; i < 1000; ++i) taken += budget.Take(start + 1);
  assert_int_equal(taken, 30);
  // Room is left for what must be said.
  while (h.supervisor.far.Receive()) {
  }
  h.node.link.Accuse(msg::Role::kClock, {});
  assert_int_equal(h.Accusations(), 1);
}

// Lines of one file or of the log that came to the supervisor, of which `text` is a part.
int LinesWith(const std::vector<std::string>& lines, std::string_view text) {
  return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.find(text) != std::string::npos;
  }));
}

struct Heard {
  std::vector<std::string> log, proto, crypto, peer, loop;
  void Drain(Channel* channel) {
    while (const auto bytes = channel->Receive()) {
      msg::LogLine line;
      msg::NetStatistics statistics;
      if (msg::Decode(*bytes, &line)) log.emplace_back(line.text.text());
      if (!msg::Decode(*bytes, &statistics)) continue;
      using enum msg::StatisticsFile;
      for (const auto& [file, lines] :
           {std::pair{kProto, &proto}, {kCrypto, &crypto}, {kPeer, &peer}, {kLoop, &loop}})
        if (statistics.file == file) lines->emplace_back(statistics.line.text());
    }
  }
};

void StrangersLinesCostOursNothing(void**) {
  Harness h;
  Heard heard;
  core::EngineEvent mine{.id = AssocId{7},
                         .code = static_cast<uint8_t>(wire::PeerEvent::kUnreachable)};
  core::EngineEvent theirs{.id = AssocId{8},
                           .code = static_cast<uint8_t>(wire::PeerEvent::kMobilize)};
  const core::PeerSnapshot peer;
  for (int i = 0; i < 5000; ++i) {
    h.node.reporter.CryptoStatistics("10.0.0.1", "error 1", Cause::kStranger);
    h.node.reporter.Log(LogLevel::kInfo, "somebody said something", Cause::kStranger);
    h.node.reporter.Event(theirs, "10.0.0.1", Cause::kStranger);
    heard.Drain(&h.supervisor.far);
  }
  // A burst, and what ten a minute add while the test runs.
  assert_in_range(heard.crypto.size(), 100, 130);
  assert_in_range(LinesWith(heard.log, "somebody") + LinesWith(heard.log, "mobilize"), 100, 130);
  assert_in_range(LinesWith(heard.proto, "10.0.0.1"), 100, 130);
  for (int i = 0; i < 100; ++i) {
    h.node.reporter.Event(mine, "10.0.0.2");
    h.node.reporter.CryptoStatistics("0.0.0.0", "signature update");
    h.node.reporter.PeerStatistics(peer, "10.0.0.2");
    h.node.reporter.LoopStatistics(*h.node.engine);
    heard.Drain(&h.supervisor.far);
  }
  assert_int_equal(LinesWith(heard.log, "10.0.0.2"), 100);
  assert_int_equal(LinesWith(heard.proto, "10.0.0.2"), 100);
  assert_int_equal(LinesWith(heard.crypto, "signature update"), 100);
  assert_true(heard.peer.size() == 100 && heard.loop.size() == 100);
}

void OneFileCostsAnotherNothing(void**) {
  Harness h;
  Heard heard;
  for (int i = 0; i < 5000; ++i) {
    h.node.reporter.CryptoStatistics("0.0.0.0", "signature update");
    heard.Drain(&h.supervisor.far);
  }
  h.node.reporter.LoopStatistics(*h.node.engine);
  heard.Drain(&h.supervisor.far);
  assert_in_range(heard.crypto.size(), 500, 2000);
  assert_int_equal(heard.loop.size(), 1);
}

}  // namespace
}  // namespace ntpward::net

int main() {
  using namespace ntpward::net;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LinesThatStrangersCauseAreBounded),
      cmocka_unit_test(StrangersLinesCostOursNothing),
      cmocka_unit_test(OneFileCostsAnotherNothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
