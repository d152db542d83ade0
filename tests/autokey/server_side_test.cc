// The server's side against requests of every kind, honest or not.
#include "ntpd/autokey/server_side.h"

#include <malloc.h>

#include "tests/autokey/captured_dances.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::autokey::test {
namespace {

using ntpward::test::FromHex;
using ntpward::test::ToHex;
using wire::AutokeyCode;
using Kind = ServerAnswer::Kind;

const AddressPair kPath{IpAddress::V4(10, 77, 0, 2), IpAddress::V4(10, 77, 0, 1)};
constexpr uint32_t kAssociation = 0xa86e;

struct Server {
  explicit Server(bool synchronised = true, uint32_t bits = kIff)
      : party("server", TestKey::Shared(0), true, bits), is_synchronised(synchronised) {
    if (synchronised) party.Sign(kTestNow);
  }
  ServerAnswer Ask(Bytes field) {
    const ServerContext context{party.host,
                                party.certificates,
                                is_synchronised ? NtpSeconds{kTestNow} : NtpSeconds{},
                                is_synchronised,
                                {},
                                mono,
                                draw};
    return party.side.OnRequest(field, {client, kPath.destination}, context);
  }
  // The whole way, with the key process.
  std::vector<uint8_t> Reply(Bytes field) {
    ServerAnswer answer = Ask(field);
    if (answer.kind == Kind::kAskKeys)
      answer = party.side.OnValueAnswer(answer.pending, party.Answer(*answer.operation));
    return answer.field;
  }
  Party party;
  bool is_synchronised;
  MonoTime mono;
  uint32_t draw = 0;
  IpAddress client = kPath.source;
};

std::vector<uint8_t> Request(AutokeyCode code, Bytes value, uint32_t timestamp = 0,
                             uint32_t filestamp = kTestNow - 200) {
  wire::AutokeyField field;
  field.head = {false, false, static_cast<uint8_t>(code), kAssociation};
  field.has_value = true;
  field.timestamp = NtpSeconds{timestamp};
  field.filestamp = NtpSeconds{filestamp};
  field.value = value;
  std::vector<uint8_t> bytes(wire::kMaxExtensionArea);
  Writer writer(bytes);
  wire::EncodeAutokeyField(writer, field);
  CHECK(writer.Finish());
  bytes.resize(writer.size());
  return bytes;
}

std::vector<uint8_t> Short(uint8_t code) { return {2, code, 0, 8, 0, 0, 0xa8, 0x6e}; }

std::vector<uint8_t> ClientCertificate(std::vector<std::string> usages = {}) {
  CertificateSpec spec;
  spec.subject = spec.issuer = "client";
  spec.usages = std::move(usages);
  return MakeCertificate(spec, TestKey::Shared(1)->pkey(), TestKey::Shared(1)->pkey());
}

// The table of odd requests: what both reference servers answer.
void AnswersOddRequestsAsTheReferenceDoes(void**) {
  Server server;
  struct Row {
    std::vector<uint8_t> request;
    const char* answer;
  };
  const std::vector<uint8_t> garbage = {1, 2, 3, 4, 5, 6, 7, 8};
  const Row rows[] = {
      {Request(AutokeyCode::kCertificate, AsBytes("nobody")), "820200080000a86e"},
      {Short(4), "c20400080000a86e"},
      {Short(0), "c20000080000a86e"},
      {Short(10), "c20a00080000a86e"},
      {Short(255), "c2ff00080000a86e"},
      {FromHex("010100200000a86e000000000008000100000006636c69656e74000000000000"),
       "c10100080000a86e"},
      {Request(AutokeyCode::kGq, garbage), "c20800080000a86e"},
      {Request(AutokeyCode::kMv, garbage), "c20900080000a86e"},
      {Request(AutokeyCode::kCookie, garbage), "c20300080000a86e"},
      {Request(AutokeyCode::kSign, garbage), "c20600080000a86e"},
  };
  for (const Row& row : rows)
    assert_string_equal(ToHex(server.Reply(row.request)).c_str(), row.answer);
  assert_int_equal(server.party.side.counters().version_1, 1);
  assert_int_equal(server.party.side.counters().unknown_code, 2);
  assert_int_equal(server.party.side.counters().refused, 9);
  Server without_key(true, 0);
  assert_string_equal(ToHex(without_key.Reply(Request(AutokeyCode::kIff, garbage))).c_str(),
                      "c20700080000a86e");
}

void DropsWhatIsNoRequest(void**) {
  Server server;
  // Responses and error responses: an answer to one could be answered again.
  for (const int first : {0x82, 0xc2, 0x42, 0x81, 0xc1}) {
    auto field = Short(1);
    field[0] = static_cast<uint8_t>(first);
    assert_true(server.Ask(field).kind == Kind::kDrop);
  }
  // Other versions, among them the fields of Network Time Security, and no head at all.
  for (const int first : {0x00, 0x03, 0x04, 0x3f}) {
    auto field = Short(4);
    field[0] = static_cast<uint8_t>(first);
    assert_true(server.Ask(field).kind == Kind::kDrop);
  }
  for (size_t size = 0; size < 8; ++size)
    assert_true(server.Ask(Bytes(Short(1)).first(size)).kind == Kind::kDrop);
  assert_int_equal(server.party.side.counters().not_autokey, 17);
  assert_int_equal(server.party.side.counters().requests[1], 0);
}

void SaysNothingWithoutCrypto(void**) {
  HostState host;
  CertificateCache cache;
  ServerSide side;
  const auto answer = side.OnRequest(Request(AutokeyCode::kAssociation, AsBytes("client")), kPath,
                                     {host, cache, NtpSeconds{kTestNow}, true});
  assert_true(answer.kind == Kind::kDrop);
}

// CVE-2009-1252, CVE-2014-9295, -9750, CVE-2015-7691, -7692, -7702.
void RefusesEveryWrongLengthForEveryCode(void**) {
  Server server;
  const std::vector<uint8_t> value(20, 0x41);
  for (int code = 0; code <= 10; ++code) {
    const auto genuine = Request(static_cast<AutokeyCode>(code), value);
    for (const uint32_t length :
         {0U, 15U, 25U, 0x7fffffffU, 0x80000000U, 0x80000001U, 0xfffffffcU, 0xffffffffU}) {
      for (const size_t at : {16U, 40U}) {
        if (at == 40 && length == 0) continue;
        auto changed = genuine;
        Writer(MutableBytes(changed).subspan(at)).U32(length);
        const ServerAnswer answer = server.Ask(changed);
        assert_true(answer.kind == Kind::kReply);
        assert_int_equal(answer.field.size(), 8);
        assert_int_equal(answer.field[0], 0xc2);
        assert_int_equal(answer.outcome, Outcome::kLength);
      }
    }
  }
}

void RefusesEveryPrefixOfEveryRequest(void**) {
  for (const CapturedDance& dance : CapturedDances()) {
    Server server;
    for (const Exchange& exchange : dance.exchanges)
      for (size_t size = 0; size < exchange.request.size(); ++size) {
        auto prefix = exchange.request;
        prefix.resize(size);
        assert_true(server.Ask(prefix).kind == Kind::kDrop);
        if (size < 8) continue;
        Writer(MutableBytes(prefix).subspan(2)).U16(static_cast<uint16_t>(size));
        const ServerAnswer answer = server.Ask(prefix);
        assert_true(answer.kind == Kind::kReply);
        assert_int_equal(answer.field[0], 0xc2);
      }
  }
}

void OversizedValuesOfEveryCodeAreRefused(void**) {
  Server server(true, kIff | kGq | kMv);
  const std::vector<uint8_t> big(2000, 0x41);
  for (int code = 0; code <= 10; ++code) {
    const ServerAnswer answer = server.Ask(Request(static_cast<AutokeyCode>(code), big));
    // LEAP and the ones that are never granted do not look at a value.
    if (code == 5) continue;
    assert_true(answer.kind == Kind::kReply);
    assert_int_equal(answer.field[0], 0xc2);
  }
}

// CVE-2015-7701.
void AssociationsLeaveNothingBehind(void**) {
  Server server;
  const auto request = Request(AutokeyCode::kAssociation, AsBytes("client"));
  for (int i = 0; i < 1000; ++i) (void)server.Ask(request);
  const auto before = mallinfo2().uordblks;
  for (int i = 0; i < 1000000; ++i) {
    const ServerAnswer answer = server.Ask(request);
    assert_int_equal(answer.field.size(), 32);
  }
  assert_true(mallinfo2().uordblks <= before + 4096);
  assert_int_equal(server.party.side.counters().requests[1], 1001000);
}

// As one that was signed for us a second ago: by the date of our signatures it would be refused.
void ACertificateThatBeginsAfterOurSignaturesWaitsForTheNext(void**) {
  const auto request = Request(AutokeyCode::kCertificate, AsBytes("top"));
  CertificateSpec spec;
  spec.subject = spec.issuer = "top";
  spec.not_before = Unfold(NtpSeconds{kTestNow}) - 1;
  spec.not_after = spec.not_before + 86400;
  spec.usages = kTrustRoot;
  Server server(false);
  server.is_synchronised = true;
  server.party.certificates.Install(
      MakeParsed(spec, TestKey::Shared(1)->pkey(), TestKey::Shared(1)->pkey()), true);
  server.party.Sign(kTestNow - 2);
  assert_string_equal(ToHex(server.Reply(request)).c_str(), "820200080000a86e");
  server.party.Sign(kTestNow);
  assert_true(server.Reply(request).size() > 8);
}

// Whoever asks hears that its date is wrong, and not that there is none.
void OurOwnCertificateIsShownBeforeItBegins(void**) {
  Server server(false);
  server.is_synchronised = true;
  server.party.Sign(kTestNow - 100000);
  assert_true(server.Reply(Request(AutokeyCode::kCertificate, AsBytes("server"))).size() > 8);
}

void AnswersWithoutTimeAreMarkedAsSuch(void**) {
  Server server(false);
  auto answer = server.Reply(Request(AutokeyCode::kAssociation, AsBytes("client")));
  const auto association = wire::ParseAutokeyField(answer);
  assert_int_equal(association->timestamp.value, 0);
  assert_int_equal(association->filestamp.value, 0x80021);
  assert_string_equal(
      ToHex(server.Reply(Request(AutokeyCode::kCertificate, AsBytes("server")))).c_str(),
      "820200080000a86e");
  answer = server.Reply(Request(AutokeyCode::kCookie, TestKey::Shared(1)->pkcs1()));
  const auto cookie = wire::ParseAutokeyField(answer);
  assert_int_equal(cookie->timestamp.value, 0);
  assert_int_equal(cookie->signature.size(), 0);
  assert_string_equal(ToHex(server.Reply(Short(5))).c_str(), "c20500080000a86e");
  assert_string_equal(ToHex(server.Reply(Request(AutokeyCode::kSign, ClientCertificate()))).c_str(),
                      "c20600080000a86e");
}

void LeapValuesAreZeroWithoutATableAndItsBitIsDark(void**) {
  Server server;
  auto answer = server.Reply(Short(5));
  auto field = wire::ParseAutokeyField(answer);
  assert_string_equal(ToHex(field->value).c_str(), "000000000000000000000000");
  assert_int_equal(server.party.host.status_word(), 0x80021);
  server.party.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{4019845448}});
  // Not before it is signed.
  assert_int_equal(server.party.host.status_word(), 0x80021);
  server.party.Sign(kTestNow + 1);
  answer = server.Reply(Short(5));
  field = wire::ParseAutokeyField(answer);
  assert_string_equal(ToHex(field->value).c_str(), "00000025dc12c500ef99f948");
  assert_int_equal(server.party.host.status_word(), 0x80023);
  assert_int_equal(
      VerifySignature(8, server.party.key->public_key(), field->signed_part, field->signature),
      Outcome::kOk);
}

