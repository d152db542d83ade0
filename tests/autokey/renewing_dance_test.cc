// Renewal under way: whatever the second dance meets, the first keeps its cookie and gives time.
#include "ntpd/autokey/renewing_dance.h"

#include "tests/autokey/couple.h"

namespace ntpward::autokey::test {
namespace {

using wire::AutokeyCode;

// What a server without a table is asked in the life of a proof.
constexpr int kMostLeaps =
    static_cast<int>(ClientDance::kRefreshSeconds / ClientDance::kTableAgainSeconds);

void RenewsForAMonthWithoutLosingAPollsTime(void**) {
  Couple couple;
  couple.Begin();
  couple.PollFor(30 * 86400.0);
  couple.ExpectNothingLost();
  // Every 2^19 s less 2^16.
  assert_int_equal(couple.Asked(AutokeyCode::kAssociation), 5);
  assert_int_equal(couple.Asked(AutokeyCode::kIff), 5);
  assert_int_equal(couple.dance.flags(), 0x83f21);
}

void AServerThatSignsWithAnotherKeyIsProvedAnew(void**) {
  Couple couple;
  couple.Begin();
  couple.PollFor(1000);
  // Its host key was renewed. Plain packets go on, by the cookie.
  couple.RenewServer(1000);
  couple.PollFor(1000);
  assert_true(couple.asked.empty());
  // Our own certificate is renewed, so that something is asked under the old key.
  couple.Note(couple.dance.OnHostMaterial({true, false}, couple.context()));
  couple.PollFor(1000);
  couple.ExpectNothingLost();
  assert_int_equal(couple.dance.flags(), 0x83f21);
  assert_int_equal(couple.Asked(AutokeyCode::kAssociation), 1);
  assert_true(couple.Asked(AutokeyCode::kSign) >= 2);
}

// A renewal brings a proof and no more. What comes after it is asked beside, too, and seldom.
void AListenersWordIsAsFullAfterARenewalAsBefore(void**) {
  Couple couple;
  couple.server.host.SetLeap({37, NtpSeconds{3692217600}, NtpSeconds{kTestNow + 300 * 86400}});
  couple.server.Sign(kTestNow);
  couple.Begin(0x87f23);
  couple.ListenFor(ClientDance::kRefreshSeconds - RenewingDance::kRenewalSeconds - 1000, 64);
  assert_true(couple.asked.empty());
  couple.ListenFor(2000);
  assert_false(couple.dance.renewing());
  assert_int_equal(couple.dance.flags(), 0x87f23);
  assert_int_equal(couple.Asked(AutokeyCode::kAssociation), 1);
  // Our certificate is renewed.
  couple.Note(couple.dance.OnHostMaterial({true, false}, couple.context()));
  couple.ListenFor(2000);
  assert_int_equal(couple.dance.flags(), 0x87f23);
  assert_int_equal(couple.Asked(AutokeyCode::kSign), 2);
  assert_int_equal(couple.Asked(AutokeyCode::kLeap), 1);
  assert_true(couple.restarts.empty());
}

// ... and what it cannot have is asked for four times an hour at most.
void AListenerAsksSeldomWhatItIsNotGiven(void**) {
  Couple couple;
  couple.Begin();
  couple.Note(couple.dance.OnHostMaterial({true, false}, couple.context()));
  couple.tamper = [](std::vector<uint8_t>& answer) { answer[0] |= 0x40; };
  couple.ListenFor(86400);
  assert_in_range(couple.Asked(AutokeyCode::kSign), 24, 96);
  couple.dance.OnKeysRestarted();
  couple.asked.clear();
  couple.ListenFor(640);
  assert_in_range(couple.Asked(AutokeyCode::kCookie), 1, 11);
}

// Our ntpd-keys came back without its cookies, and the server answers under a key that it got
// since.
void ACookieThatIsLostUnderAnotherServerKeyComesBack(void**) {
  Couple couple;
  couple.Begin();
  couple.RenewServer(100);
  couple.dance.OnKeysRestarted();
  couple.Note(couple.dance.OnHostMaterial({}, couple.context()));
  couple.PollFor(7 * 16);
  assert_true(couple.restarts.empty());
  assert_true(couple.dance.proven());
  // The cookie in vain, four steps of the new dance.
  assert_true(couple.longest_gap <= 6 * 16);
  assert_int_equal(couple.Asked(AutokeyCode::kCookie), 2);
}

void AForgedSuccessorCostsNothing(void**) {
  Couple couple;
  couple.Begin();
  // Whoever answers now has neither the key nor the group's; everything it says is well-formed.
  Party forger("server", TestKey::Shared(3), true, kIff);
  forger.group_secret = 99;
  forger.Sign(kTestNow);
  std::swap(couple.server.host, forger.host);
  std::swap(couple.server.certificates, forger.certificates);
  std::swap(couple.server.key, forger.key);
  couple.server.group_secret = 99;
  couple.PollFor(ClientDance::kRefreshSeconds - couple.elapsed - 100);
  couple.ExpectNothingLost();
  assert_true(couple.Asked(AutokeyCode::kAssociation) >= 2);
  // One try for each LEAP, whose signature does not fit, and those of the last 18 h.
  assert_true(couple.Asked(AutokeyCode::kLeap) <= kMostLeaps);
  assert_true(couple.Asked(AutokeyCode::kAssociation) <= kMostLeaps + 5);
  // But not for ever: nobody is believed longer than before.
  couple.PollFor(1000);
  assert_true(couple.restarts[0] == Restart::kRefresh);
  assert_false(couple.dance.proven());
}

void EveryKindOfBadAnswerEndsOneTryAndNothingElse(void**) {
  for (int kind = 0; kind < 4; ++kind) {
    Couple couple;
    couple.Begin();
    int answered = 0;
    couple.tamper = [&](std::vector<uint8_t>& field) {
      ++answered;
      if (kind == 0) field[0] |= 0x40;                                 // "cannot"
      if (kind == 1) field.resize(8), Writer(field).U32(0x82010008U);  // empty, of another code
      if (kind == 2) field.clear();                                    // nothing
      if (kind == 3 && field.size() > 30) field[25] ^= 1;
    };
    couple.PollFor(ClientDance::kRefreshSeconds - couple.elapsed - 100);
    couple.ExpectNothingLost();
    assert_true(answered >= 3);
    assert_true(answered <= (4 + kMostLeaps) * RenewingDance::kMaxTurns);
    couple.tamper = nullptr;
    // The next try is too late for the old dance, so it starts over and comes back.
    couple.PollFor(20000);
    assert_int_equal(couple.dance.flags(), 0x83f21);
  }
}

// The NAK answers the successor's field: it says nothing of the cookie.
void ANakToTheSuccessorIsNoNakToTheCookie(void**) {
  Couple couple;
  couple.Begin();
  couple.elapsed = ClientDance::kRefreshSeconds - RenewingDance::kRenewalSeconds;
  couple.last_time = couple.elapsed;
  while (!couple.dance.renewing()) couple.Poll();
  couple.Note(couple.dance.OnCryptoNak(couple.context()));
  assert_false(couple.dance.renewing());
  couple.Poll();
  couple.ExpectNothingLost();
  couple.Note(couple.dance.OnCryptoNak(couple.context()));
  assert_true(couple.restarts[0] == Restart::kCryptoNak);
}

void ANewGroupKeyOfOursIsProvedWithoutLosingTime(void**) {
  Couple couple;
  couple.Begin();
  couple.client.material.groups.Clear();
  couple.client.AddGroup("server");
  couple.client.material.groups.begin()->filestamp = NtpSeconds{kTestNow - 150};
  assert_true(couple.client.host.SetMaterial(couple.client.material).ok());
  couple.client.Sign(kTestNow + 500);
  couple.dance.OnKeysRestarted();
  couple.Note(couple.dance.OnHostMaterial({}, couple.context()));
  couple.PollFor(500);
  couple.ExpectNothingLost();
  assert_int_equal(couple.Asked(AutokeyCode::kIff), 1);
  assert_int_equal(couple.Asked(AutokeyCode::kAssociation), 1);
}

void AGroupKeyThatWasTakenAwayEndsItAtOnce(void**) {
  Couple couple;
  couple.Begin();
  couple.client.material.groups.Clear();
  assert_true(couple.client.host.SetMaterial(couple.client.material).ok());
  couple.Note(couple.dance.OnHostMaterial({}, couple.context()));
  assert_false(couple.dance.proven());
  assert_true(couple.restarts[0] == Restart::kHost);
}

DancePolicy Optional() {
  DancePolicy policy;
  policy.optional_everywhere = true;
  return policy;
}

// The client's parameters are taken away, or installed.
void SetGroup(Couple* couple, bool installed) {
  couple->client.material.groups.Clear();
  if (installed) couple->client.AddGroup("server");
  CHECK(couple->client.host.SetMaterial(couple->client.material).ok());
}

void AnotherGroupThatIsPinnedEndsItAtTheReload(void**) {
  Couple couple;
  couple.Begin();
  DancePolicy policy;
  policy.group = "other";
  couple.Note(couple.dance.OnPolicy(policy, couple.context()));
  assert_false(couple.dance.proven());
  assert_true(couple.restarts[0] == Restart::kPolicy);
  // No key of ours is another.
  assert_string_equal(couple.events.back().c_str(),
                      "Autokey starts over: ntp.conf asks something else of the server now");
  couple.PollFor(500);
  assert_false(couple.dance.proven());
}

void TheSameGroupPinnedChangesNothing(void**) {
  Couple couple;
  couple.Begin();
  DancePolicy policy;
  policy.group = "server";
  couple.Note(couple.dance.OnPolicy(policy, couple.context()));
  couple.PollFor(500);
  couple.ExpectNothingLost();
  assert_true(couple.asked.empty());
}

// Whether or not the parameters were installed by the same reload.
void WhoWasExcusedIsNotBelievedOnceItOwesAProof(void**) {
  for (const bool installed : {false, true}) {
    Couple couple(kIff, Optional());
    SetGroup(&couple, false);
    couple.PollFor(100);
    assert_true(couple.dance.proven());
    assert_string_equal(std::string(couple.dance.identity()).c_str(), "TC");
    SetGroup(&couple, installed);
    couple.Note(couple.dance.OnPolicy({}, couple.context()));
    assert_false(couple.dance.proven());
    couple.PollFor(500);
    assert_int_equal(couple.dance.proven(), installed);
    assert_string_equal(std::string(couple.dance.identity()).c_str(), installed ? "IFF" : "");
  }
}

// A pinned group is never optional.
void WhoWasExcusedIsNotBelievedOnceItsGroupIsPinned(void**) {
  Couple couple(kIff, Optional());
  SetGroup(&couple, false);
  couple.PollFor(100);
  assert_true(couple.dance.proven());
  SetGroup(&couple, true);
  DancePolicy policy = Optional();
  policy.group = "server";
  couple.Note(couple.dance.OnPolicy(policy, couple.context()));
  assert_false(couple.dance.proven());
}

// Its proof was begun under what was said before.
void ARenewalDoesNotOutliveThePolicy(void**) {
  Couple couple;
  couple.Begin();
  couple.elapsed = ClientDance::kRefreshSeconds - RenewingDance::kRenewalSeconds;
  while (!couple.dance.renewing()) couple.Poll();
  DancePolicy policy;
  policy.group = "other";
  couple.Note(couple.dance.OnPolicy(policy, couple.context()));
  assert_false(couple.dance.renewing());
  couple.PollFor(500);
  assert_false(couple.dance.proven());
}

void WhoMayStillBeExcusedProvesItselfWithoutLosingTime(void**) {
  Couple couple(kIff, Optional());
  SetGroup(&couple, false);
  couple.client.Sign(kTestNow);
  couple.PollFor(100);
  couple.last_time = couple.elapsed;
  couple.longest_gap = 0;
  SetGroup(&couple, true);
  couple.client.Sign(kTestNow + 100);
  couple.Note(couple.dance.OnHostMaterial({}, couple.context()));
  couple.PollFor(500);
  couple.ExpectNothingLost();
  assert_string_equal(std::string(couple.dance.identity()).c_str(), "IFF");
}

void WhoWasRefusedIsFollowedOnceItsProofIsExcused(void**) {
  Couple couple;
  SetGroup(&couple, false);
  couple.PollFor(500);
  assert_false(couple.dance.proven());
  couple.restarts.clear();
  couple.Note(couple.dance.OnPolicy(Optional(), couple.context()));
  // Its next poll may be long in coming.
  assert_true(couple.restarts.size() == 1 && couple.restarts[0] == Restart::kPolicy);
  couple.PollFor(100);
  assert_true(couple.dance.proven());
}

void OurOwnNewHostKeyCostsACookieAndNoProof(void**) {
  Couple couple;
  couple.Begin();
  Party renewed("client", TestKey::Shared(2), false);
  renewed.AddGroup("server");
  renewed.Sign(kTestNow + 200);
  couple.client.key = renewed.key;
  couple.client.material = renewed.material;
  couple.client.host = renewed.host;
  couple.client.certificates.SetOwn(renewed.host.certificate());
  couple.dance.OnKeysRestarted();
  couple.Note(couple.dance.OnHostMaterial({true, true}, couple.context()));
  assert_true(couple.Poll() == AutokeyCode::kCookie);
  assert_true(couple.Poll() == AutokeyCode::kSign);
  couple.PollFor(500);
  couple.ExpectNothingLost();
  assert_int_equal(couple.asked.size(), 2);
}

void PrivateCertificatesComeAndGoByAFullDance(void**) {
  Couple couple;
  couple.Begin();
  couple.client.MakePrivate("server");
  couple.Note(couple.dance.OnHostMaterial({true, true}, couple.context()));
  assert_true(couple.restarts[0] == Restart::kHost);
  assert_false(couple.dance.proven());
}

// Ours was signed for a year; near its end another is asked for, while the old one stays.
void ASignedCertificateNearItsEndIsSignedAgain(void**) {
  Couple couple;
  couple.Begin();
  couple.PollFor(1000);
  DanceContext late = couple.context();
  late.now = NtpSeconds{kTestNow + 340U * 86400U};
  const NextField next = couple.dance.NextRequest(late);
  assert_int_equal(next.field.size() > 1 ? next.field[1] : 0, 6);
  assert_int_equal(couple.dance.flags(), 0x83f21);
}

void ATrailAboutToExpireIsLookedUpAgain(void**) {
  Couple couple;
  couple.Begin();
  DanceContext late = couple.context();
  late.now = NtpSeconds{kTestNow + static_cast<uint32_t>(kYear) - 3600U};
  (void)couple.dance.NextRequest(late);
  assert_true(couple.dance.renewing());
}

// By a renewal that proves the same trail nothing is won: the next follows soon, so that who asks
// us for the trail has the new one soon after us.
void ATrailThatRunsOutIsLookedUpOften(void**) {
  Couple couple;
  couple.Begin();
  couple.ahead = static_cast<double>(kYear) - 8192 - couple.elapsed;
  couple.PollFor(4096);
  assert_in_range(couple.Asked(AutokeyCode::kAssociation), 4, 5);
  couple.RenewServer(static_cast<uint32_t>(kYear) - 4096);
  couple.PollFor(RenewingDance::kLateRetrySeconds + 320);
  assert_true(couple.dance.trail().server()->key == couple.server.host.certificate().key);
  couple.ExpectNothingLost();
}

void LateAnswersFindTheirOwnDance(void**) {
  Couple couple;
  couple.Begin();
  couple.elapsed = ClientDance::kRefreshSeconds - RenewingDance::kRenewalSeconds;
  couple.last_time = couple.elapsed;
  while (!couple.dance.renewing()) couple.Poll();
  for (uint32_t ticket = 0; ticket < 64; ++ticket) {
    for (const uint32_t generation : {0U, 1U, 2U, 255U}) {
      const uint32_t any = generation << 24 | ticket;
      couple.Note(couple.dance.OnVerdict(any, msg::VerdictCode::kBad, couple.context()));
      couple.Note(couple.dance.OnValueAnswer(any, {}, couple.context()));
    }
  }
  couple.PollFor(500);
  couple.ExpectNothingLost();
  assert_false(couple.dance.renewing());
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(RenewsForAMonthWithoutLosingAPollsTime),
      cmocka_unit_test(AServerThatSignsWithAnotherKeyIsProvedAnew),
      cmocka_unit_test(AListenersWordIsAsFullAfterARenewalAsBefore),
      cmocka_unit_test(AListenerAsksSeldomWhatItIsNotGiven),
      cmocka_unit_test(ACookieThatIsLostUnderAnotherServerKeyComesBack),
      cmocka_unit_test(AForgedSuccessorCostsNothing),
      cmocka_unit_test(EveryKindOfBadAnswerEndsOneTryAndNothingElse),
      cmocka_unit_test(ANakToTheSuccessorIsNoNakToTheCookie),
      cmocka_unit_test(ANewGroupKeyOfOursIsProvedWithoutLosingTime),
      cmocka_unit_test(AGroupKeyThatWasTakenAwayEndsItAtOnce),
      cmocka_unit_test(AnotherGroupThatIsPinnedEndsItAtTheReload),
      cmocka_unit_test(TheSameGroupPinnedChangesNothing),
      cmocka_unit_test(WhoWasExcusedIsNotBelievedOnceItOwesAProof),
      cmocka_unit_test(WhoWasExcusedIsNotBelievedOnceItsGroupIsPinned),
      cmocka_unit_test(ARenewalDoesNotOutliveThePolicy),
      cmocka_unit_test(WhoMayStillBeExcusedProvesItselfWithoutLosingTime),
      cmocka_unit_test(WhoWasRefusedIsFollowedOnceItsProofIsExcused),
      cmocka_unit_test(OurOwnNewHostKeyCostsACookieAndNoProof),
      cmocka_unit_test(PrivateCertificatesComeAndGoByAFullDance),
      cmocka_unit_test(ASignedCertificateNearItsEndIsSignedAgain),
      cmocka_unit_test(ATrailAboutToExpireIsLookedUpAgain),
      cmocka_unit_test(ATrailThatRunsOutIsLookedUpOften),
      cmocka_unit_test(LateAnswersFindTheirOwnDance),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
