// No server costs more than seconds, whatever it sends: every command, against every trick.
//
// The clock is the transport's: it moves when a datagram comes, and jumps when none does.
#include <algorithm>
#include <set>
#include <utility>

#include "ntpq/command.h"
#include "tests/ntpq/fake_server.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

// One question: asked twice, 5 s for the first datagram, 6 s for the rest.
constexpr double kOneQuestion = 2 * (5 + 2 * 3);
// All questions of one command, and of mrulist.
constexpr double kOneCommand = 120;
constexpr double kMruList = 600;

enum class Trick : uint8_t {
  kDead,
  kEndlessFragments,  // each with the M bit, each further on
  kSameFragment,      // the first, with the M bit, for ever
  kTrickle,           // a new one just before each timeout
  kWrongNumbers,      // a flood of answers to other questions
  kGaps,              // the last fragment first, the rest never
  kLate,              // whole answers, each just before its timeout, that promise more and more
  kNotAllowed,        // refusals, each just before its timeout, as if our address were not proved
};
constexpr Trick kTricks[] = {Trick::kDead,    Trick::kEndlessFragments, Trick::kSameFragment,
                             Trick::kTrickle, Trick::kWrongNumbers,     Trick::kGaps,
                             Trick::kLate,    Trick::kNotAllowed};

// What makes every command ask again: a list of 117 associations, a nonce, entries without an end.
std::string LongAnswer(wire::ControlOp op, int number) {
  std::string data;
  if (op == wire::ControlOp::kReadStatus)
    for (char i = 1; data.size() < 464; ++i) data += {0, i, '\xf0', '\x14'};
  else if (op == wire::ControlOp::kReadMru || op == wire::ControlOp::kRequestNonce)
    data = "nonce=" + std::to_string(number) + ", addr.0=10.0." +
           std::to_string(number >> 8 & 255) + "." + std::to_string(number & 255) +
           ":123, last.0=0x" + std::to_string(10000000 + number) +
           ".00000001, first.0=0x00000001.00000001, ct.0=1, mv.0=4, rs.0=0x0, config_nonce=" +
           std::string(32, 'a');
  else
    data = "srcadr=10.0.0.1, stratum=3, addr.0=10.0.0.1:123";
  return data;
}

// Plays one trick, whatever it is asked.
class HostileServer : public FakeServer {
 public:
  explicit HostileServer(Trick trick) : trick_(trick) {
    on_request = [this](const wire::ControlRequest& request) {
      header_ = wire::ReplyHeader(request.header, 0, 0);
      offset_ = 0;
      answered_ = false;
      ++asked_;
    };
    on_silence = [this](double patience_s) { return Play(patience_s); };
  }

 private:
  std::optional<Coming> Play(double patience_s) {
    switch (trick_) {
      case Trick::kDead:
        break;
      case Trick::kEndlessFragments:
        return Coming{0.01, Fragment(std::exchange(offset_, offset_ + 4), "a=1,", true)};
      case Trick::kSameFragment:
        return Coming{0.01, Fragment(0, "a=1,", true)};
      case Trick::kTrickle:
        return Coming{patience_s - 0.001,
                      Fragment(std::exchange(offset_, offset_ + 4), "a=1,", true)};
      case Trick::kWrongNumbers:
        ++header_.sequence;
        return Coming{0.01, Fragment(0, "a=1", false)};
      case Trick::kGaps:
        return Coming{0.01, Fragment(400, "a=1", false)};
      case Trick::kLate:
        if (std::exchange(answered_, true)) break;
        return Coming{patience_s - 0.001, Fragment(0, LongAnswer(header_.op, asked_), false)};
      case Trick::kNotAllowed:
        if (std::exchange(answered_, true)) break;
        if (header_.op == wire::ControlOp::kRequestNonce || header_.op == wire::ControlOp::kReadMru)
          return Coming{patience_s - 0.001, Fragment(0, LongAnswer(header_.op, asked_), false)};
        return Coming{patience_s - 0.001,
                      wire::BuildControlError(header_, 0, wire::ControlError::kPermission)};
    }
    return std::nullopt;
  }
  std::vector<uint8_t> Fragment(uint16_t offset, std::string_view data, bool more) {
    header_.more = more;
    header_.offset = offset;
    return wire::BuildControlRequest(header_, AsBytes(data), wire::ControlPadding::kPlain);
  }

  Trick trick_;
  wire::ControlHeader header_;
  uint16_t offset_ = 0;
  bool answered_ = false;
  int asked_ = 0;
};

// A line with all arguments that the command has to get.
std::string LineFor(const Command& command) {
  std::string line(command.name);
  for (const ArgumentSpec& spec : command.arguments)
    if (spec.kind != ArgumentKind::kNone && !spec.optional)
      line += spec.kind == ArgumentKind::kText ? " x=1" : " &1";
  return line;
}

double SecondsFor(const std::string& line, Trick trick) {
  RecordingPlatform platform;
  platform.answers = {"1", "secret"};
  for (int i = 0; i < 5000; ++i) platform.files["x=1"] += "restrict default\n";
  HostileServer server(trick);
  FakeNetwork network(server);
  RecordedNames names;
  Session session(platform, network, names, Settings{});
  session.OpenHost("hostile", Family::kNone);
  const MonoTime start = server.now;
  RunLine(session, line);
  return server.now - start;
}

void EndsEveryCommandInSeconds(void**) {
  for (const Command* command : AllCommands()) {
    const double limit = command->name == "mrulist" ? kMruList : kOneCommand;
    for (const Trick trick : kTricks) {
      const double seconds = SecondsFor(LineFor(*command), trick);
      if (seconds > limit + 0.01)
        fail_msg("%s takes %.1f s of trick %d", LineFor(*command).c_str(), seconds,
                 static_cast<int>(trick));
    }
  }
}

// Only a server that answers can make a command ask again.
void EndsAtTheFirstQuestionThatIsNotAnswered(void**) {
  // Those that ask for something else before, and do without it.
  const std::set<std::string_view> two = {":config", "config-from-file"};
  for (const Command* command : AllCommands()) {
    if (command->own) continue;
    for (const Trick trick : kTricks) {
      if (trick == Trick::kLate || trick == Trick::kNotAllowed) continue;
      const double seconds = SecondsFor(LineFor(*command), trick);
      if (seconds > (two.contains(command->name) ? 2 : 1) * kOneQuestion + 0.01)
        fail_msg("%s takes %.1f s of trick %d", LineFor(*command).c_str(), seconds,
                 static_cast<int>(trick));
    }
  }
}

// The test above shows nothing unless the tricks work.
void TricksCostTime(void**) {
  assert_true(SecondsFor("rv", Trick::kDead) >= 10);
  // Endless fragments are too many long before they are too late.
  for (const Trick trick : kTricks)
    assert_true(SecondsFor("rv", trick) >= (trick == Trick::kEndlessFragments ? 1.5 : 4.9));
  assert_true(SecondsFor("peers", Trick::kLate) > 60);
  assert_true(SecondsFor("mrulist", Trick::kLate) > 500);
  assert_true(SecondsFor("config-from-file x=1", Trick::kLate) > 100);
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EndsEveryCommandInSeconds),
      cmocka_unit_test(EndsAtTheFirstQuestionThatIsNotAnswered),
      cmocka_unit_test(TricksCostTime),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