void SignsWithoutASignatureButNotWithABadOne(void**) {
  Server server;
  const auto certificate = ClientCertificate();
  const auto unsigned_request = Request(AutokeyCode::kSign, certificate);
  assert_true(server.Ask(unsigned_request).kind == Kind::kAskKeys);
  Party client("client", TestKey::Shared(1), false);
  wire::AutokeyField field = *wire::ParseAutokeyField(unsigned_request);
  field.timestamp = NtpSeconds{kTestNow};
  auto signed_request = client.SignField(field);
  assert_true(server.Ask(signed_request).kind == Kind::kAskKeys);
  signed_request[signed_request.size() - 1] ^= 1;
  const ServerAnswer answer = server.Ask(signed_request);
  assert_true(answer.kind == Kind::kReply);
  assert_int_equal(answer.outcome, Outcome::kSignature);
}

void SignsOnlyWhatTheClientSignedItself(void**) {
  Server server;
  CertificateSpec spec;
  spec.subject = "client";
  spec.issuer = "other";
  const auto foreign =
      MakeCertificate(spec, TestKey::Shared(1)->pkey(), TestKey::Shared(2)->pkey());
  assert_int_equal(server.Ask(Request(AutokeyCode::kSign, foreign)).outcome, Outcome::kCertificate);
  spec.issuer = "client";
  const auto forged = MakeCertificate(spec, TestKey::Shared(1)->pkey(), TestKey::Shared(2)->pkey());
  assert_int_equal(server.Ask(Request(AutokeyCode::kSign, forged)).outcome, Outcome::kCertificate);
  spec.not_after = CalendarSeconds{kTestNow} - 1;
  const auto expired =
      MakeCertificate(spec, TestKey::Shared(1)->pkey(), TestKey::Shared(1)->pkey());
  assert_int_equal(server.Ask(Request(AutokeyCode::kSign, expired)).outcome, Outcome::kPeriod);
}

