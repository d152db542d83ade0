// A client whose dance renews itself, and its server.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ntpd/autokey/renewing_dance.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {

// A client that polls every 16 s, and a server that answers unless it is told not to.
struct Couple {
  explicit Couple(uint32_t bits = kIff, DancePolicy policy = {})
      : server("server", TestKey::Shared(0), true, bits),
        client("client", TestKey::Shared(1), false),
        dance(AssocId{43118}, std::move(policy), MonoTime{}) {
    client.AddGroup("server");
    client.certificates.SetOwn(client.host.certificate());
    server.Sign(kTestNow);
    client.Sign(kTestNow);
  }

  DanceContext context() {
    return {client.host, client.certificates, MonoTime::FromSeconds(elapsed),
            NtpSeconds{kTestNow + static_cast<uint32_t>(ahead + elapsed)}, true};
  }

  void Note(const DanceResult& result) {
    if (!result.event.empty()) events.push_back(result.event);
    if (result.restart != Restart::kNone) restarts.push_back(result.restart);
    for (const ClientJob& job : result.jobs) {
      if (std::holds_alternative<msg::ForgetAssociation>(job.operation)) {
        ++forgotten;
      } else if (const auto* challenge = std::get_if<msg::IdentityChallenge>(&job.operation)) {
        Note(dance.OnValueAnswer(job.ticket, client.Challenge(*challenge), context()));
      } else {
        Note(dance.OnVerdict(job.ticket, client.Verdict(job.operation), context()));
      }
    }
  }

  // What was asked; none for a plain packet, which counts as time when the cookie is proven.
  std::optional<wire::AutokeyCode> Poll() {
    elapsed += 16;
    NextField next = dance.NextRequest(context());
    Note(next.effects);
    if (next.kind == NextField::Kind::kWait) {
      next = dance.NextRequest(context());
      Note(next.effects);
    }
    if (next.kind == NextField::Kind::kPlain && dance.proven()) last_time = elapsed;
    longest_gap = std::max(longest_gap, elapsed - last_time);
    if (next.kind != NextField::Kind::kField) return std::nullopt;
    return AnswerTo(next.field);
  }

  // The server's answer arrives.
  wire::AutokeyCode AnswerTo(Bytes question) {
    const auto code = static_cast<wire::AutokeyCode>(question[1]);
    asked.push_back(code);
    const AddressPair path{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};
    const ServerContext there{server.host, server.certificates, context().now, true};
    ServerAnswer answer = server.side.OnRequest(question, path, there);
    if (answer.kind == ServerAnswer::Kind::kAskKeys)
      answer = server.side.OnValueAnswer(answer.pending, server.Answer(*answer.operation));
    if (tamper) tamper(answer.field);
    Note(dance.OnResponse(answer.field, context()));
    return code;
  }

  // As a listener to broadcasts, which polls nobody and asks beside; looked at every `step` s.
  void ListenFor(double seconds, double step = 2) {
    for (const double end = elapsed + seconds; elapsed < end;) {
      elapsed += step;
      auto next = dance.NextOfRenewal(context());
      if (!next) next = dance.NextBeside(context());
      if (!next) continue;
      Note(next->effects);
      if (next->kind == NextField::Kind::kField) (void)AnswerTo(next->field);
    }
  }

  void PollFor(double seconds) {
    for (const double end = elapsed + seconds; elapsed < end;) Poll();
  }

  // The server's host key is another, `seconds` after the start.
  void RenewServer(uint32_t seconds) {
    Party renewed("server", TestKey::Shared(2), true, kIff);
    renewed.Sign(kTestNow + seconds);
    GiveKeys(renewed, &server);
  }
  static void GiveKeys(const Party& from, Party* to) {
    to->key = from.key;
    to->material = from.material;
    to->host = from.host;
    to->certificates = from.certificates;
  }

  // Complete, with the certificate signed; measuring begins.
  void Begin(uint32_t complete = 0x83f21) {
    for (int i = 0; i < 6; ++i) Poll();
    assert_int_equal(dance.flags(), complete);
    events.clear();
    asked.clear();
    last_time = elapsed;
    longest_gap = 0;
    forgotten = 0;
  }

  size_t Asked(wire::AutokeyCode code) const {
    return static_cast<size_t>(std::count(asked.begin(), asked.end(), code));
  }

  // Nothing was lost: no start over, no cookie forgotten, time at every other poll at least.
  void ExpectNothingLost() const {
    assert_true(restarts.empty());
    assert_int_equal(forgotten, 0);
    assert_true(longest_gap <= 48);
    assert_true(dance.proven());
  }

  Party server, client;
  RenewingDance dance;
  std::function<void(std::vector<uint8_t>&)> tamper;
  double elapsed = 0, last_time = 0, longest_gap = 0;
  double ahead = 0;  // s, that the calendar ran without anybody
  int forgotten = 0;
  std::vector<std::string> events;
  std::vector<Restart> restarts;
  std::vector<wire::AutokeyCode> asked;
};

}  // namespace ntpward::autokey::test
