// ifstats and reslist of a server whose list is longer than one answer, and of one that lies.
#include "ntpd/wire/variable_values.h"
#include "ntpq/command.h"
#include "tests/ntpq/fake_server.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

// Rules for 10.77.0.0 and up, so many in one answer.
struct RuleServer : FakeServer {
  RuleServer() {
    on_request = [this](const wire::ControlRequest& request) {
      const std::string data(AsText(request.data));
      asked.push_back(data);
      if (falls_silent && asked.size() > 1) return;
      const size_t blank = data.find(" from=");
      const auto first =
          blank == std::string::npos ? 0 : wire::DecodeUnsigned(data.substr(blank + 6));
      Answer(request, Rows(*first));
    };
  }
  std::string Rows(size_t first) const {
    std::string text;
    const size_t end = std::min(first + kRowsOfAnAnswer, rows);
    for (size_t i = first; i < end; ++i) {
      const std::string n = "." + std::to_string(i) + "=";
      text += "addr" + n + "10.77." + std::to_string(i) + ".0, mask" + n + "255.255.255.0, hits" +
              n + std::to_string(i) + ", flags" + n + "serve trust, ";
    }
    return end < rows ? text + "rows=" + std::to_string(claimed.value_or(rows)) : text;
  }

  static constexpr size_t kRowsOfAnAnswer = 100;
  size_t rows = 250;
  std::optional<uint64_t> claimed;
  bool falls_silent = false;
  std::vector<std::string> asked;
};

struct World {
  World() {
    session.OpenHost("server", Family::kNone);
    platform.answers = {"7", "secret"};
  }
  size_t Shown() const {
    size_t rows = 0;
    for (size_t at = 0; (at = platform.out.find("/24\n", at)) != std::string::npos; ++at) ++rows;
    return rows;
  }

  RuleServer server;
  RecordingPlatform platform;
  FakeNetwork network{server};
  RecordedNames names;
  Session session{platform, network, names, Settings{}};
};

void ALongListIsAskedForInPieces(void**) {
  World world;
  RunLine(world.session, "reslist");
  assert_int_equal(world.Shown(), 250);
  const std::vector<std::string> expected = {"addr_restrictions", "addr_restrictions from=100",
                                             "addr_restrictions from=200"};
  assert_true(world.server.asked == expected);
  assert_true(world.platform.err.find("***") == std::string::npos);
}

void SaysHowManyRowsAreMissing(void**) {
  for (const bool json : {false, true}) {
    World world;
    world.session.settings.json = json;
    world.server.falls_silent = true;
    RunLine(world.session, "reslist");
    const std::string& said = json ? world.platform.out : world.platform.err;
    assert_true(said.find("150 rows are missing") != std::string::npos);
    if (!json) assert_int_equal(world.Shown(), 100);
  }
}

// It promises rows that never come.
void AServerThatNeverEndsIsAskedNoFurther(void**) {
  World world;
  world.server.rows = 101;
  world.server.claimed = ~uint64_t{0};
  world.server.on_request = [&](const wire::ControlRequest& request) {
    world.server.asked.emplace_back(AsText(request.data));
    world.server.Answer(request,
                        world.server.asked.size() == 1 ? world.server.Rows(0) : "rows=99999999999");
  };
  RunLine(world.session, "reslist");
  assert_int_equal(world.server.asked.size(), 2);
  assert_int_equal(world.Shown(), 100);
  assert_true(world.platform.err.find("***99999999899 rows are missing") != std::string::npos);
}

void RowsThatComeTwiceAreNotBelieved(void**) {
  World world;
  world.server.on_request = [&](const wire::ControlRequest& request) {
    world.server.Answer(request, world.server.Rows(0));
  };
  RunLine(world.session, "reslist");
  assert_int_equal(world.Shown(), 0);
  assert_true(world.platform.err.find("***Server returned incomplete rows") != std::string::npos);
  assert_int_equal(world.session.exit_status, 1);
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ALongListIsAskedForInPieces),
      cmocka_unit_test(SaysHowManyRowsAreMissing),
      cmocka_unit_test(AServerThatNeverEndsIsAskedNoFurther),
      cmocka_unit_test(RowsThatComeTwiceAreNotBelieved),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
