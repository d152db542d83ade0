// Certificates in the dance: expired, forged, of another name, and ours as the server signs it.
#include "tests/autokey/guide.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

void ExpiredOwnCertificateIsSaidAndCostsNoPacket(void **) {
  Guide guide;
  guide.Associate();
  guide->now += static_cast<uint32_t>(kYear) + 10;
  guide.client.Sign(guide->now);
  DanceContext context = guide->context();
  context.mono = MonoTime{};
  context.synchronised = true;
  context.now = NtpSeconds{guide->now};
  const NextField next = guide.dance().NextRequest(context);
  assert_true(next.kind == NextField::Kind::kPlain);
  assert_int_equal(next.effects.outcome, Outcome::kPeriod);
  assert_true(next.effects.warn);
  assert_true(guide.dance().proven());
}

void OurOwnCertificateOfDaysToComeIsNotCalledExpired(void **) {
  Guide guide;
  guide.Associate();
  guide.client.Sign(guide->now);
  DanceContext context = guide->context();
  context.synchronised = true;
  context.now = NtpSeconds{kTestNow - 100000};
  const NextField next = guide.dance().NextRequest(context);
  assert_true(next.kind == NextField::Kind::kPlain);
  assert_int_equal(next.effects.outcome, Outcome::kNotYetValid);
  assert_true(next.effects.event.find("not valid yet") != std::string::npos);
}

void ExpiredServerCertificateIsRefusedWithItsDates(void **) {
  Guide guide;
  guide->now += static_cast<uint32_t>(kYear) + 10;
  guide.server.Sign(guide->now);
  guide->Poll();
  guide->Poll();
  assert_int_equal(guide->last.outcome, Outcome::kPeriod);
  assert_true(guide.dance().refusal().find("202711212348") != std::string::npos);
  assert_int_equal(guide.dance().flags() & kTrusted, 0);
}

// The server's own word cannot make a certificate valid that begins in a year; a day is forgiven.
void ACertificateOfDaysToComeIsRefused(void **) {
  for (const uint32_t behind : {80000U, 100000U}) {
    Guide guide;
    guide.Synchronise();
    const auto at = [&] {
      DanceContext context = guide->context();
      context.now = NtpSeconds{kTestNow - behind};
      return context;
    };
    (void)guide.dance().OnResponse(guide->Answer(guide.dance().NextRequest(at()).field), at());
    const auto result =
        guide.dance().OnResponse(guide->Answer(guide.dance().NextRequest(at()).field), at());
    const bool refused = behind > 86400;
    assert_int_equal(result.outcome, refused ? Outcome::kNotYetValid : Outcome::kOk);
    assert_int_equal(guide.dance().refusal().find("or ours, is wrong") != std::string::npos,
                     refused);
  }
}

void RefusesACertificateOfAnotherNameThanAskedFor(void **) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kCertificate));
  wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
  CertificateSpec spec;
  spec.subject = spec.issuer = "evil";
  spec.usages = kTrustRoot;
  const auto der = MakeCertificate(spec, TestKey::Shared(2)->pkey(), TestKey::Shared(2)->pkey());
  field.value = der;
  guide->Deliver(guide.server.SignField(field));
  assert_int_equal(guide->last.outcome, Outcome::kCertificate);
  assert_int_equal(guide.dance().flags(), 0x81021);
}

// It gives time all the same: its group was proved. What it cannot have is our name in our cache.
void AServerOfOurOwnNameIsSaid(void **) {
  for (const bool same_key : {false, true}) {
    Party server("ntp", TestKey::Shared(same_key ? 1 : 0), true);
    Party client("ntp", TestKey::Shared(1), false);
    server.Sign(kTestNow);
    DancePolicy policy;
    policy.optional_here = true;
    Meeting meeting(client, server, policy);
    for (int i = 0; i < 4; ++i) meeting.Poll();
    assert_true(meeting.dance.proven());
    assert_int_equal(meeting.events.size(), 1);
    const bool said = meeting.events[0].find("has our own name, ntp,") != std::string::npos;
    // Members of a farm are one host to their clients, and have one key.
    assert_int_equal(said, !same_key);
    assert_int_equal(client.certificates.entries().size(), 1);
    assert_true(client.certificates.entries()[0].certificate.key ==
                TestKey::Shared(1)->public_key());
  }
}

// A forger's certificate for the right name locks the genuine server out for a while, not for good.
void ForgedCertificateIsLeftBehindAfterAWhile(void **) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kCertificate));
  wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
  CertificateSpec spec;
  spec.usages = kTrustRoot;
  const auto der = MakeCertificate(spec, TestKey::Shared(2)->pkey(), TestKey::Shared(2)->pkey());
  field.value = der;
  guide->Deliver(guide.server.SignField(field));
  for (int i = 0; i < ClientDance::kMaxMisfits; ++i) {
    assert_false(guide.dance().proven());
    guide->Poll();
  }
  assert_true(guide->restarts.back() == Restart::kFailures);
  assert_string_equal(guide->events.back().c_str(),
                      "Autokey starts over: too many wrong answers, the last: its proof of "
                      "identity, signature_not_verified");
  guide.Associate();
}

