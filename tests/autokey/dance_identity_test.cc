// Who counts as proved: the group's challenge, and what an operator may waive.
#include "tests/autokey/guide.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

void ChallengeIsFetchedBeforeThePollThatSendsIt(void**) {
  Guide guide;
  guide->Poll();
  guide->request = guide.dance().NextRequest(guide->context());
  const auto answer = guide->Answer(guide->request.field);
  const DanceResult result = guide.dance().OnResponse(answer, guide->context());
  assert_int_equal(result.jobs.size(), 1);
  assert_true(std::holds_alternative<msg::IdentityChallenge>(result.jobs[0].operation));
  // Not there yet: nothing is sent, and no second challenge is drawn.
  guide->request = guide.dance().NextRequest(guide->context());
  assert_true(guide->request.kind == NextField::Kind::kWait);
  assert_true(guide->request.effects.jobs.empty());
  guide->RunJobs(result);
  assert_true(guide->Poll() == AutokeyCode::kIff);
}

// ntpd-keys keeps their operations apart.
void WhatIsAskedForAStrangerIsMarked(void**) {
  for (const bool chosen : {true, false}) {
    Guide guide(kIff, true, {"", false, false, chosen});
    guide->Poll();
    size_t marked = 0, operations = 0;
    for (int polls = 0; polls < 6 && !guide.dance().proven(); ++polls) {
      guide->request = guide.dance().NextRequest(guide->context());
      const auto answer = guide->Answer(guide->request.field);
      const DanceResult result = guide.dance().OnResponse(answer, guide->context());
      for (const ClientJob& job : result.jobs) {
        std::visit(
            [&](const auto& operation) {
              if constexpr (requires { operation.stranger; })
                ++operations, marked += operation.stranger;
            },
            job.operation);
      }
      guide->RunJobs(result);
    }
    assert_int_equal(operations, 3);  // challenge, proof, cookie
    assert_int_equal(marked, chosen ? 0 : operations);
  }
}

void TrustedCertificatesAloneEndAt3f01WhenTheOperatorAllows(void**) {
  Guide guide(0, false, {"", true, false});
  while (guide->Poll()) {
  }
  guide.Synchronise();
  guide->Poll();
  assert_int_equal(guide.dance().flags(), 0x83f01);
  assert_true(guide.dance().identity() == "TC");
}

void RefusedServerIsAskedAgainAndSaidOnce(void**) {
  Guide guide(kIff, false);
  for (int i = 0; i < 10; ++i) guide->Poll();
  assert_false(guide.dance().proven());
  assert_true(guide->restarts.size() >= 4);
  for (const Restart restart : guide->restarts) assert_true(restart == Restart::kIdentity);
  assert_int_equal(guide->events.size(), 1);
  assert_true(guide->events[0].find("ntpkey_iffpar_server") != std::string::npos);
  assert_true(guide.dance().refusal() == guide->events[0]);
  // Nothing of the refused trail was kept.
  assert_int_equal(guide.client.certificates.entries().size(), 1);
  // The operator installs the key.
  guide.client.AddGroup("server");
  guide->RunJobs(guide.dance().OnHostChanged(Restart::kHost, guide->context()));
  guide.Associate();
  assert_true(guide.dance().refusal().empty());
}

void ServerThatHidesItsSchemeIsRefused(void**) {
  Guide guide(0, true, {"", true, true});
  for (int i = 0; i < 6; ++i) guide->Poll();
  assert_false((guide.dance().flags() & kVerified) != 0);
  assert_true(guide.dance().refusal().find("no identity scheme") != std::string::npos);
}

// Group keys have no end: those that ntp-keygen 4.2.6 made when it was new are dated 2009, those of
// a host without a clock of its own 1970.
void AGroupKeyOfAnyAgeProves(void**) {
  for (const uint32_t filestamp : {0xced00000U, 0xb3000000U, kUnixToNtpSeconds + 10}) {
    Guide guide(kIff, false);
    guide.server.group_filestamp = guide.client.group_filestamp = filestamp;
    guide.client.AddGroup("server");
    guide.Associate();
    assert_true(guide.dance().identity() == "IFF");
    assert_true(guide->restarts.empty());
  }
}

void WrongGroupKeyIsNeverAccepted(void**) {
  Guide guide;
  guide.client.group_secret = 8;
  for (int i = 0; i < 50; ++i) {
    guide->Poll();
    assert_false((guide.dance().flags() & (kVerified | kCookie)) != 0);
  }
  assert_true(guide.dance().refusal().find("did not prove") != std::string::npos);
  // What it said before is dropped (Upstreams::NoteLeap), as of anybody who is refused.
  assert_true(guide->restarts.back() == Restart::kIdentity);
}