// Anybody's certificate may have a key that takes long to verify with. A flood of them must not
// take the time of those who ask for anything else.
void StrangersCertificatesAreLookedAtWithinARate(void**) {
  Server server;
  const auto request = Request(AutokeyCode::kSign, ClientCertificate());
  const auto looked_at = [&](int asked) {
    int count = 0;
    for (int i = 0; i < asked; ++i) count += server.Ask(request).kind == Kind::kAskKeys;
    return count;
  };
  assert_int_equal(looked_at(1000), ServerSide::kSignBurst);
  assert_int_equal(server.party.side.counters().busy, 800);
  // Who is over the rate gets no answer: an error would make a client start over.
  assert_true(server.Ask(request).kind == Kind::kDrop);
  assert_true(server.Ask(Request(AutokeyCode::kAssociation, AsBytes("a"))).kind == Kind::kReply);
  server.mono = MonoTime::FromSeconds(1);
  assert_int_equal(looked_at(1000), ServerSide::kSignRate);
}

void ADsaCertificateIsPassedOnByItsNumbers(void**) {
  Server server;
  const HostFiles& host = FindDance("s13d").host("server");
  const auto request =
      Request(AutokeyCode::kSign, host.certificate, 0, host.certificate_filestamp.value);
  const auto answer = server.Ask(request);
  assert_true(answer.kind == Kind::kAskKeys);
  const auto& issue = std::get<msg::CertificateIssue>(*answer.operation);
  assert_true(issue.Valid());
  assert_true(issue.modulus.empty() && issue.exponent == 0);
  assert_int_equal(issue.dsa.p.size(), 128);
  assert_int_equal(issue.dsa.q.size(), 20);
  // And nothing is made of an RSA key's.
  assert_false(DsaNumbersOf(TestKey::Shared(0)->public_key()).has_value());
}