void TheLastWrongCertificateIsNamed(void **) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kCertificate));
  wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
  const CertificateSpec spec{.subject = "evil", .issuer = "evil", .usages = kTrustRoot};
  const auto der = MakeCertificate(spec, TestKey::Shared(2)->pkey(), TestKey::Shared(2)->pkey());
  field.value = der;
  for (int i = 0; i < ClientDance::kMaxFailures; ++i) guide->Deliver(guide.server.SignField(field));
  assert_string_equal(guide->events.back().c_str(),
                      "Autokey starts over: too many wrong answers, the last: the certificate of "
                      "server, bad_or_missing_certificate");
}

// To renew one that is not valid yet would help nobody.
void ACertificateOfDaysToComeIsAMatterOfClocks(void **) {
  for (const bool expired : {false, true}) {
    Guide guide;
    assert_true(guide->PollUntil(AutokeyCode::kCertificate));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    const CalendarSeconds begin = CalendarSeconds{kTestNow} + (expired ? -5000 : 5000);
    const CertificateSpec spec{
        .not_before = begin, .not_after = begin + 1000, .usages = kTrustRoot};
    const auto der = MakeCertificate(spec, TestKey::Shared(0)->pkey(), TestKey::Shared(0)->pkey());
    field.value = der;
    field.filestamp = {kTestNow - 20000};
    guide->Deliver(guide.server.SignField(field));
    assert_int_equal(guide->last.outcome, expired ? Outcome::kPeriod : Outcome::kNotYetValid);
    const std::string_view says = expired ? "renew it there" : "the clock that it was made by";
    assert_true(guide.dance().refusal().find(says) != std::string::npos);
  }
}

// The genuine server has no certificate of the name, or of the issuer, that a forger slipped in.
void ForgedNamesAreLeftBehindAfterAWhile(void **) {
  for (const bool forge_name : {true, false}) {
    Guide guide;
    assert_true(guide->PollUntil(AutokeyCode::kAssociation));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    std::vector<uint8_t> der;
    if (forge_name) {
      field.value = AsBytes("forger");
    } else {
      guide->Poll();
      assert_true(guide->PollUntil(AutokeyCode::kCertificate));
      field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
      CertificateSpec spec;
      spec.issuer = "forger";
      der = MakeCertificate(spec, TestKey::Shared(2)->pkey(), TestKey::Shared(2)->pkey());
      field.value = der;
    }
    guide->Deliver(EncodedField(field));
    assert_int_equal(guide->last.outcome, Outcome::kOk);
    for (int i = 0; i < ClientDance::kMaxEmptyAnswers + 4; ++i) guide->Poll();
    assert_true(guide.dance().proven());
    assert_true(guide->restarts.empty());
  }
}

// Between ASSOC and CERT. Whoever reads the log or `autokeycause` is told.
void ARenamedServerIsAskedForItsNewName(void **) {
  for (const bool with_time : {true, false}) {
    Guide guide;
    assert_true(guide->PollUntil(AutokeyCode::kAssociation));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    field.value = AsBytes("former");
    if (!with_time) field.timestamp = NtpSeconds{};
    guide->Deliver(EncodedField(field));
    const int most = ClientDance::kMaxEmptyAnswers * (with_time ? 1 : 4);
    for (int i = 1; i < most; ++i) {
      assert_true(guide->Poll() == AutokeyCode::kCertificate);
      assert_int_equal(guide->last.outcome, Outcome::kOk);
    }
    assert_true(guide.dance().refusal().empty());
    assert_true(guide->Poll() == AutokeyCode::kCertificate);
    // Who had no time may have none yet.
    assert_int_equal(guide->last.outcome, with_time ? Outcome::kCertificate : Outcome::kOk);
    const bool said =
        guide.dance().refusal().find("server former shows no certificate of that name") == 0;
    assert_int_equal(said, with_time);
    assert_int_equal(guide->events.size(), with_time ? 1 : 0);
    // Another answer to that question is none.
    guide->Deliver(guide->Answer(guide->request.field));
    assert_int_equal(guide->last.outcome, Outcome::kProtocol);
    assert_true(guide->Poll() == AutokeyCode::kAssociation);
    assert_int_equal(guide.dance().refusal().empty(), !with_time);
    assert_true(guide->Poll() == AutokeyCode::kCertificate);
    // From here on it is no refusal that slows its polls.
    assert_true(guide.dance().refusal().empty() && !guide.dance().proven());
    assert_true(guide->Poll().has_value() && guide->Poll().has_value());
    assert_true(guide.dance().proven());
    assert_true(guide.dance().refusal().empty());
    assert_true(guide->restarts.empty());
  }
}

