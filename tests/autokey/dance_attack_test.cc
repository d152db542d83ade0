// What attackers send to a dance: NAKs, replays, wrong stamps, lengths, pieces and giants.
#include <random>

#include "tests/autokey/guide.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

void StampsAreCheckedInTheReferencesOrder(void**) {
  struct Row {
    uint32_t timestamp, filestamp;
    Outcome outcome;
  };
  for (const Row& row : {Row{0, 0, Outcome::kTimestamp}, Row{0, kTestNow, Outcome::kTimestamp},
                         Row{kTestNow, kTestNow + 1, Outcome::kTimestamp},
                         // Beyond 2036 counts as later, not as 1900.
                         Row{kTestNow, 5, Outcome::kTimestamp}}) {
    Guide guide;
    assert_true(guide->PollUntil(AutokeyCode::kIff));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    field.timestamp = NtpSeconds{row.timestamp};
    field.filestamp = NtpSeconds{row.filestamp};
    guide->Deliver(guide.server.SignField(field));
    assert_int_equal(guide->last.outcome, row.outcome);
    assert_true(guide->restarts.empty());
  }
}

// CVE-2016-4955, -4953: neither a bad MAC nor a NAK that does not answer us may touch the dance.
// The caller has matched origin and key for a NAK that comes here.
void BadMacChangesNothing(void**) {
  Guide guide;
  guide.Associate();
  const uint32_t before = guide.dance().flags();
  for (int i = 0; i < 1000; ++i) {
    const DanceResult result = guide.dance().OnBadMac();
    assert_true(result.jobs.empty());
    assert_true(result.restart == Restart::kNone);
  }
  assert_int_equal(guide.dance().flags(), before);
  assert_true(guide.dance().proven());
  assert_false(guide->Poll().has_value());
}

// CVE-2016-4957: a NAK in every state, before anything began too.
void ValidNakStartsOverInEveryState(void**) {
  for (int steps = 0; steps <= 4; ++steps) {
    Guide guide;
    for (int i = 0; i < steps; ++i) guide->Poll();
    const DanceResult result = guide.dance().OnCryptoNak(guide->context());
    assert_true(result.restart == (steps == 0 ? Restart::kNone : Restart::kCryptoNak));
    assert_int_equal(result.jobs.size(), steps == 0 ? 0 : 1);
    assert_int_equal(guide.dance().flags(), 0);
    guide.Associate();
  }
}

void RecoversFromANakStorm(void**) {
  Guide guide;
  for (int i = 0; i < 1000; ++i) {
    guide->Poll();
    guide->RunJobs(guide.dance().OnCryptoNak(guide->context()));
  }
  guide.Associate();
}

void AnswersThatWereNotAskedForChangeNothing(void**) {
  Guide guide;
  std::vector<std::vector<uint8_t>> answers;
  for (int i = 0; i < 4; ++i) {
    guide->request = guide.dance().NextRequest(guide->context());
    answers.push_back(guide->Answer(guide->request.field));
    guide->Deliver(answers.back());
  }
  const uint32_t before = guide.dance().flags();
  for (int round = 0; round < 3; ++round) {
    for (const auto& answer : answers) {
      const DanceResult result = guide.dance().OnResponse(answer, guide->context());
      assert_int_equal(result.outcome, Outcome::kProtocol);
      assert_true(result.jobs.empty());
    }
    guide->Poll();
  }
  assert_int_equal(guide.dance().flags(), before);
}

// Half dances in any order, with genuine answers of an earlier dance replayed at every step: the
// client ends where it should, and never believes more than it was shown.
void SurvivesGenuineAnswersInAnyOrder(void**) {
  std::mt19937 random(1);
  std::vector<std::vector<uint8_t>> recorded;
  Guide first;
  for (int i = 0; i < 4; ++i) {
    first->request = first.dance().NextRequest(first->context());
    recorded.push_back(first->Answer(first->request.field));
    first->Deliver(recorded.back());
  }
  for (int round = 0; round < 20; ++round) {
    Guide guide;
    for (int i = 0; i < 60; ++i) {
      guide->now += 2;
      guide->request = guide.dance().NextRequest(guide->context());
      guide->RunJobs(guide->request.effects);
      guide->Deliver(recorded[random() % recorded.size()]);
      if (random() % 8 == 0) guide.dance().OnKeysRestarted();
      if (random() % 16 == 0) guide->RunJobs(guide.dance().OnCryptoNak(guide->context()));
      const uint32_t flags = guide.dance().flags();
      assert_true((flags & kVerified) == 0 || (flags & kTrusted) != 0);
      assert_true((flags & kCookie) == 0 || (flags & kVerified) != 0);
    }
    guide->RunJobs(guide.dance().OnCryptoNak(guide->context()));
    guide.Associate();
  }
}

// CVE-2009-1252, CVE-2014-9295, -9750, CVE-2015-7691, -7692, -7702: each answer with each length of
// value and signature that an attacker would try.
void RefusesEveryWrongLengthAtEveryStep(void**) {
  for (const AutokeyCode step : {AutokeyCode::kAssociation, AutokeyCode::kCertificate,
                                 AutokeyCode::kIff, AutokeyCode::kCookie}) {
    Guide guide;
    assert_true(guide->PollUntil(step));
    const auto genuine = guide->Answer(guide->request.field);
    const auto parsed = *wire::ParseAutokeyField(genuine);
    const auto n = static_cast<uint32_t>(parsed.value.size());
    const auto s = static_cast<uint32_t>(parsed.signature.size());
    const uint32_t before = guide.dance().flags();
    const auto refuses = [&](size_t at, uint32_t length) {
      auto changed = genuine;
      Writer(MutableBytes(changed).subspan(at)).U32(length);
      const DanceResult result = guide.dance().OnResponse(changed, guide->context());
      assert_true(result.outcome != Outcome::kOk || result.restart != Restart::kNone);
      assert_true(guide.dance().flags() == before || guide.dance().flags() == 0);
      // Enough wrong answers start over; come back to the step.
      if (guide.dance().flags() != before) assert_true(guide->PollUntil(step));
    };
    for (const uint32_t length : {0U, n - 8, n + 9, 0x7fffffffU, 0x80000000U, 0xffffffffU})
      refuses(16, length);
    for (const uint32_t length : {s + 4, s + 9, 0x7fffffffU, 0x80000000U, 0xffffffffU})
      refuses(20 + (n + 3) / 4 * 4, length);
    guide->Deliver(genuine);
  }
}

