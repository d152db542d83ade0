// Dances whose steps come in any order: answers replayed from another dance, left out, or mixed
// with NAKs and lost cookies. Nothing is believed before what it rests on, and the dance still
// ends.
#include <malloc.h>

#include <algorithm>

#include "ntpd/autokey/renewing_dance.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;
using Field = std::vector<uint8_t>;

const AddressPair kPath{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};

struct Pair {
  Pair()
      : server("server", TestKey::Shared(0), true, kIff),
        client("client", TestKey::Shared(1), false) {
    client.AddGroup("server");
    client.certificates.SetOwn(client.host.certificate());
    server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
    server.Sign(kTestNow);
    client.Sign(kTestNow);
  }
  Party server, client;
};

// One dance of the pair's client, whose clock is set.
struct Dancer {
  explicit Dancer(Pair* both) : pair(both), dance(AssocId{43118}, {}, MonoTime{}) {}

  DanceContext context() {
    return {pair->client.host, pair->client.certificates, MonoTime::FromSeconds(elapsed),
            NtpSeconds{kTestNow + static_cast<uint32_t>(elapsed)}, true};
  }
  void Run(const DanceResult& result) {
    for (const ClientJob& job : result.jobs) {
      if (std::holds_alternative<msg::ForgetAssociation>(job.operation)) continue;
      if (const auto* challenge = std::get_if<msg::IdentityChallenge>(&job.operation)) {
        Run(dance.OnValueAnswer(job.ticket, pair->client.Challenge(*challenge), context()));
      } else {
        Run(dance.OnVerdict(job.ticket, pair->client.Verdict(job.operation), context()));
      }
    }
    CheckOrder();
  }
  // What it asks now; empty when it has nothing to ask.
  Field Ask() {
    elapsed += 16;
    NextField next = dance.NextRequest(context());
    Run(next.effects);
    if (next.kind == NextField::Kind::kWait) {
      next = dance.NextRequest(context());
      Run(next.effects);
    }
    return next.kind == NextField::Kind::kField ? next.field : Field();
  }
  Field ServersAnswer(Bytes request) {
    const ServerContext there{pair->server.host, pair->server.certificates, context().now, true};
    ServerAnswer answer = pair->server.side.OnRequest(request, kPath, there);
    if (answer.kind == ServerAnswer::Kind::kAskKeys)
      answer =
          pair->server.side.OnValueAnswer(answer.pending, pair->server.Answer(*answer.operation));
    return answer.field;
  }
  // A whole poll with the server; false when nothing was asked.
  bool Poll() {
    const Field request = Ask();
    if (request.empty()) return false;
    Run(dance.OnResponse(ServersAnswer(request), context()));
    return true;
  }
  // Each bit rests on others.
  void CheckOrder() const {
    const uint32_t flags = dance.flags();
    const auto lit = [flags](uint32_t bits) { return (flags & bits) == bits; };
    assert_true(!lit(kVerified) || (lit(kTrusted) && !dance.identity().empty()));
    assert_true(!lit(kProven) || lit(kVerified));
    assert_true(!lit(kCookie) || lit(kVerified));
    assert_true(!lit(kSigned) || lit(kVerified));
    assert_true(!dance.proven() || (lit(kCookie) && lit(kProven)));
    assert_int_equal(flags != 0, !dance.server_name().empty());
  }

  Pair* pair;
  RenewingDance dance;
  double elapsed = 0;
};

// The answers of a whole dance, by what they answer, and the word that it ends at.
struct Recording {
  explicit Recording(Pair* pair) {
    Dancer dancer(pair);
    for (int i = 0; i < 40 && answers.size() < 6; ++i) {
      const Field request = dancer.Ask();
      if (request.empty()) continue;
      requests.push_back(request);
      answers.push_back(dancer.ServersAnswer(request));
      dancer.Run(dancer.dance.OnResponse(answers.back(), dancer.context()));
    }
    word = dancer.dance.flags();
    assert_int_equal(answers.size(), 6);  // ASSOC, CERT, IFF, COOKIE, SIGN and LEAP
  }
  std::vector<Field> requests, answers;
  uint32_t word = 0;
};

void ExpectItStillEnds(Dancer* dancer, uint32_t word) {
  for (int i = 0; i < 60 && dancer->dance.flags() != word; ++i) dancer->Poll();
  assert_int_equal(dancer->dance.flags(), word);
  assert_true(dancer->dance.proven());
}