void TrustedUsageIsPassedOnForTheKeyProcessToJudge(void**) {
  Server server;
  const auto answer = server.Ask(Request(AutokeyCode::kSign, ClientCertificate(kTrustRoot)));
  assert_true(std::get<msg::CertificateIssue>(*answer.operation).trusted);
}

void CookieKeysBelowTheLeastThatCanCarryOneAreRefused(void**) {
  Server server;
  // 360 bits, odd, exponent 3: fine as a number, too short for OAEP.
  std::vector<uint8_t> der = {0x30, 0x33, 0x02, 0x2e, 0x00};
  der.insert(der.end(), 45, 0xff);
  for (const int octet : {0x02, 0x01, 0x03}) der.push_back(static_cast<uint8_t>(octet));
  assert_true(ParseRsaPublicKey(der).has_value());
  assert_int_equal(server.Ask(Request(AutokeyCode::kCookie, der)).outcome, Outcome::kPublicKey);
}

void BusyKeyProcessMeansSilence(void**) {
  Server server;
  const auto asked = server.Ask(Request(AutokeyCode::kCookie, TestKey::Shared(1)->pkcs1()));
  msg::ValueAnswer busy;
  busy.code = msg::VerdictCode::kBusy;
  assert_true(server.party.side.OnValueAnswer(asked.pending, busy).kind == Kind::kDrop);
  assert_int_equal(server.party.side.counters().busy, 1);
  msg::ValueAnswer bad;
  const ServerAnswer refused = server.party.side.OnValueAnswer(asked.pending, bad);
  assert_string_equal(ToHex(refused.field).c_str(), "c20300080000a86e");
  assert_string_equal(refused.statistics.c_str(), "02030064 43118 104 bad_or_missing_public_key");
}

