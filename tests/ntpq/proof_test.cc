// A server that tells strangers little: ntpq shows it that it reads what is sent to its address,
// says nothing of it, and is not kept by a server that is never content.
#include "ntpq/proof.h"

#include "ntpq/command.h"
#include "ntpq/metrics.h"
#include "ntpq/snapshot.h"
#include "tests/ntpq/fake_server.h"
#include "tests/ntpq/recording.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

using wire::ControlError;
using wire::ControlOp;

constexpr std::string_view kNonce = "eeacac951218525afef8c2d1";

// What the server thinks of proofs.
enum class Mood : uint8_t {
  kOurs,       // as a server of ntpward
  kNoList,     // the same under `nomrulist`
  kDeaf,       // refuses whatever it hears
  kNever,      // gives nonces, and is never content
  kSilent,     // refuses a read, and answers nothing else
  kNoPurpose,  // gives something that is no nonce
};

class GuardedServer : public FakeServer {
 public:
  explicit GuardedServer(Mood mood) : mood_(mood) {
    address = IpAddress::V4(192, 0, 2, 2);
    on_request = [this](const wire::ControlRequest& request) { Hear(request); };
  }

 private:
  void Hear(const wire::ControlRequest& request) {
    const wire::ControlHeader& header = request.header;
    const std::string_view data = AsText(request.data);
    const bool list = header.op == ControlOp::kReadMru;
    const bool shows_nonce = data.find("nonce=" + std::string(kNonce)) != std::string_view::npos;
    if (mood_ == Mood::kDeaf) return Refuse(request, ControlError::kPermission);
    if (list && (!shows_nonce || mood_ == Mood::kSilent)) return;
    if (list) proved_ = mood_ == Mood::kOurs || mood_ == Mood::kNoList;
    if (list && mood_ == Mood::kNoList) return Refuse(request, ControlError::kPermission);
    const bool asks_nonce = header.op == ControlOp::kRequestNonce;
    if (asks_nonce && mood_ == Mood::kSilent) return;
    const std::string text = TextFor(header);
    const bool fits = text.size() <= data.size();
    if (!proved_ && !list && !fits) return Refuse(request, ControlError::kPermission);
    Answer(request, text, 0x0615);
  }
  std::string TextFor(const wire::ControlHeader& header) const {
    switch (header.op) {
      case ControlOp::kRequestNonce:
        return mood_ == Mood::kNoPurpose ? "nonce=\r\n" : "nonce=" + std::string(kNonce) + "\r\n";
      case ControlOp::kReadMru:
        return "nonce=" + std::string(kNonce) +
               ", addr.0=192.0.2.1:123, last.0=0xeeacac93.123456c0, "
               "first.0=0xeeacac91.123456c0,\r\n"
               "ct.0=2, mv.0=35, rs.0=0x0, now=0xeeacac95.123456c0\r\n";
      case ControlOp::kReadStatus:
        return {"\x00\x01\x96\x1a\x00\x02\x94\x1a\x00\x03\x94\x1a", 12};
      default:
        return "srcadr=192.0.2.1, srcport=123, dstadr=192.0.2.2, stratum=3, reach=377, offset=0.1, "
               "delay=0.2, jitter=0.3, hmode=3, hpoll=6, ppoll=6, refid=192.0.2.9, ss_received=5, "
               "mru_depth=3, kprecis=1\r\n";
    }
  }

  Mood mood_;
  bool proved_ = false;
};

struct Bench {
  explicit Bench(Mood mood = Mood::kOurs) : server(mood) {
    session.settings.numeric = true;
    session.OpenHost("ntp1", Family::kNone);
  }
  std::string Run(const std::string& line) {
    server.sent.clear();
    platform.out.clear();
    platform.err.clear();
    RunLine(session, line);
    return platform.out;
  }
  // The operations that were asked for, in order.
  std::vector<int> Asked() const {
    std::vector<int> operations;
    for (const auto& datagram : server.sent) operations.push_back(datagram[1]);
    return operations;
  }

  RecordingPlatform platform;
  GuardedServer server;
  FakeNetwork network{server};
  RecordedNames names;
  Session session{platform, network, names, Settings{}};
};

bool Has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

constexpr int kStatus = 1, kRead = 2, kMru = 10, kGetNonce = 12;

void ProvesOurAddressAndAsksAgain(void**) {
  for (const Mood mood : {Mood::kOurs, Mood::kNoList}) {
    Bench bench(mood);
    assert_true(Has(bench.Run("rv"), "stratum=3"));
    assert_string_equal(bench.platform.err.c_str(), "");
    assert_true(bench.Asked() == (std::vector<int>{kRead, kGetNonce, kMru, kRead}));
    // It is proved for a while.
    assert_true(Has(bench.Run("rv"), "stratum=3"));
    assert_true(bench.Asked() == (std::vector<int>{kRead}));
  }
}

void OneProofIsForTheWholeCommand(void**) {
  Bench bench;
  const std::string out = bench.Run("peers");
  assert_int_equal(std::count(out.begin(), out.end(), '\n'), 5);
  assert_true(bench.Asked() ==
              (std::vector<int>{kStatus, kGetNonce, kMru, kStatus, kRead, kRead, kRead}));
}

