// Hostile answers to every question that a client can ask, and hostile certificates at every place
// of a trail: names, sizes, loops and times. Nothing of them is kept, and the honest answer still
// counts.
#include "tests/autokey/question.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

// CVE-2009-1252, CVE-2014-9295, CVE-2014-9750, CVE-2015-7691, -7692, -7702: every opcode with each
// of the lengths 0, n-1, n+1, 2^31 and 2^32-1, of value and of signature.
void EveryAnswerWithEveryWrongLengthIsRefused(void**) {
  for (const AutokeyCode code : kAllQuestions) {
    Question question(code);
    const auto genuine = question.Ask();
    const auto field = *wire::ParseAutokeyField(genuine);
    const auto n = static_cast<uint32_t>(field.value.size());
    const auto s = static_cast<uint32_t>(field.signature.size());
    const size_t signature_at = 20 + (n + 3) / 4 * 4;
    const bool is_signed = code != AutokeyCode::kAssociation && code != AutokeyCode::kCertificate;
    const uint32_t before = question.meeting->dance.flags();
    for (const size_t at : {size_t{16}, signature_at}) {
      const uint32_t right = at == 16 ? n : s;
      for (const uint32_t length : {0U, right - 1, right + 1, 0x80000000U, 0xffffffffU}) {
        // Of a name that nobody signed one letter less is another name.
        const bool near = length == right - 1 || length == right + 1;
        if (!is_signed && (near || (at != 16 && length == 0))) continue;
        auto changed = genuine;
        Writer(MutableBytes(changed).subspan(at)).U32(length);
        const DanceResult result =
            question.meeting->dance.OnResponse(changed, question.meeting->context());
        assert_true(result.outcome != Outcome::kOk || result.jobs.empty());
        const uint32_t after = question.meeting->dance.flags();
        assert_true(after == before || after == 0);
        assert_false(question.meeting->dance.proven() && (before & kCookie) == 0);
        if (after != before || result.restart != Restart::kNone) (void)question.Ask();
      }
    }
    // And the honest one, however many were refused before it.
    question.Begin();
    question.meeting->client_synchronised = true;
    question.meeting->Deliver(question.Ask());
    assert_int_equal(question.meeting->last.outcome, Outcome::kOk);
  }
}

void EveryPrefixOfEveryAnswerIsRefused(void**) {
  for (const AutokeyCode code : kAllQuestions) {
    Question question(code);
    const auto genuine = question.Ask();
    const uint32_t before = question.meeting->dance.flags();
    for (size_t size = 0; size < genuine.size(); ++size) {
      const DanceResult result = question.meeting->dance.OnResponse(Bytes(genuine).first(size),
                                                                    question.meeting->context());
      assert_true(result.outcome != Outcome::kOk);
      assert_int_equal(question.meeting->dance.flags(), before);
    }
    question.meeting->Deliver(genuine);
    assert_int_equal(question.meeting->last.outcome, Outcome::kOk);
  }
}

// Every genuine answer to every other question: none is taken for what was asked.
void AnswersToOtherQuestionsAreRefused(void**) {
  std::vector<std::vector<uint8_t>> answers;
  for (const AutokeyCode code : kAllQuestions) answers.push_back(Question(code).Ask());
  for (size_t asked = 0; asked < answers.size(); ++asked) {
    Question question(kAllQuestions[asked]);
    (void)question.Ask();
    const uint32_t before = question.meeting->dance.flags();
    for (size_t given = 0; given < answers.size(); ++given) {
      if (given == asked) continue;
      question.meeting->Deliver(answers[given]);
      assert_true(question.meeting->last.outcome != Outcome::kOk);
      assert_int_equal(question.meeting->dance.flags(), before);
    }
  }
}

void APrivateServersCookieIsNoOtherAnswer(void**) {
  Question question(AutokeyCode::kCookie, true);
  auto answer = question.Ask();
  for (size_t at = 8; at < answer.size(); at += 3) {
    auto changed = answer;
    changed[at] ^= 0x10;
    const auto result = question.meeting->dance.OnResponse(changed, question.meeting->context());
    const auto parsed = wire::ParseAutokeyField(changed);
    assert_true(result.outcome != Outcome::kOk || result.jobs.empty() || !parsed.ok());
    if (!question.meeting->dance.flags()) answer = question.Ask();
  }
  assert_false(question.meeting->dance.proven());
}

