// The client's dance with a server of ours: every step, every failure, in any order.
#include "ntpd/autokey/client_dance.h"

#include <random>

#include "tests/autokey/test_authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

// A trusted server that proves its group, and a client with the group key.
struct Guide {
  explicit Guide(uint32_t server_bits = kIff, bool with_group = true, DancePolicy policy = {})
      : server("server", TestKey::Shared(0), true, server_bits),
        client("client", TestKey::Shared(1), false) {
    if (with_group) client.AddGroup("server");
    client.certificates.SetOwn(client.host.certificate());
    server.Sign(kTestNow);
    meeting.emplace(client, server, std::move(policy));
  }

  Meeting* operator->() { return &*meeting; }
  ClientDance& dance() { return meeting->dance; }
  // The clock is set: values are signed.
  void Synchronise() {
    meeting->client_synchronised = true;
    client.Sign(meeting->now);
  }
  // Until plain packets can be sent.
  void Associate() {
    for (int i = 0; i < 4; ++i) assert_true(meeting->Poll().has_value());
    assert_true(meeting->dance.proven());
  }

  Party server, client;
  std::optional<Meeting> meeting;
};

void AsksEachStepOnceAndInOrder(void**) {
  Guide guide;
  const AutokeyCode steps[] = {AutokeyCode::kAssociation, AutokeyCode::kCertificate,
                               AutokeyCode::kIff, AutokeyCode::kCookie};
  for (const AutokeyCode step : steps) assert_true(guide->Poll() == step);
  assert_int_equal(guide.dance().flags(), 0x81f21);
  for (int i = 0; i < 3; ++i) {
    assert_false(guide->Poll().has_value());
    assert_true(guide->request.kind == NextField::Kind::kPlain);
  }
  guide.Synchronise();
  assert_true(guide->Poll() == AutokeyCode::kSign);
  assert_int_equal(guide.dance().flags(), 0x83f21);
  for (int i = 0; i < 100; ++i) assert_false(guide->Poll().has_value());
  assert_int_equal(guide.dance().flags(), 0x83f21);
  assert_true(guide.dance().identity() == "IFF");
  assert_string_equal(guide.dance().group().c_str(), "server");
  assert_true(guide->restarts.empty());
}

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
  guide->RunJobs(guide.dance().OnHostChanged(guide->context()));
  guide.Associate();
  assert_true(guide.dance().refusal().empty());
}

void ServerThatHidesItsSchemeIsRefused(void**) {
  Guide guide(0, true, {"", true, true});
  for (int i = 0; i < 6; ++i) guide->Poll();
  assert_false((guide.dance().flags() & kVerified) != 0);
  assert_true(guide.dance().refusal().find("no identity scheme") != std::string::npos);
}

void WrongGroupKeyIsNeverAccepted(void**) {
  Guide guide;
  guide.client.group_secret = 8;
  for (int i = 0; i < 50; ++i) {
    guide->Poll();
    assert_false((guide.dance().flags() & (kVerified | kCookie)) != 0);
  }
  assert_true(guide.dance().refusal().find("did not prove") != std::string::npos);
  assert_true(guide->restarts.back() == Restart::kFailures);
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

void ServerThatCannotProveIsRefused(void**) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kIff));
  const std::vector<uint8_t> error = {0xc2, 7, 0, 8, 0, 0, 0xa8, 0x6e};
  guide->Deliver(error);
  assert_true(guide->restarts.back() == Restart::kIdentity);
  assert_int_equal(guide.dance().flags(), 0);
}

// The upper word and the host's bits are the server's; the bits of our progress are ours alone.
void AssociationCannotLightOurOwnBits(void**) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kAssociation));
  auto answer = guide->Answer(guide->request.field);
  Writer(MutableBytes(answer).subspan(12)).U32(0x8ffff);
  guide->Deliver(answer);
  assert_int_equal(guide.dance().flags(), 0);  // PC: not ours
  Writer(MutableBytes(answer).subspan(12)).U32(0x8ffef);
  guide->Deliver(answer);
  assert_int_equal(guide.dance().flags(), 0x810e3);
}

