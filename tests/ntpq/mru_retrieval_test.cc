// Retrieving a long list of clients: fragments get lost, servers limit their readers, and whatever
// is missing at the end is said.
#include "ntpq/mru_retrieval.h"

#include <cstdio>

#include "ntpd/wire/variable_values.h"
#include "ntpq/command.h"
#include "tests/ntpq/fake_server.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

constexpr size_t kRowsOfAFragment = 4;

std::string AddressOf(size_t client) {
  return "10." + std::to_string(client >> 16) + "." + std::to_string(client >> 8 & 255) + "." +
         std::to_string(client & 255);
}

// Clients 10.0.0.0 and up, each seen a second after the one before.
struct ListServer : FakeServer {
  explicit ListServer(size_t most) : clients(most) {
    on_request = [this](const wire::ControlRequest& request) { Hear(request); };
  }

  // Whether the next answer arrives; else none of it, or its first fragment alone.
  enum class Fate : uint8_t { kArrives, kIsLost, kIsTorn };
  std::function<Fate(int fragments)> fate = [](int) { return Fate::kArrives; };
  size_t clients;
  bool tells_depth = true;
  bool repeats = false;
  std::vector<int> asked;  // the `frags` of each question for rows
  size_t nonces = 0;

 private:
  void Hear(const wire::ControlRequest& request) {
    const std::string_view data = AsText(request.data);
    if (request.header.op == wire::ControlOp::kRequestNonce) {
      ++nonces;
      return Answer(request, "nonce=abc");
    }
    if (request.header.op == wire::ControlOp::kReadVariables && tells_depth)
      return Answer(request, "mru_depth=" + std::to_string(clients));
    if (request.header.op != wire::ControlOp::kReadMru) return;
    const Values values = ReadValues(data);
    const auto fragments = static_cast<int>(*NumberOf(values, "frags"));
    asked.push_back(fragments);
    const Fate what = fate(fragments);
    if (what == Fate::kIsLost) return;
    Answer(request, Rows(values, fragments));
    if (what == Fate::kIsTorn) coming.resize(1);
  }

  std::string Rows(const Values& values, int fragments) const {
    size_t row = 0;
    if (const auto last = Find(values, "last.0"); last && !repeats)
      row = wire::DecodeTimestamp(*last)->seconds() - 0xee000000 + 1;
    std::string text = "nonce=abc";
    const size_t rows = kRowsOfAFragment * static_cast<size_t>(repeats ? 32 : fragments);
    for (size_t i = 0; i < rows; ++i, ++row) {
      if (row == clients) return text + ", now=0xeeffffff.00000000";
      text += Row(i, row);
    }
    return text;
  }
  static std::string Row(size_t index, size_t client) {
    const std::string n = "." + std::to_string(index) + "=";
    char last[32];
    std::snprintf(last, sizeof last, "0x%08zx.00000000", 0xee000000 + client);
    return ", addr" + n + AddressOf(client) + ":123, last" + n + last + ", first" + n + last +
           ", ct" + n + "1, mv" + n + "35, rs" + n + "0";
  }
};

struct World {
  explicit World(size_t clients) : server(clients) { session.OpenHost("server", Family::kNone); }
  std::string Err(const std::string& line) {
    RunLine(session, line);
    return platform.err;
  }
  size_t Rows() const {
    return static_cast<size_t>(std::count(platform.out.begin(), platform.out.end(), '\n')) - 2;
  }

  ListServer server;
  RecordingPlatform platform;
  FakeNetwork network{server};
  RecordedNames names;
  Session session{platform, network, names, {.numeric = true}};
};

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void AnswersShrinkByLossAndGrowAgain(void**) {
  MruAnswerSize far(false);
  assert_int_equal(far.fragments(), 32);
  far.OnWhole();
  assert_int_equal(far.fragments(), 32);
  for (const int expected : {16, 8, 4, 2, 2}) {
    far.OnLoss();
    assert_int_equal(far.fragments(), expected);
  }
  far.OnWhole();
  assert_int_equal(far.fragments(), 3);
  MruAnswerSize near(true);
  for (int i = 0; i < 200; ++i) near.OnWhole();
  assert_int_equal(near.fragments(), 128);
}

void AnswersUnderAMacStayWithinWhatAServerSeals(void**) {
  MruAnswerSize near(true, true);
  for (int i = 0; i < 200; ++i) near.OnWhole();
  assert_int_equal(near.fragments(), 64);
  near.OnSilence();
  assert_int_equal(near.fragments(), 64);
}

void ASilenceMakesAnswersLonger(void**) {
  MruAnswerSize size(false);
  for (const int expected : {64, 128, 128}) {
    size.OnSilence();
    assert_int_equal(size.fragments(), expected);
  }
  size.OnLoss();
  assert_int_equal(size.fragments(), 64);
}

// A path that drops the end of whatever has more than eight fragments.
void APathThatLosesFragmentsStillBringsTheWholeList(void**) {
  World world(1000);
  world.server.address = IpAddress::V4(10, 77, 0, 1);
  world.server.fate = [](int fragments) {
    return fragments > 8 ? ListServer::Fate::kIsTorn : ListServer::Fate::kArrives;
  };
  const std::string err = world.Err("mrulist");
  assert_int_equal(world.Rows(), 1000);
  assert_true(Has(err, "\rRetrieved 1000 unique MRU entries and 0 updates.\n"));
  assert_false(Has(err, "***"));
  assert_int_equal(world.server.asked[0], 32);
  assert_int_equal(world.server.asked[1], 16);
  assert_int_equal(world.server.asked[2], 8);
}