// Certificates as an attacker makes them, each signed by the key that it carries.
void HostileCertificatesLeaveNothingBehind(void**) {
  const CalendarSeconds now = kTestNow;
  const std::vector<CertificateSpec> hostile = {
      {.subject = "other", .issuer = "other", .usages = kTrustRoot},
      {.subject = "server", .issuer = "client", .usages = kTrustRoot},
      {.subject = "server", .issuer = "server", .not_before = now + 1000, .usages = kTrustRoot},
      {.subject = "server", .issuer = "server", .not_after = now - 10, .usages = kTrustRoot},
      {.subject = "server", .issuer = "server", .not_before = now + 9, .not_after = now + 8},
      {.subject = "server", .issuer = "server", .usages = kTrustRoot, .usage_twice = true},
      {.subject = "server", .issuer = "server", .usages = kTrustRoot, .second_name = true},
      {.subject = "ser\"ver", .issuer = "ser\"ver", .usages = kTrustRoot},
      {.subject = "server\n", .issuer = "server\n", .usages = kTrustRoot},
  };
  for (const CertificateSpec& spec : hostile) {
    Question question(AutokeyCode::kCertificate);
    auto genuine = question.Ask();
    const auto der = MakeCertificate(spec, TestKey::Shared(3)->pkey(), TestKey::Shared(3)->pkey());
    wire::AutokeyField field = *wire::ParseAutokeyField(genuine);
    field.value = der;
    const uint32_t before = question.meeting->dance.flags();
    question.meeting->Deliver(EncodedField(field));
    assert_true(question.meeting->last.outcome != Outcome::kOk);
    assert_int_equal(question.meeting->dance.flags(), before);
    assert_int_equal(question.client.certificates.entries().size(), 1);
    question.meeting->Deliver(genuine);
    assert_int_equal(question.meeting->dance.flags() & kTrusted, kTrusted);
  }
}

// A trail that is as long as it pleases, and one that bites its tail.
void TrailsThatNeverEndAreLeftAfterAFewSteps(void**) {
  for (const bool loop : {false, true}) {
    Question question(AutokeyCode::kCertificate);
    Meeting& meeting = *question.meeting;
    const auto key = TestKey::Shared(3);
    int asked = 0;
    for (int i = 0; i < 200; ++i) {
      meeting.now += 2;
      const NextField next = meeting.dance.NextRequest(meeting.context());
      if (next.kind != NextField::Kind::kField) continue;
      if (next.field[1] != 2) {
        meeting.Deliver(meeting.Answer(next.field));
        continue;
      }
      ++asked;
      const auto request = *wire::ParseAutokeyField(next.field);
      const std::string name(AsText(request.value));
      CertificateSpec spec;
      spec.subject = name;
      spec.issuer = loop ? (name == "a" ? "b" : "a") : name + "x";
      const auto der = MakeCertificate(spec, key->pkey(), key->pkey());
      wire::AutokeyField field = request;
      field.head.response = true;
      field.timestamp = NtpSeconds{meeting.now};
      field.filestamp = NtpSeconds{kTestNow - 200};
      field.value = der;
      meeting.Deliver(EncodedField(field));
      assert_false(meeting.dance.proven());
    }
    assert_true(asked > 8);
    assert_int_equal(question.client.certificates.entries().size(), 1);
    // The genuine server is heard once the forger is silent.
    for (int i = 0; i < 60 && !meeting.dance.proven(); ++i) meeting.Poll();
    assert_true(meeting.dance.proven());
  }
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryAnswerWithEveryWrongLengthIsRefused),
      cmocka_unit_test(EveryPrefixOfEveryAnswerIsRefused),
      cmocka_unit_test(AnswersToOtherQuestionsAreRefused),
      cmocka_unit_test(APrivateServersCookieIsNoOtherAnswer),
      cmocka_unit_test(HostileCertificatesLeaveNothingBehind),
      cmocka_unit_test(TrailsThatNeverEndAreLeftAfterAFewSteps),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