void AssociationIsCheckedBeforeItIsBelieved(void**) {
  struct Row {
    uint32_t word;
    Outcome outcome;
  };
  for (const Row& row : {Row{0x80020, Outcome::kProtocol}, Row{0x80011, Outcome::kIdentityType},
                         Row{0x00001, Outcome::kDigestType}, Row{0xffff0001, Outcome::kDigestType},
                         Row{0x40001, Outcome::kDigestType}}) {
    Guide guide;
    assert_true(guide->PollUntil(AutokeyCode::kAssociation));
    auto answer = guide->Answer(guide->request.field);
    Writer(MutableBytes(answer).subspan(12)).U32(row.word);
    guide->Deliver(answer);
    assert_int_equal(guide->last.outcome, row.outcome);
    assert_int_equal(guide.dance().flags(), 0);
  }
}

void NamesThatCannotBePrintedAreRefused(void**) {
  for (const std::string& name :
       {std::string("a\nb"), std::string("a b"), std::string("a\"b"), std::string(256, 'a'),
        std::string("\xc3\xa4"), std::string(1, '\0')}) {
    Guide guide;
    assert_true(guide->PollUntil(AutokeyCode::kAssociation));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    std::vector<uint8_t> bytes(2048);
    field.value = AsBytes(name);
    Writer writer(bytes);
    wire::EncodeAutokeyField(writer, field);
    guide->Deliver(writer.written());
    assert_int_equal(guide.dance().flags(), 0);
  }
}

void WaitsForAServerWithoutTimeWithoutStartingOver(void**) {
  Guide guide;
  Party server("server", TestKey::Shared(0), true, kIff);
  Meeting meeting(guide.client, server);
  meeting.server_synchronised = false;
  for (int i = 0; i < 50; ++i) meeting.Poll();
  assert_true(meeting.restarts.empty());
  assert_int_equal(meeting.dance.flags(), 0x81021);
  server.Sign(meeting.now);
  meeting.server_synchronised = true;
  for (int i = 0; i < 3; ++i) meeting.Poll();
  assert_true(meeting.dance.proven());
}

// The guide's second word: the server had no time at ASSOC, so its word has no TAI bit.
void LeapTableOfAServerThatHadNoTimeAtFirst(void**) {
  Guide guide;
  Party server("server", TestKey::Shared(0), true, kIff);
  Meeting meeting(guide.client, server);
  meeting.server_synchronised = false;
  meeting.Poll();
  server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
  server.Sign(meeting.now);
  meeting.server_synchronised = true;
  for (int i = 0; i < 4; ++i) meeting.Poll();
  meeting.client_synchronised = true;
  guide.client.Sign(meeting.now);
  assert_true(meeting.Poll() == AutokeyCode::kSign);
  assert_true(meeting.Poll() == AutokeyCode::kLeap);
  assert_int_equal(meeting.dance.flags(), 0x87f21);
}

void LeapTableOfASynchronisedServer(void**) {
  Guide guide;
  guide.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
  guide.server.Sign(kTestNow + 1);
  guide.Associate();
  guide.Synchronise();
  assert_true(guide->Poll() == AutokeyCode::kSign);
  assert_true(guide->Poll() == AutokeyCode::kLeap);
  assert_int_equal(guide.dance().flags(), 0x87f23);
}

void LeapIsNotAskedOfAServerWithoutTable(void**) {
  Guide guide;
  guide.Associate();
  guide.Synchronise();
  assert_true(guide->Poll() == AutokeyCode::kSign);
  for (int i = 0; i < 100; ++i) assert_false(guide->Poll().has_value());
  assert_int_equal(guide.dance().flags(), 0x83f21);
}

// An all-zero answer (ntpd 4.2.8 without a table) and an expired table light nothing.
void EmptyAndExpiredLeapTablesLightNothing(void**) {
  for (const LeapValues& values :
       {LeapValues{}, LeapValues{37, NtpSeconds{3692217600}, NtpSeconds{kTestNow - 1}},
        LeapValues{9, NtpSeconds{1}, NtpSeconds{kTestNow + 1000000}}}) {
    Guide guide;
    guide.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
    guide.server.Sign(kTestNow + 1);
    guide.Associate();
    guide.Synchronise();
    assert_true(guide->PollUntil(AutokeyCode::kLeap));
    std::array<uint8_t, 12> octets{};
    Writer writer(octets);
    writer.U32(values.tai), writer.U32(values.epoch.value), writer.U32(values.expiry.value);
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    field.value = octets;
    guide->Deliver(guide.server.SignField(field));
    assert_int_equal(guide->last.outcome, Outcome::kLeapValues);
    assert_int_equal(guide.dance().flags() & kLeap, 0);
    assert_false(guide->last.leap.has_value());
    assert_true(guide->restarts.empty());
  }
}

