// The client's dance with a server of ours: every step, and what ASSOC may say.
#include "ntpd/autokey/client_dance.h"

#include "tests/autokey/guide.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

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
    field.value = AsBytes(name);
    guide->Deliver(EncodedField(field));
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

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AsksEachStepOnceAndInOrder),
      cmocka_unit_test(AssociationCannotLightOurOwnBits),
      cmocka_unit_test(AssociationIsCheckedBeforeItIsBelieved),
      cmocka_unit_test(NamesThatCannotBePrintedAreRefused),
      cmocka_unit_test(WaitsForAServerWithoutTimeWithoutStartingOver),
      cmocka_unit_test(ErrorAnswerToANeededStepStartsOver),
      cmocka_unit_test(RefreshesAfterSixDays),
      cmocka_unit_test(LongestNamesStillFit),
      cmocka_unit_test(VariablesCanBeReadInEveryState),
      cmocka_unit_test(DoesNothingWithoutCryptoMaterial),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