void EveryWayOfAskingProves(void**) {
  for (const char* line : {"rv", "peers", "as", "cv", "sysinfo", "sysstats", "kerninfo", "pstats 1",
                           "why &1", "mrulist", "monstats", "rl", "lassociations"}) {
    for (const bool json : {false, true}) {
      Bench bench;
      bench.session.settings.json = json;
      const std::string out = bench.Run(line);
      if (Has(out + bench.platform.err, "disallowed") || out.empty())
        fail_msg("%s: %s%s", line, out.c_str(), bench.platform.err.c_str());
    }
  }
  Bench metrics;
  PrintMetrics(metrics.session, MetricsFormat::kOpenMetrics);
  assert_true(Has(metrics.platform.out, "ntpward_up 1\n"));
  Bench watch;
  IdentityCache identities;
  assert_true(TakeSnapshot(watch.session, identities).ok());
}

void TheRequestForANonceIsAsLongAsItsAnswer(void**) {
  Bench bench;
  assert_true(Has(bench.Run("mrulist"), "192.0.2.1"));
  assert_true(bench.Asked() == (std::vector<int>{kGetNonce, kGetNonce, kMru}));
  assert_int_equal(bench.server.sent[0].size(), 12);
  assert_true(bench.server.sent[1].size() >= 44);
}

// The user hears what he would hear of a server that means it.
void AServerThatIsNeverContentCostsAFewQuestions(void**) {
  struct Row {
    Mood mood;
    size_t questions;
    double seconds;
  };
  const Row rows[] = {{Mood::kDeaf, 2, 0},
                      {Mood::kNoPurpose, 2, 0},
                      {Mood::kNever, 4, 0},
                      {Mood::kSilent, 3, 2 * 5}};
  for (const Row& row : rows) {
    Bench bench(row.mood);
    const MonoTime start = bench.server.now;
    bench.Run("rv");
    assert_string_equal(bench.platform.err.c_str(),
                        "***Server disallowed request (authentication?)\n");
    assert_int_equal(bench.server.sent.size(), row.questions);
    assert_true(bench.server.now - start <= row.seconds + 0.01);
  }
}

// Ten associations, of which each is refused anew: a command proves our address once.
void ALongCommandProvesOnce(void**) {
  Bench bench(Mood::kNever);
  std::string list;
  for (char id = 1; id <= 10; ++id) list += {'\0', id, '\x94', '\x1a'};
  bench.server.on_request = [&](const wire::ControlRequest& request) {
    const ControlOp op = request.header.op;
    if (op == ControlOp::kReadStatus) return bench.server.Answer(request, list);
    if (op == ControlOp::kRequestNonce)
      return bench.server.Answer(request, "nonce=" + std::string(kNonce));
    if (op == ControlOp::kReadMru) return bench.server.Answer(request, "now=0xeeacac95.123456c0");
    bench.server.Refuse(request, ControlError::kPermission);
  };
  bench.Run("peers");
  const std::vector<int> asked = bench.Asked();
  assert_int_equal(std::count(asked.begin(), asked.end(), kGetNonce), 1);
  assert_int_equal(std::count(asked.begin(), asked.end(), kMru), 1);
  assert_true(std::count(asked.begin(), asked.end(), kRead) >= 10);
}

void OnlyReadsThatAreNotAllowedWantAProof(void**) {
  const auto refused = [](ControlError code) {
    return Result<Reply, QueryError>(
        Fail(QueryError{QueryError::Kind::kRefused, code, std::string()}));
  };
  for (const ControlOp op : {ControlOp::kReadStatus, ControlOp::kReadVariables,
                             ControlOp::kReadClock, ControlOp::kRequestNonce}) {
    assert_true(MayWantProof(op, refused(ControlError::kPermission)));
    assert_false(MayWantProof(op, refused(ControlError::kUnknownVariable)));
    assert_false(MayWantProof(op, Fail(QueryError{QueryError::Kind::kNothing, {}, {}})));
    assert_false(MayWantProof(op, Reply{}));
  }
  for (const ControlOp op :
       {ControlOp::kWriteVariables, ControlOp::kConfigure, ControlOp::kSaveConfig,
        ControlOp::kReadMru, ControlOp::kReadOrderedList})
    assert_false(MayWantProof(op, refused(ControlError::kPermission)));
}

// So that who saw the question cannot ask it himself.
void UnderAMacTheNonceIsPartOfTheQuestion(void**) {
  Bench bench;
  bench.session.settings.authenticate = true;
  bench.session.key = KeyId{4};
  assert_true(bench.session.SetPassword("secret"));
  bench.Run("rv 0 privsep");
  assert_true(bench.Asked() == (std::vector<int>{kRead, kGetNonce, kMru, kRead}));
  const auto last = wire::ParseControlRequest(bench.server.sent.back());
  assert_true(AsText(last->data) == "privsep nonce=" + std::string(kNonce));
  assert_true(last->mac.has_value());
  Bench plain;
  plain.Run("rv 0 privsep");
  assert_true(AsText(wire::ParseControlRequest(plain.server.sent.back())->data) == "privsep");
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ProvesOurAddressAndAsksAgain),
      cmocka_unit_test(OneProofIsForTheWholeCommand),
      cmocka_unit_test(EveryWayOfAskingProves),
      cmocka_unit_test(TheRequestForANonceIsAsLongAsItsAnswer),
      cmocka_unit_test(AServerThatIsNeverContentCostsAFewQuestions),
      cmocka_unit_test(ALongCommandProvesOnce),
      cmocka_unit_test(OnlyReadsThatAreNotAllowedWantAProof),
      cmocka_unit_test(UnderAMacTheNonceIsPartOfTheQuestion),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