// One packet in 16 may carry each, however long they fail; the others give time.
void SignAndLeapNeverStarveTheClock(void**) {
  Guide guide;
  guide.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 1000000}});
  guide.server.Sign(kTestNow + 1);
  guide.Associate();
  guide.Synchronise();
  int plain = 0, sign = 0, leap = 0;
  for (int i = 0; i < 160; ++i) {
    const NextField next = guide.dance().NextRequest(guide->context());
    if (next.kind == NextField::Kind::kPlain) {
      ++plain;
      continue;
    }
    (next.field[1] == 6 ? sign : leap) += 1;
    if (i < 2) continue;
    // "Cannot" and rubbish alike.
    std::vector<uint8_t> error(next.field.begin(), next.field.begin() + 8);
    error[0] = 0xc2, error[2] = 0, error[3] = 8;
    guide->Deliver(error);
  }
  assert_int_equal(sign, 10);
  assert_int_equal(leap, 10);
  assert_int_equal(plain, 140);
  assert_true(guide.dance().proven());
  assert_true(guide->restarts.empty());
}

void ExpiredOwnCertificateIsSaidAndCostsNoPacket(void**) {
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

void ExpiredServerCertificateIsRefusedWithItsDates(void**) {
  Guide guide;
  guide->now += static_cast<uint32_t>(kYear) + 10;
  guide.server.Sign(guide->now);
  guide->Poll();
  guide->Poll();
  assert_int_equal(guide->last.outcome, Outcome::kPeriod);
  assert_true(guide.dance().refusal().find("202711212348") != std::string::npos);
  assert_int_equal(guide.dance().flags() & kTrusted, 0);
}

void RefusesACertificateOfAnotherNameThanAskedFor(void**) {
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

// A forger's certificate for the right name locks the genuine server out for a while, not for good.
void ForgedCertificateIsLeftBehindAfterAWhile(void**) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kCertificate));
  wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
  CertificateSpec spec;
  spec.usages = kTrustRoot;
  const auto der = MakeCertificate(spec, TestKey::Shared(2)->pkey(), TestKey::Shared(2)->pkey());
  field.value = der;
  guide->Deliver(guide.server.SignField(field));
  for (int i = 0; i < ClientDance::kMaxFailures; ++i) {
    assert_false(guide.dance().proven());
    guide->Poll();
  }
  assert_true(guide->restarts.back() == Restart::kFailures);
  guide.Associate();
}

// The genuine server has no certificate of the name, or of the issuer, that a forger slipped in.
void ForgedNamesAreLeftBehindAfterAWhile(void**) {
  for (const bool forge_name : {true, false}) {
    Guide guide;
    assert_true(guide->PollUntil(AutokeyCode::kAssociation));
    wire::AutokeyField field = *wire::ParseAutokeyField(guide->Answer(guide->request.field));
    std::vector<uint8_t> bytes(2048), der;
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
    Writer writer(bytes);
    wire::EncodeAutokeyField(writer, field);
    guide->Deliver(writer.written());
    assert_int_equal(guide->last.outcome, Outcome::kOk);
    for (int i = 0; i < ClientDance::kMaxEmptyAnswers + 4; ++i) guide->Poll();
    assert_true(guide.dance().proven());
    assert_true(guide->restarts.empty());
  }
}

void ErrorAnswerToANeededStepStartsOver(void**) {
  for (const AutokeyCode step :
       {AutokeyCode::kAssociation, AutokeyCode::kCertificate, AutokeyCode::kCookie}) {
    Guide guide;
    assert_true(guide->PollUntil(step));
    std::vector<uint8_t> error = {0xc2, static_cast<uint8_t>(step), 0, 8, 0, 0, 0xa8, 0x6e};
    guide->Deliver(error);
    assert_true(guide->restarts.back() == Restart::kProtocolError);
    assert_int_equal(guide.dance().flags(), 0);
    guide.Associate();
  }
}