// What lacks is the one that signed the server's: that its own comes again changes nothing.
void WhoLacksACertificateIsRefusedUntilThatComes(void **) {
  Guide guide;
  const auto root = TestKey::Shared(3);
  Party middle("middle", TestKey::Shared(2), false);
  middle.certificates.SetOwn(middle.host.certificate());
  middle.certificates.Install(
      MakeParsed({.subject = "middle", .issuer = "root"}, TestKey::Shared(2)->pkey(), root->pkey()),
      true);
  middle.Sign(kTestNow);
  Meeting meeting(guide.client, middle);
  const auto polls = [&](int count) {
    for (int i = 0; i < count; ++i) (void)meeting.Poll();
  };
  polls(2 + ClientDance::kMaxEmptyAnswers);
  const std::string refusal = meeting.dance.refusal();
  assert_string_equal(refusal.c_str(),
                      "server middle shows no certificate of root, which signed one of its trail");
  for (int i = 0; i < 6; ++i) {
    polls(1);
    assert_string_equal(meeting.dance.refusal().c_str(), refusal.c_str());
  }
  middle.certificates.Install(
      MakeParsed({.subject = "root", .issuer = "root", .usages = kTrustRoot}, root->pkey(),
                 root->pkey()),
      false);
  // Now it is its group that is asked for.
  polls(3);
  assert_true(meeting.dance.refusal().find("no group key for \"root\"") != std::string::npos);
}

void SignedCertificateMustBeForOurNameAndKeyByTheServer(void **) {
  const auto server_key = TestKey::Shared(0), own_key = TestKey::Shared(1),
             other_key = TestKey::Shared(2);
  struct Row {
    const char *subject, *issuer;
    EVP_PKEY *subject_key, *issuer_key;
    bool good;
  };
  const Row rows[] = {
      {"client", "server", own_key->pkey(), server_key->pkey(), true},
      {"other", "server", own_key->pkey(), server_key->pkey(), false},
      {"client", "other", own_key->pkey(), server_key->pkey(), false},
      {"client", "server", other_key->pkey(), server_key->pkey(), false},
      {"client", "server", own_key->pkey(), other_key->pkey(), false},
      {"client", "client", own_key->pkey(), own_key->pkey(), false},
  };
  for (const Row &row : rows) {
    Guide guide;
    guide.Associate();
    guide.Synchronise();
    assert_true(guide->PollUntil(AutokeyCode::kSign));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    CertificateSpec spec;
    spec.subject = row.subject;
    spec.issuer = row.issuer;
    const auto der = MakeCertificate(spec, row.subject_key, row.issuer_key);
    field.value = der;
    guide->Deliver(guide.server.SignField(field));
    assert_int_equal((guide.dance().flags() & kSigned) != 0, row.good);
    assert_int_equal(guide.client.certificates.entries().size(), row.good ? 3 : 2);
    assert_true(guide->restarts.empty());
  }
}

// By a server whose clock is days ahead: no client could follow us by it.
void ASignedCertificateOfDaysToComeIsRefused(void **) {
  for (const bool ahead : {true, false}) {
    Guide guide;
    guide.Associate();
    guide.Synchronise();
    assert_true(guide->PollUntil(AutokeyCode::kSign));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    CertificateSpec spec;
    spec.subject = "client";
    spec.not_before = CalendarSeconds{kTestNow} + (ahead ? 2 : 1) * CalendarSeconds{86400};
    const auto der = MakeCertificate(spec, TestKey::Shared(1)->pkey(), TestKey::Shared(0)->pkey());
    field.value = der;
    guide->Deliver(guide.server.SignField(field));
    assert_int_equal(guide->last.outcome, ahead ? Outcome::kNotYetValid : Outcome::kOk);
    assert_int_equal((guide.dance().flags() & kSigned) != 0, !ahead);
    assert_true(guide.dance().proven() && guide->restarts.empty());
  }
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ExpiredOwnCertificateIsSaidAndCostsNoPacket),
      cmocka_unit_test(OurOwnCertificateOfDaysToComeIsNotCalledExpired),
      cmocka_unit_test(ExpiredServerCertificateIsRefusedWithItsDates),
      cmocka_unit_test(ACertificateOfDaysToComeIsRefused),
      cmocka_unit_test(RefusesACertificateOfAnotherNameThanAskedFor),
      cmocka_unit_test(AServerOfOurOwnNameIsSaid),
      cmocka_unit_test(TheLastWrongCertificateIsNamed),
      cmocka_unit_test(ACertificateOfDaysToComeIsAMatterOfClocks),
      cmocka_unit_test(ForgedCertificateIsLeftBehindAfterAWhile),
      cmocka_unit_test(ForgedNamesAreLeftBehindAfterAWhile),
      cmocka_unit_test(ARenamedServerIsAskedForItsNewName),
      cmocka_unit_test(WhoLacksACertificateIsRefusedUntilThatComes),
      cmocka_unit_test(SignedCertificateMustBeForOurNameAndKeyByTheServer),
      cmocka_unit_test(ASignedCertificateOfDaysToComeIsRefused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
