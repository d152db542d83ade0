// The cookie, and the key process's answers: late, lost, refused, or of somebody else.
#include "tests/autokey/guide.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

// A field's signature does not cover its packet. The dance is never shown a header, so it can
// believe nothing of one.
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
  result = guide.dance().OnResponse(EncodedField(field), guide->context());
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

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(CookieIsOpenedOnlyUnderAGoodSignature),
      cmocka_unit_test(CookieThatDoesNotOpenIsNoCookie),
      cmocka_unit_test(OlderCookieThanTheLastOneIsAReplay),
      cmocka_unit_test(KeepsWhatWasProvedWhenTheKeyProcessComesBack),
      cmocka_unit_test(LostKeyAnswersAreAskedAgain),
      cmocka_unit_test(KeyAnswersThatNeverComeAreGivenUp),
      cmocka_unit_test(BusyKeyProcessCostsAPollAndNothingElse),
      cmocka_unit_test(StaleTicketsChangeNothing),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