// Nobody but who signs as the server does can have us forget what it said: neither forged fields,
// though a wrong proof be among them, nor a crypto-NAK.
void WhatAForgerCanSendIsNoRefusal(void**) {
  Guide guide;
  guide.client.group_secret = 8;
  assert_true(guide->PollUntil(AutokeyCode::kIff));
  guide->Deliver(guide->Answer(guide->request.field));
  assert_int_equal(guide->last.outcome, Outcome::kIdentity);
  for (int i = 0; i < ClientDance::kMaxMisfits; ++i) {
    assert_true(guide->restarts.empty());
    assert_true(guide->PollUntil(AutokeyCode::kIff));
    std::vector<uint8_t> forged = guide->Answer(guide->request.field);
    forged.back() ^= 1;
    guide->Deliver(forged);
    assert_int_equal(guide->last.outcome, Outcome::kSignature);
  }
  assert_int_equal(guide->restarts.size(), 1);
  assert_true(guide->restarts[0] == Restart::kFailures);

  assert_true(guide->PollUntil(AutokeyCode::kIff));
  for (int i = 1; i < ClientDance::kMaxFailures; ++i) {
    guide->Deliver(guide->Answer(guide->request.field));
    assert_true(guide->PollUntil(AutokeyCode::kIff));
  }
  assert_true(guide.dance().OnCryptoNak(guide->context()).restart == Restart::kCryptoNak);
}

void OtherGenerationOfTheGroupKeyIsNamed(void**) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kIff));
  auto answer = guide->Answer(guide->request.field);
  wire::AutokeyField field = *wire::ParseAutokeyField(answer);
  field.filestamp = NtpSeconds{kTestNow - 199};
  guide->Deliver(guide.server.SignField(field));
  assert_int_equal(guide->last.outcome, Outcome::kFilestamp);
  assert_true(guide.dance().refusal().find("generation") != std::string::npos);
}

// To install what that server exports, as if it were ours, would let it pass for the group.
void AServerOfAnotherGroupIsNotTakenForAnotherGeneration(void**) {
  struct Case {
    const char* name;
    const char* pinned;
    bool generation;
    const char* said;
  };
  constexpr Case kCases[] = {
      {"server", "other", false, "it is perhaps of group \"server\""},
      {"host@server", "other", false, "it is perhaps of group \"server\", as its trusted "},
      {"host@other", "other", true, "another generation of the group key for \"other\""},
      {"server", "server", true, "another generation of the group key for \"server\""},
  };
  for (const Case& row : kCases) {
    Party server(row.name, TestKey::Shared(0), true, kIff);
    Party client("client", TestKey::Shared(1), false);
    client.AddGroup(row.pinned);
    client.certificates.SetOwn(client.host.certificate());
    server.Sign(kTestNow);
    DancePolicy policy;
    policy.group = row.pinned;
    Meeting meeting(client, server, policy);
    assert_true(meeting.PollUntil(AutokeyCode::kIff));
    wire::AutokeyField field = *wire::ParseAutokeyField(meeting.Answer(meeting.request.field));
    field.filestamp = NtpSeconds{kTestNow - 199};
    meeting.Deliver(server.SignField(field));
    assert_int_equal(meeting.last.outcome, Outcome::kFilestamp);
    const std::string& said = meeting.dance.refusal();
    assert_true(said.find(row.said) != std::string::npos);
    assert_int_equal(said.find("install") != std::string::npos, row.generation);
    assert_int_equal(said.find("did not prove") != std::string::npos, !row.generation);
  }
}

void ServerThatCannotProveIsRefused(void**) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kIff));
  const std::vector<uint8_t> error = {0xc2, 7, 0, 8, 0, 0, 0xa8, 0x6e};
  guide->Deliver(error);
  assert_true(guide->restarts.back() == Restart::kIdentity);
  assert_int_equal(guide.dance().flags(), 0);
}

// The statement of the protocol's limit: a relay with its own key passes for the server, because
// the proof of the group is not bound to the key that signs it. Autokey cannot do better.
void ARelayOfTheProofIsAcceptedWhichIsALimitOfTheProtocol(void**) {
  Guide guide;
  Party relay("server", TestKey::Shared(2), true, kIff);
  relay.Sign(kTestNow);
  Meeting meeting(guide.client, relay);
  assert_true(meeting.PollUntil(AutokeyCode::kIff));
  // It asks the genuine server and signs the answer with a key of its own.
  wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(meeting.request.field));
  meeting.Deliver(relay.SignField(field));
  assert_true((meeting.dance.flags() & kVerified) != 0);
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ChallengeIsFetchedBeforeThePollThatSendsIt),
      cmocka_unit_test(WhatIsAskedForAStrangerIsMarked),
      cmocka_unit_test(TrustedCertificatesAloneEndAt3f01WhenTheOperatorAllows),
      cmocka_unit_test(RefusedServerIsAskedAgainAndSaidOnce),
      cmocka_unit_test(ServerThatHidesItsSchemeIsRefused),
      cmocka_unit_test(AGroupKeyOfAnyAgeProves),
      cmocka_unit_test(WrongGroupKeyIsNeverAccepted),
      cmocka_unit_test(WhatAForgerCanSendIsNoRefusal),
      cmocka_unit_test(OtherGenerationOfTheGroupKeyIsNamed),
      cmocka_unit_test(AServerOfAnotherGroupIsNotTakenForAnotherGeneration),
      cmocka_unit_test(ServerThatCannotProveIsRefused),
      cmocka_unit_test(ARelayOfTheProofIsAcceptedWhichIsALimitOfTheProtocol),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