// A field's signature does not cover its packet. The dance is never shown a header, so it can believe
// nothing of one.
void CookieIsOpenedOnlyUnderAGoodSignature(void**) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kCookie));
  const auto genuine = guide->Answer(guide->request.field);
  wire::AutokeyField field = *wire::ParseAutokeyField(genuine);
  // Signed by another key.
  Party other("server", TestKey::Shared(2), true, kIff);
  DanceResult result = guide.dance().OnResponse(other.SignField(field), guide->context());
  assert_int_equal(result.outcome, Outcome::kSignature);
  assert_true(result.jobs.empty());
  // Not signed at all.
  field.signature = {};
  std::vector<uint8_t> bytes(2048);
  Writer writer(bytes);
  wire::EncodeAutokeyField(writer, field);
  result = guide.dance().OnResponse(writer.written(), guide->context());
  assert_int_equal(result.outcome, Outcome::kProtocol);
  assert_true(result.jobs.empty());
  // Another size than our modulus, well signed.
  const std::vector<uint8_t> shorter(63, 1);
  field = *wire::ParseAutokeyField(genuine);
  field.value = shorter;
  result = guide.dance().OnResponse(guide.server.SignField(field), guide->context());
  assert_int_equal(result.outcome, Outcome::kCookie);
  assert_true(result.jobs.empty());
  guide->Deliver(genuine);
  assert_true(guide.dance().has_cookie());
}

// CVE-2014-9297: what does not decrypt to four octets is refused (in the key process, whose word
// counts here).
void CookieThatDoesNotOpenIsNoCookie(void**) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kCookie));
  const DanceResult result =
      guide.dance().OnResponse(guide->Answer(guide->request.field), guide->context());
  assert_int_equal(result.jobs.size(), 1);
  const DanceResult verdict =
      guide.dance().OnVerdict(result.jobs[0].ticket, msg::VerdictCode::kBad, guide->context());
  assert_int_equal(verdict.outcome, Outcome::kCookie);
  assert_false(guide.dance().has_cookie());
  assert_true(guide->Poll() == AutokeyCode::kCookie);
  assert_true(guide.dance().proven());
}

void OlderCookieThanTheLastOneIsAReplay(void**) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kCookie));
  const auto old = guide->Answer(guide->request.field);
  guide->now += 10;
  guide->Deliver(guide->Answer(guide->request.field));
  assert_true(guide.dance().has_cookie());
  guide.dance().OnKeysRestarted();
  assert_true(guide->PollUntil(AutokeyCode::kCookie));
  guide->Deliver(old);
  assert_int_equal(guide->last.outcome, Outcome::kTimestamp);
  assert_false(guide.dance().has_cookie());
}

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