// All 720 orders of another dance's answers, each given to whatever was asked.
void EveryOrderOfReplayedAnswersIsSurvived(void**) {
  Pair pair;
  const Recording recording(&pair);
  std::vector<size_t> order = {0, 1, 2, 3, 4, 5};
  int count = 0, proven = 0;
  do {
    Dancer dancer(&pair);
    size_t shown = 0;  // ASSOC, CERT, IFF and COOKIE, as far as they came in this order
    for (const size_t step : order) {
      (void)dancer.Ask();
      dancer.Run(dancer.dance.OnResponse(recording.answers[step], dancer.context()));
      // Only what came when it was asked for counts; here every challenge is the same.
      shown += shown < 4 && step == shown;
      assert_true(!dancer.dance.proven() || shown == 4);
      assert_true(dancer.dance.identity().empty() || shown >= 3);
    }
    proven += dancer.dance.proven();
    if (++count % 24 == 0) ExpectItStillEnds(&dancer, recording.word);
  } while (std::next_permutation(order.begin(), order.end()));
  assert_int_equal(count, 720);
  assert_true(proven > 0);
}

// What may happen at each of the first five polls.
enum class Event : uint8_t { kAnswer, kSilence, kNak, kKeysRestart, kOtherAnswer, kError, kCount };

void Do(Event event, const Recording& recording, size_t step, Dancer* dancer) {
  const Field request = dancer->Ask();
  switch (event) {
    case Event::kAnswer:
      if (!request.empty())
        dancer->Run(dancer->dance.OnResponse(dancer->ServersAnswer(request), dancer->context()));
      return;
    case Event::kNak:
      return dancer->Run(dancer->dance.OnCryptoNak(dancer->context()));
    case Event::kKeysRestart:
      dancer->dance.OnKeysRestarted();
      return dancer->CheckOrder();
    case Event::kOtherAnswer:
      return dancer->Run(dancer->dance.OnResponse(
          recording.answers[step % recording.answers.size()], dancer->context()));
    case Event::kError: {
      Field error(8);
      if (!request.empty()) std::copy_n(request.begin(), 8, error.begin());
      error[0] = 0xc2, error[2] = 0, error[3] = 8;
      return dancer->Run(dancer->dance.OnResponse(error, dancer->context()));
    }
    default:
      return;
  }
}

void EveryWayToBreakADanceOffIsSurvived(void**) {
  Pair pair;
  const Recording recording(&pair);
  constexpr size_t kSteps = 5, kKinds = static_cast<size_t>(Event::kCount);
  size_t ways = 1;
  for (size_t i = 0; i < kSteps; ++i) ways *= kKinds;
  size_t held = 0;
  for (size_t way = 0; way < ways; ++way) {
    if (way == 100) held = mallinfo2().uordblks;
    Dancer dancer(&pair);
    for (size_t step = 0, rest = way; step < kSteps; ++step, rest /= kKinds)
      Do(static_cast<Event>(rest % kKinds), recording, step, &dancer);
    if (way % 97 == 0) ExpectItStillEnds(&dancer, recording.word);
    assert_true(pair.client.certificates.entries().size() <= 4);
  }
  // The smallest allocation takes 32 octets: one that is lost at each would be seen. OpenSSL keeps
  // some now and then.
  assert_true(mallinfo2().uordblks <= held + ways * 16);
}

// The server keeps nothing of a dance, so that there is no order that could confuse it.
void AServersAnswerDoesNotDependOnWhatCameBefore(void**) {
  Pair pair;
  const Recording recording(&pair);
  Dancer dancer(&pair);
  const auto ask = [&](size_t step) {
    const ServerContext there{pair.server.host, pair.server.certificates, NtpSeconds{kTestNow},
                              true};
    return pair.server.side.OnRequest(recording.requests[step], kPath, there);
  };
  std::vector<ServerAnswer> alone;
  for (size_t step = 0; step < recording.requests.size(); ++step) alone.push_back(ask(step));
  // No more SIGN than its rate allows at once.
  std::vector<size_t> order = {0, 1, 2, 3, 4, 5};
  int signs = 1;
  do {
    for (const size_t step : order) {
      if (recording.requests[step][1] == 6 && ++signs > 150) continue;
      const ServerAnswer answer = ask(step);
      assert_true(answer.kind == alone[step].kind);
      assert_true(answer.field == alone[step].field);
      assert_int_equal(answer.outcome, alone[step].outcome);
      assert_int_equal(answer.operation.has_value(), alone[step].operation.has_value());
      if (answer.operation)
        assert_int_equal(answer.operation->index(), alone[step].operation->index());
    }
  } while (std::next_permutation(order.begin(), order.end()));
  assert_int_equal(pair.server.certificates.entries().size(), 1);
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryOrderOfReplayedAnswersIsSurvived),
      cmocka_unit_test(EveryWayToBreakADanceOffIsSurvived),
      cmocka_unit_test(AServersAnswerDoesNotDependOnWhatCameBefore),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