// Twenty a second, and two hundred at once, as ntpd-net allows another host.
void AServerThatLimitsItsReadersIsReadToTheEnd(void**) {
  World world(100000);
  world.server.address = IpAddress::V4(10, 77, 0, 1);
  double used = 0;
  MonoTime then = world.server.now;
  world.server.fate = [&](int) {
    used = std::max(0.0, used - (world.server.now - then) * 20);
    then = world.server.now;
    if (used + 1 > 200) return ListServer::Fate::kIsLost;
    used += 1;
    return ListServer::Fate::kArrives;
  };
  const std::string err = world.Err("mrulist");
  assert_int_equal(world.Rows(), 100000);
  assert_false(Has(err, "***"));
  assert_true(Has(err, " updates) "));
  assert_int_equal(world.server.asked.back(), 128);
}

void ANonceIsFetchedOnceWhileAnswersBringNewOnes(void**) {
  World world(5000);
  world.Err("mrulist");
  assert_true(world.server.asked.size() > 10);
  assert_int_equal(world.server.nonces, 1);
}

void TellsEveryFiveSecondsHowMuchHasCome(void**) {
  World world(100000);
  world.server.fate = [&](int) {
    world.server.now = world.server.now + 1;
    return ListServer::Fate::kArrives;
  };
  const std::string err = world.Err("mrulist");
  size_t reports = 0;
  for (size_t at = 0; (at = err.find(" updates) ", at)) != std::string::npos; ++at) ++reports;
  const double seconds = world.server.now - MonoTime::FromSeconds(1000);
  assert_true(static_cast<double>(reports) >= seconds / 5 - 2);
  assert_true(static_cast<double>(reports) <= seconds / 5);
  // Of 128 + ... rows each: 33 + 34 + ... fragments.
  assert_true(Has(err, "\r680 (0 updates) "));
}

void SaysHowManyAreMissingWhenTheServerFallsSilent(void**) {
  World world(100000);
  world.server.fate = [&](int) {
    return world.server.asked.size() > 20 ? ListServer::Fate::kIsLost : ListServer::Fate::kArrives;
  };
  const std::string err = world.Err("mrulist");
  assert_true(world.Rows() > 2000 && world.Rows() < 100000);
  assert_true(Has(err, "server: timed out, nothing received\n***Request timed out\n"));
  assert_true(err.ends_with("***The list is not whole, the server stopped answering: " +
                            std::to_string(100000 - world.Rows()) + " clients are missing\n"));
}

void DoesNotGuessHowManyAreMissing(void**) {
  for (const bool filtered : {false, true}) {
    World world(100000);
    world.server.tells_depth = filtered;
    world.server.fate = [&](int) {
      return world.server.asked.size() > 20 ? ListServer::Fate::kIsLost
                                            : ListServer::Fate::kArrives;
    };
    assert_true(world.Err(filtered ? "mrulist mincount=1" : "mrulist")
                    .ends_with("***The list is not whole, the server stopped answering\n"));
  }
}

void SaysThatTheTimeIsOver(void**) {
  World world(4000000);
  world.server.fate = [&](int) {
    world.server.now = world.server.now + 4;
    return ListServer::Fate::kArrives;
  };
  const std::string err = world.Err("mrulist");
  assert_true(Has(err, "***The list is not whole, it takes longer than ten minutes: "));
  assert_true(world.server.now - MonoTime::FromSeconds(1000) <= 600);
}

void SaysThatTheServerRepeatsItself(void**) {
  World world(100000);
  world.server.repeats = true;
  assert_true(Has(world.Err("mrulist"),
                  "***The list is not whole, the server sends nothing new: 99872 clients are"));
}

void ADocumentSaysWhatIsMissing(void**) {
  World world(100000);
  world.session.settings.json = true;
  world.server.repeats = true;
  world.Err("mrulist");
  assert_true(Has(world.platform.out, "\"complete\":false,\"missing\":99872,"));
  assert_true(
      Has(world.platform.out, "\"error\":{\"kind\":\"incomplete\",\"text\":\"The list is not "));
  assert_string_equal(world.platform.err.c_str(), "");
}

void StopsWhereTheUserStopsIt(void**) {
  World world(100000);
  world.server.fate = [&](int) {
    world.server.interrupted = world.server.asked.size() == 3;
    return world.server.interrupted ? ListServer::Fate::kIsLost : ListServer::Fate::kArrives;
  };
  const std::string err = world.Err("mrulist");
  assert_int_equal(world.Rows(), 4 * (32 + 33));
  assert_true(err.ends_with("\rRetrieved 260 unique MRU entries and 0 updates.\n"));
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnswersShrinkByLossAndGrowAgain),
      cmocka_unit_test(AnswersUnderAMacStayWithinWhatAServerSeals),
      cmocka_unit_test(ASilenceMakesAnswersLonger),
      cmocka_unit_test(APathThatLosesFragmentsStillBringsTheWholeList),
      cmocka_unit_test(AServerThatLimitsItsReadersIsReadToTheEnd),
      cmocka_unit_test(ANonceIsFetchedOnceWhileAnswersBringNewOnes),
      cmocka_unit_test(TellsEveryFiveSecondsHowMuchHasCome),
      cmocka_unit_test(SaysHowManyAreMissingWhenTheServerFallsSilent),
      cmocka_unit_test(DoesNotGuessHowManyAreMissing),
      cmocka_unit_test(SaysThatTheTimeIsOver),
      cmocka_unit_test(SaysThatTheServerRepeatsItself),
      cmocka_unit_test(ADocumentSaysWhatIsMissing),
      cmocka_unit_test(StopsWhereTheUserStopsIt),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