void AnswersFitAPacketWhateverTheKeyProcessSays(void**) {
  Server server;
  const auto asked = server.Ask(Request(AutokeyCode::kCookie, TestKey::Shared(1)->pkcs1()));
  msg::ValueAnswer answer;
  answer.code = msg::VerdictCode::kGood;
  assert_true(answer.value.Resize(msg::kMaxCertificate));
  assert_true(answer.signature.Resize(msg::kMaxModulus));
  const ServerAnswer reply = server.party.side.OnValueAnswer(asked.pending, answer);
  assert_string_equal(ToHex(reply.field).c_str(), "c20300080000a86e");
}

// A client that was shown our certificate before a reload with another key goes by the old one:
// what it asks is answered by either, as chance has it, so that its questions come to an end.
void WhoBeganUnderTheOldKeyIsAnsweredByItToo(void**) {
  Server server;
  const auto question = Request(AutokeyCode::kCookie, TestKey::Shared(1)->pkcs1());
  const auto elder = [&](uint32_t draw) {
    server.draw = draw;
    const ServerAnswer answer = server.Ask(question);
    assert_true(answer.kind == Kind::kAskKeys);
    return int{std::get<msg::CookieIssue>(*answer.operation).elder};
  };
  assert_int_equal(elder(1), 0);
  server.mono = MonoTime::FromSeconds(100);
  server.party.side.OnSignerReplaced(server.mono);
  assert_int_equal(elder(1), 1);
  assert_int_equal(elder(2), 0);
  // A second one soon after: any of three.
  server.mono = server.mono + 12;
  server.party.side.OnSignerReplaced(server.mono);
  for (const uint32_t draw : {0U, 1U, 2U}) assert_int_equal(elder(draw), draw);

  // Who is shown the certificate now has the new key, and is never answered by another.
  server.client = IpAddress::V4(10, 77, 0, 9);
  server.Reply(Request(AutokeyCode::kCertificate, AsBytes("server")));
  for (const uint32_t draw : {0U, 1U, 2U}) assert_int_equal(elder(draw), 0);
  server.client = kPath.source;
  assert_int_equal(elder(1), 1);

  server.mono = server.mono + (ServerSide::kElderSeconds - 1);
  assert_int_equal(elder(1), 1);
  server.mono = server.mono + 2;
  for (const uint32_t draw : {1U, 2U}) assert_int_equal(elder(draw), 0);
}

// A client that asked ASSOC before has the digest of the old scheme, and would check by that what
// the new certificate's key signs.
void ANewSchemeIsToldBeforeTheNewCertificate(void**) {
  Server server;
  const auto certificate = Request(AutokeyCode::kCertificate, AsBytes("server"));
  const auto shows = [&] { return server.Ask(certificate).outcome == Outcome::kOk; };
  const auto tell = [&] {
    (void)server.Ask(Request(AutokeyCode::kAssociation, AsBytes("client")));
  };
  tell();
  server.party.side.OnSignerReplaced(server.mono);
  assert_true(shows());
  server.party.side.OnSignerReplaced(server.mono, true);
  assert_false(shows());
  assert_string_equal(ToHex(server.Reply(certificate)).c_str(), "c20200080000a86e");
  assert_true(server.Ask(Request(AutokeyCode::kCertificate, AsBytes("nobody"))).outcome ==
              Outcome::kOk);
  // Another key of the same scheme says nothing new.
  tell();
  assert_true(shows());
  server.party.side.OnSignerReplaced(server.mono);
  assert_true(shows());
  server.client = IpAddress::V4(10, 77, 0, 9);
  assert_false(shows());
  server.mono = server.mono + (ServerSide::kElderSeconds + 1);
  assert_true(shows());
}