void SignedCertificateMustBeForOurNameAndKeyByTheServer(void**) {
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
  for (const Row& row : rows) {
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

void KeepsWhatWasProvedWhenTheKeyProcessComesBack(void**) {
  Guide guide;
  guide.Associate();
  guide.dance().OnKeysRestarted();
  assert_false(guide.dance().has_cookie());
  assert_true(guide->Poll() == AutokeyCode::kCookie);
  assert_true(guide.dance().proven());
  assert_true(guide->restarts.empty());
}

void LostKeyAnswersAreAskedAgain(void**) {
  Guide guide;
  guide->Poll();
  guide->request = guide.dance().NextRequest(guide->context());
  (void)guide.dance().OnResponse(guide->Answer(guide->request.field), guide->context());
  guide.dance().OnKeysRestarted();  // the challenge will not come
  assert_true(guide->Poll() == AutokeyCode::kIff);
}

// A full pipe drops the message, in either direction.
void KeyAnswersThatNeverComeAreGivenUp(void**) {
  for (const AutokeyCode step :
       {AutokeyCode::kCertificate, AutokeyCode::kIff, AutokeyCode::kCookie}) {
    Guide guide;
    assert_true(guide->PollUntil(step));
    const DanceResult lost =
        guide.dance().OnResponse(guide->Answer(guide->request.field), guide->context());
    assert_int_equal(lost.jobs.size(), 1);
    assert_true(guide.dance().NextRequest(guide->context()).kind == NextField::Kind::kWait);
    guide->now += static_cast<uint32_t>(ClientDance::kKeyAnswerSeconds);
    for (int i = 0; i < 4 && !guide.dance().proven(); ++i) guide->Poll();
    assert_true(guide.dance().proven());
    // The late answer is nobody's.
    guide.dance().OnKeysRestarted();
    (void)guide.dance().OnVerdict(lost.jobs[0].ticket, msg::VerdictCode::kGood, guide->context());
    assert_false(guide.dance().has_cookie());
  }
}

void BusyKeyProcessCostsAPollAndNothingElse(void**) {
  Guide guide;
  for (const AutokeyCode step : {AutokeyCode::kIff, AutokeyCode::kCookie}) {
    assert_true(guide->PollUntil(step));
    const DanceResult result =
        guide.dance().OnResponse(guide->Answer(guide->request.field), guide->context());
    assert_int_equal(result.jobs.size(), 1);
    const DanceResult busy =
        guide.dance().OnVerdict(result.jobs[0].ticket, msg::VerdictCode::kBusy, guide->context());
    assert_true(busy.jobs.empty() && busy.restart == Restart::kNone);
    assert_true(guide->PollUntil(step));
    guide->Deliver(guide->Answer(guide->request.field));
  }
  assert_true(guide.dance().proven());
}

void StaleTicketsChangeNothing(void**) {
  Guide guide;
  assert_true(guide->PollUntil(AutokeyCode::kCookie));
  const DanceResult result =
      guide.dance().OnResponse(guide->Answer(guide->request.field), guide->context());
  const uint32_t ticket = result.jobs[0].ticket;
  (void)guide.dance().OnVerdict(ticket + 1, msg::VerdictCode::kGood, guide->context());
  assert_false(guide.dance().has_cookie());
  // The association started over meanwhile: the cookie belongs to nobody.
  (void)guide.dance().OnCryptoNak(guide->context());
  (void)guide.dance().OnVerdict(ticket, msg::VerdictCode::kGood, guide->context());
  assert_false(guide.dance().has_cookie());
  // A verdict is no challenge.
  assert_true(guide->PollUntil(AutokeyCode::kCertificate));
  const DanceResult challenge =
      guide.dance().OnResponse(guide->Answer(guide->request.field), guide->context());
  (void)guide.dance().OnVerdict(challenge.jobs[0].ticket, msg::VerdictCode::kGood,
                                guide->context());
  assert_int_equal(guide.dance().flags() & kVerified, 0);
}

void RefreshesAfterSixDays(void**) {
  Guide guide;
  guide.Associate();
  DanceContext context = guide->context();
  context.mono = MonoTime::FromSeconds(ClientDance::kRefreshSeconds - 1);
  assert_true(guide.dance().NextRequest(context).kind == NextField::Kind::kPlain);
  context.mono = MonoTime::FromSeconds(ClientDance::kRefreshSeconds + 10);
  const NextField next = guide.dance().NextRequest(context);
  assert_true(next.effects.restart == Restart::kRefresh);
  assert_int_equal(next.field[1], 1);
  assert_true(guide.dance().NextRequest(context).effects.restart == Restart::kNone);
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
      // Eight wrong answers start over; come back to the step.
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
    std::vector<uint8_t> bytes(wire::kMaxExtensionArea);
    Writer writer(bytes);
    // As long as a packet allows, with a signature that is good.
    std::vector<uint8_t> covered(12 + big.size());
    Writer cover(covered);
    cover.U32(field.timestamp.value), cover.U32(field.filestamp.value);
    cover.U32(static_cast<uint32_t>(big.size())), cover.Put(big);
    const auto signature = guide.server.key->Sign(guide.server.scheme, covered);
    field.signature = signature;
    wire::EncodeAutokeyField(writer, field);
    assert_true(writer.Finish());
    guide->Deliver(writer.written());
    assert_true(guide->last.outcome != Outcome::kOk);
  }
}

// Nothing the server sends can make a field of ours too long for a packet.
void LongestNamesStillFit(void**) {
  // 64 characters is what OpenSSL writes into a common name.
  Party server(std::string(64, 'n'), TestKey::Shared(0), true);
  Party client(std::string(64, 'c'), TestKey::Shared(1), false);
  client.certificates.SetOwn(client.host.certificate());
  server.certificates.SetOwn(server.host.certificate());
  server.Sign(kTestNow);
  Meeting meeting(client, server, {"", true, false});
  for (int i = 0; i < 3; ++i) meeting.Poll();
  assert_true(meeting.dance.proven());
}

// Bugs 2867, 3036, 2052 of the reference: reading the variables of a half-done dance.
void VariablesCanBeReadInEveryState(void**) {
  Guide guide;
  for (int step = 0; step <= 6; ++step) {
    const ClientDance& dance = guide.dance();
    assert_int_equal(dance.server_name().empty(), dance.flags() == 0);
    assert_int_equal(dance.identity().empty(), (dance.flags() & kVerified) == 0);
    assert_int_equal(dance.group().empty(), (dance.flags() & kTrusted) == 0);
    assert_true(dance.refusal().empty());
    assert_int_equal(dance.has_cookie(), dance.proven());
    assert_int_equal(dance.association().value, 43118);
    guide->request = guide.dance().NextRequest(guide->context());
    if (guide->request.kind == NextField::Kind::kField)
      guide->Deliver(guide->Answer(guide->request.field));
  }
}

void DoesNothingWithoutCryptoMaterial(void**) {
  Guide guide;
  assert_true(guide.client.host.SetMaterial({}).ok());
  const NextField next = guide.dance().NextRequest(guide->context());
  assert_true(next.kind == NextField::Kind::kIdle);
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
      cmocka_unit_test(AsksEachStepOnceAndInOrder),
      cmocka_unit_test(ChallengeIsFetchedBeforeThePollThatSendsIt),
      cmocka_unit_test(TrustedCertificatesAloneEndAt3f01WhenTheOperatorAllows),
      cmocka_unit_test(RefusedServerIsAskedAgainAndSaidOnce),
      cmocka_unit_test(ServerThatHidesItsSchemeIsRefused),
      cmocka_unit_test(WrongGroupKeyIsNeverAccepted),
      cmocka_unit_test(OtherGenerationOfTheGroupKeyIsNamed),
      cmocka_unit_test(ServerThatCannotProveIsRefused),
      cmocka_unit_test(AssociationCannotLightOurOwnBits),
      cmocka_unit_test(AssociationIsCheckedBeforeItIsBelieved),
      cmocka_unit_test(NamesThatCannotBePrintedAreRefused),
      cmocka_unit_test(WaitsForAServerWithoutTimeWithoutStartingOver),
      cmocka_unit_test(LeapTableOfAServerThatHadNoTimeAtFirst),
      cmocka_unit_test(LeapTableOfASynchronisedServer),
      cmocka_unit_test(LeapIsNotAskedOfAServerWithoutTable),
      cmocka_unit_test(EmptyAndExpiredLeapTablesLightNothing),
      cmocka_unit_test(SignAndLeapNeverStarveTheClock),
      cmocka_unit_test(ExpiredOwnCertificateIsSaidAndCostsNoPacket),
      cmocka_unit_test(ExpiredServerCertificateIsRefusedWithItsDates),
      cmocka_unit_test(RefusesACertificateOfAnotherNameThanAskedFor),
      cmocka_unit_test(ForgedCertificateIsLeftBehindAfterAWhile),
      cmocka_unit_test(ForgedNamesAreLeftBehindAfterAWhile),
      cmocka_unit_test(ErrorAnswerToANeededStepStartsOver),
      cmocka_unit_test(CookieIsOpenedOnlyUnderAGoodSignature),
      cmocka_unit_test(CookieThatDoesNotOpenIsNoCookie),
      cmocka_unit_test(OlderCookieThanTheLastOneIsAReplay),
      cmocka_unit_test(StampsAreCheckedInTheReferencesOrder),
      cmocka_unit_test(SignedCertificateMustBeForOurNameAndKeyByTheServer),
      cmocka_unit_test(BadMacChangesNothing),
      cmocka_unit_test(ValidNakStartsOverInEveryState),
      cmocka_unit_test(RecoversFromANakStorm),
      cmocka_unit_test(KeepsWhatWasProvedWhenTheKeyProcessComesBack),
      cmocka_unit_test(LostKeyAnswersAreAskedAgain),
      cmocka_unit_test(KeyAnswersThatNeverComeAreGivenUp),
      cmocka_unit_test(BusyKeyProcessCostsAPollAndNothingElse),
      cmocka_unit_test(StaleTicketsChangeNothing),
      cmocka_unit_test(RefreshesAfterSixDays),
      cmocka_unit_test(AnswersThatWereNotAskedForChangeNothing),
      cmocka_unit_test(SurvivesGenuineAnswersInAnyOrder),
      cmocka_unit_test(RefusesEveryWrongLengthAtEveryStep),
      cmocka_unit_test(EveryPrefixOfAnAnswerIsRefused),
      cmocka_unit_test(OversizedAnswersAreRefused),
      cmocka_unit_test(LongestNamesStillFit),
      cmocka_unit_test(VariablesCanBeReadInEveryState),
      cmocka_unit_test(DoesNothingWithoutCryptoMaterial),
      cmocka_unit_test(ARelayOfTheProofIsAcceptedWhichIsALimitOfTheProtocol),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