void EveryPrefixOfAnAnswerIsRefused(void**) {
  for (const AutokeyCode step : {AutokeyCode::kAssociation, AutokeyCode::kCertificate,
                                 AutokeyCode::kIff, AutokeyCode::kCookie}) {
    Guide guide;
    assert_true(guide->PollUntil(step));
    const auto genuine = guide->Answer(guide->request.field);
    for (size_t size = 0; size < genuine.size(); ++size) {
      Bytes prefix = Bytes(genuine).first(size);
      const DanceResult result = guide.dance().OnResponse(prefix, guide->context());
      assert_int_equal(result.outcome, Outcome::kProtocol);
      assert_true(result.jobs.empty());
    }
    guide->Deliver(genuine);
    assert_int_equal(guide->last.outcome, Outcome::kOk);
  }
}

void OversizedAnswersAreRefused(void**) {
  for (const AutokeyCode step :
       {AutokeyCode::kCertificate, AutokeyCode::kIff, AutokeyCode::kCookie}) {
    Guide guide;
    assert_true(guide->PollUntil(step));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    const std::vector<uint8_t> big(1944, 0x30);
    field.value = big;
    // As long as a packet allows, with a signature that is good.
    std::vector<uint8_t> covered(12 + big.size());
    Writer cover(covered);
    cover.U32(field.timestamp.value), cover.U32(field.filestamp.value);
    cover.U32(static_cast<uint32_t>(big.size())), cover.Put(big);
    const auto signature = guide.server.key->Sign(guide.server.scheme, covered);
    field.signature = signature;
    guide->Deliver(EncodedField(field));
    assert_true(guide->last.outcome != Outcome::kOk);
  }
}

// A reload with a new key in the middle of the dance: what was asked comes under its signature, and
// will come so for ever. Two of them, and the dance begins anew.
void AServerThatChangedItsKeyInTheMiddleIsLearnedAnew(void**) {
  for (const AutokeyCode step : {AutokeyCode::kIff, AutokeyCode::kCookie}) {
    Guide guide;
    assert_true(guide->PollUntil(step));
    Party changed("server", TestKey::Shared(2), true, kIff);
    changed.Sign(kTestNow);
    for (int i = 0; i < ClientDance::kMaxMisfits; ++i) {
      assert_true(guide->restarts.empty());
      guide->request = guide.dance().NextRequest(guide->context());
      const auto field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
      guide->Deliver(changed.SignField(field));
      assert_int_equal(guide->last.outcome, Outcome::kSignature);
    }
    assert_true(guide->restarts.size() == 1 && guide->restarts[0] == Restart::kFailures);
    guide.Associate();
  }
}

// One that somebody slipped in between genuine ones costs a poll and nothing else, and so does one
// of another kind.
void SingleMisfitsDoNotAddUp(void**) {
  Guide guide;
  for (const AutokeyCode step : {AutokeyCode::kIff, AutokeyCode::kCookie}) {
    assert_true(guide->PollUntil(step));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    std::vector<uint8_t> forged(field.signature.begin(), field.signature.end());
    forged[8] ^= 1;
    field.signature = forged;
    guide->Deliver(EncodedField(field));
    assert_int_equal(guide->last.outcome, Outcome::kSignature);
    if (step == AutokeyCode::kIff) guide->Poll();
  }
  assert_true(guide->restarts.empty());
  guide->Poll();
  assert_true(guide.dance().proven());
}

// Who has proved itself loses nothing by two: its cookie is asked for again, and it is renewed.
void MisfitsDoNotStartAProvenServerOver(void**) {
  Guide guide;
  guide.Associate();
  guide.dance().OnKeysRestarted();
  assert_true(guide->PollUntil(AutokeyCode::kCookie));
  Party changed("server", TestKey::Shared(2), true, kIff);
  changed.Sign(kTestNow);
  const auto field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
  for (int i = 1; i < ClientDance::kMaxFailures; ++i) guide->Deliver(changed.SignField(field));
  assert_true(guide->restarts.empty() && guide.dance().identified());
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(StampsAreCheckedInTheReferencesOrder),
      cmocka_unit_test(BadMacChangesNothing),
      cmocka_unit_test(ValidNakStartsOverInEveryState),
      cmocka_unit_test(RecoversFromANakStorm),
      cmocka_unit_test(AnswersThatWereNotAskedForChangeNothing),
      cmocka_unit_test(SurvivesGenuineAnswersInAnyOrder),
      cmocka_unit_test(RefusesEveryWrongLengthAtEveryStep),
      cmocka_unit_test(EveryPrefixOfAnAnswerIsRefused),
      cmocka_unit_test(OversizedAnswersAreRefused),
      cmocka_unit_test(AServerThatChangedItsKeyInTheMiddleIsLearnedAnew),
      cmocka_unit_test(SingleMisfitsDoNotAddUp),
      cmocka_unit_test(MisfitsDoNotStartAProvenServerOver),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