// Present leap values under the signature of each key before ours, so that none is told for ever
// what it cannot check, or a table that was replaced.
void LeapValuesAreToldUnderEachOldKey(void**) {
  Server server;
  server.party.host.SetLeap({37, {3692217600U}, {kTestNow + 1000000}});
  (void)server.party.host.DueUpdate(MonoTime::FromSeconds(1e9), NtpSeconds{kTestNow}, true);
  msg::SignedValues values;
  values.timestamp = NtpSeconds{kTestNow};
  assert_true(values.leap.Resize(1) && values.elder_leaps.Push({}) && values.elder_leaps.Push({}));
  values.leap.span()[0] = 0xa0;
  for (size_t i = 0; i < 2; ++i) {
    assert_true(values.elder_leaps[i].Resize(1));
    values.elder_leaps[i].span()[0] = static_cast<uint8_t>(0xa1 + i);
  }
  server.party.host.OnSignedValues(values);
  for (int i = 0; i < 3; ++i) server.party.side.OnSignerReplaced(server.mono);
  const std::vector<uint8_t> question = Short(static_cast<uint8_t>(AutokeyCode::kLeap));
  for (const uint32_t draw : {0U, 1U, 2U}) {
    server.draw = draw;
    const auto reply = server.Reply(question);
    const auto told = wire::ParseAutokeyField(reply);
    assert_true(told.ok());
    assert_string_equal(ToHex(told->value).substr(0, 8).c_str(), "00000025");
    assert_int_equal(told->timestamp.value, kTestNow);
    assert_int_equal(told->signature.size(), 1);
    assert_int_equal(told->signature[0], 0xa0 + draw);
  }
  // The key process has not got that one: who goes by it has to begin again.
  server.draw = 3;
  assert_string_equal(ToHex(server.Reply(question)).c_str(), "c20500080000a86e");
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnswersOddRequestsAsTheReferenceDoes),
      cmocka_unit_test(DropsWhatIsNoRequest),
      cmocka_unit_test(SaysNothingWithoutCrypto),
      cmocka_unit_test(RefusesEveryWrongLengthForEveryCode),
      cmocka_unit_test(RefusesEveryPrefixOfEveryRequest),
      cmocka_unit_test(OversizedValuesOfEveryCodeAreRefused),
      cmocka_unit_test(AssociationsLeaveNothingBehind),
      cmocka_unit_test(ACertificateThatBeginsAfterOurSignaturesWaitsForTheNext),
      cmocka_unit_test(OurOwnCertificateIsShownBeforeItBegins),
      cmocka_unit_test(AnswersWithoutTimeAreMarkedAsSuch),
      cmocka_unit_test(LeapValuesAreZeroWithoutATableAndItsBitIsDark),
      cmocka_unit_test(SignsWithoutASignatureButNotWithABadOne),
      cmocka_unit_test(SignsOnlyWhatTheClientSignedItself),
      cmocka_unit_test(StrangersCertificatesAreLookedAtWithinARate),
      cmocka_unit_test(ADsaCertificateIsPassedOnByItsNumbers),
      cmocka_unit_test(TrustedUsageIsPassedOnForTheKeyProcessToJudge),
      cmocka_unit_test(CookieKeysBelowTheLeastThatCanCarryOneAreRefused),
      cmocka_unit_test(BusyKeyProcessMeansSilence),
      cmocka_unit_test(AnswersFitAPacketWhateverTheKeyProcessSays),
      cmocka_unit_test(WhoBeganUnderTheOldKeyIsAnsweredByItToo),
      cmocka_unit_test(ANewSchemeIsToldBeforeTheNewCertificate),
      cmocka_unit_test(LeapValuesAreToldUnderEachOldKey),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
