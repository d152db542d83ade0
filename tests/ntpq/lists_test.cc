// Lists that are longer than one answer, and servers that lie: ifstats, reslist, associations.
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

// Only who has the key may ask, so that only a server that has it answers.
void AnAnswerUnderNoKeyIsDoubted(void**) {
  for (const bool json : {false, true}) {
    World world;
    world.session.settings.json = json;
    world.server.seals = false;
    RunLine(world.session, "reslist");
    const std::string& said = json ? world.platform.out : world.platform.err;
    constexpr std::string_view kDoubt =
        "The answer has no MAC: whoever is on the way may have written it";
    const size_t at = said.find(kDoubt);
    assert_true(at != std::string::npos);
    assert_true(said.find(kDoubt, at + 1) == std::string::npos);
    world.server.seals = true;
    world.platform.out.clear();
    world.platform.err.clear();
    RunLine(world.session, "reslist");
    assert_true(said.find("MAC") == std::string::npos);
  }
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

void NeitherAreRawRows(void**) {
  World world;
  world.session.settings.raw = true;
  world.server.on_request = [&](const wire::ControlRequest& request) {
    world.server.asked.emplace_back(AsText(request.data));
    world.server.Answer(request, world.server.Rows(0));
  };
  RunLine(world.session, "reslist");
  assert_int_equal(world.server.asked.size(), 2);
  World honest;
  honest.session.settings.raw = true;
  RunLine(honest.session, "reslist");
  assert_int_equal(honest.server.asked.size(), 3);
  assert_true(honest.platform.out.find("addr.249=10.77.249.0") != std::string::npos);
}

// Rows that are as long as an answer, and no end of them.
void AHostileServerSendsNoMoreThanALongList(void**) {
  for (const bool raw : {false, true}) {
    World world;
    world.session.settings.raw = raw;
    size_t octets = 0;
    size_t row = 0;
    world.server.on_request = [&](const wire::ControlRequest& request) {
      const std::string n = "." + std::to_string(row) + "=";
      std::string text = "rows=9999999, addr" + n + "10.0.0.0, mask" + n + "255.0.0.0, hits" + n +
                         "1, flags" + n + std::string(200, 'x');
      for (int i = 0; i < 40; ++i) text += ", junk" + n + std::string(220, 'y');
      text.resize(std::min(text.size(), wire::kMaxControlPayload));
      ++row;
      octets += text.size();
      world.server.Answer(request, text);
    };
    RunLine(world.session, "reslist");
    assert_true(octets > size_t{16 << 20} && octets < size_t{17 << 20});
    assert_true(world.platform.err.find("***Buffer size exceeded for returned data") !=
                std::string::npos);
    if (!raw) assert_true(world.platform.err.find(" rows are missing") != std::string::npos);
  }
}

// Of a row it is shown what belongs there; a number that is none ends the list.
void RowsAreNumberedInSixteenBits(void**) {
  World world;
  world.server.rows = 1;
  world.server.on_request = [&](const wire::ControlRequest& request) {
    world.server.Answer(request, world.server.Rows(0) +
                                     "addr.65536=10.0.0.1, mask.65536=255.255.255.0, "
                                     "hits.65536=1, flags.65536=serve");
  };
  RunLine(world.session, "reslist");
  assert_int_equal(world.Shown(), 1);
  assert_string_equal(world.platform.err.c_str(), "Keyid: MD5 Password: ");
}

// A nonce is fetched for the list, and not for each piece of it; a server that finds it too old
// says so, and is asked for another.
void OneNonceIsForManyPieces(void**) {
  World world;
  size_t nonces = 0;
  size_t refused = 0;
  size_t uses = 0;
  world.server.rows = 700;
  world.server.on_request = [&](const wire::ControlRequest& request) {
    const std::string data(AsText(request.data));
    if (request.header.op == wire::ControlOp::kRequestNonce)
      return uses = 0, world.server.Answer(request, "nonce=abc" + std::to_string(++nonces));
    const size_t proof = data.find(" nonce=abc" + std::to_string(nonces));
    if (nonces == 0 || proof == std::string::npos || ++uses > 4)
      return ++refused, world.server.Refuse(request, wire::ControlError::kPermission);
    const size_t from = data.find(" from=");
    const auto first =
        from == std::string::npos
            ? std::optional<uint64_t>(0)
            : wire::DecodeUnsigned(std::string_view(data).substr(from + 6, proof - from - 6));
    world.server.Answer(request, world.server.Rows(*first));
  };
  RunLine(world.session, "reslist");
  assert_int_equal(world.Shown(), 700);
  assert_int_equal(nonces, 2);
  assert_int_equal(refused, 2);
}

// Associations 1 and up.
struct AssociationServer : FakeServer {
  AssociationServer() {
    on_request = [this](const wire::ControlRequest& request) {
      const std::string data(AsText(request.data));
      ++questions;
      size_t first = 0;
      if (in_parts && data.starts_with("from="))
        first = *wire::DecodeUnsigned(std::string_view(data).substr(5));
      const size_t end = in_parts ? std::min(first + 2808, rows) : rows;
      std::string list;
      for (size_t id = first + 1; id <= end; ++id)
        list += {static_cast<char>(id >> 8), static_cast<char>(id & 255), '\x90', 0x14};
      Answer(request, list);
    };
  }
  size_t rows = 0;
  bool in_parts = true;  // as ntpward says them; ntpd 4.2.8 says all at once
  size_t questions = 0;
};

size_t AssociationsOf(AssociationServer& server) {
  RecordingPlatform platform;
  FakeNetwork network{server};
  RecordedNames names;
  Session session{platform, network, names, Settings{}};
  session.OpenHost("server", Family::kNone);
  session.BeginCommand();
  assert_true(session.FetchAssociations());
  assert_string_equal(platform.err.c_str(), "");
  return session.associations().size();
}

void AssociationsBeyondOneAnswerAreAskedFor(void**) {
  for (const auto& [rows, questions] :
       {std::pair(2807, 1), std::pair(2808, 2), std::pair(2809, 2), std::pair(6000, 3)}) {
    AssociationServer server;
    server.rows = static_cast<size_t>(rows);
    assert_int_equal(AssociationsOf(server), rows);
    assert_int_equal(server.questions, questions);
  }
}

void ADaemonThatSaysAllAtOnceIsNotAskedForEver(void**) {
  AssociationServer server;
  server.in_parts = false;
  server.rows = 2808;
  assert_int_equal(AssociationsOf(server), 2808);
  assert_int_equal(server.questions, 2);
}

// Who has always more is believed as many associations as there are numbers for.
void AListOfAssociationsHasAnEnd(void**) {
  AssociationServer server;
  server.rows = 1 << 20;
  assert_true(AssociationsOf(server) >= 65535);
  assert_true(server.questions < 30);
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ALongListIsAskedForInPieces),
      cmocka_unit_test(AnAnswerUnderNoKeyIsDoubted),
      cmocka_unit_test(SaysHowManyRowsAreMissing),
      cmocka_unit_test(AServerThatNeverEndsIsAskedNoFurther),
      cmocka_unit_test(RowsThatComeTwiceAreNotBelieved),
      cmocka_unit_test(NeitherAreRawRows),
      cmocka_unit_test(AHostileServerSendsNoMoreThanALongList),
      cmocka_unit_test(RowsAreNumberedInSixteenBits),
      cmocka_unit_test(OneNonceIsForManyPieces),
      cmocka_unit_test(AssociationsBeyondOneAnswerAreAskedFor),
      cmocka_unit_test(ADaemonThatSaysAllAtOnceIsNotAskedForEver),
      cmocka_unit_test(AListOfAssociationsHasAnEnd),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
