// The way from a server's certificate to a trusted one, and where certificates are kept.
#include "ntpd/autokey/trail.h"

#include "ntpd/autokey/certificate_cache.h"
#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

struct Names {
  std::string subject, issuer;
};

// Keys 0.. belong to the names in order of their first use.
Certificate Make(const Names& names, int subject_key, int issuer_key, bool trusted = false,
                 CalendarSeconds not_before = CalendarSeconds{kTestNow} - 100,
                 uint32_t filestamp = kTestNow - 20000) {
  CertificateSpec spec;
  spec.subject = names.subject;
  spec.issuer = names.issuer;
  spec.not_before = not_before;
  if (trusted) spec.usages = kTrustRoot;
  return MakeParsed(spec, TestKey::Shared(subject_key)->pkey(), TestKey::Shared(issuer_key)->pkey(),
                    filestamp);
}

Trail Started(const std::string& server) {
  Trail trail;
  trail.Start(server);
  return trail;
}

void EndsAtATrustedSelfSignedCertificate(void**) {
  Trail trail = Started("middle");
  assert_int_equal(trail.Add(Make({"middle", "root"}, 1, 0), "client"), Outcome::kOk);
  assert_string_equal(trail.wanted().c_str(), "root");
  assert_false(trail.complete());
  assert_int_equal(trail.Add(Make({"root", "root"}, 0, 0, true), "client"), Outcome::kOk);
  assert_true(trail.complete());
  // Messages are signed by the first, not by the root.
  assert_string_equal(trail.server()->subject.c_str(), "middle");
  assert_string_equal(trail.last()->subject.c_str(), "root");
}

void SelfSignedWithoutTrustEndsNothing(void**) {
  Trail trail = Started("server");
  assert_int_equal(trail.Add(Make({"server", "server"}, 0, 0), "client"), Outcome::kOk);
  assert_false(trail.complete());
  assert_null(trail.server());
  assert_string_equal(trail.wanted().c_str(), "server");
  assert_int_equal(trail.Add(Make({"server", "root"}, 0, 1), "client"), Outcome::kOk);
  assert_string_equal(trail.wanted().c_str(), "root");
}

void RefusesAnIssuerThatDidNotSign(void**) {
  Trail trail = Started("middle");
  (void)trail.Add(Make({"middle", "root"}, 1, 0), "client");
  assert_int_equal(trail.Add(Make({"root", "root"}, 2, 2, true), "client"),
                   Outcome::kCertificateSignature);
  assert_false(trail.complete());
  assert_int_equal(trail.Add(Make({"root", "root"}, 0, 0, true), "client"), Outcome::kOk);
}

void RefusesACertificateMadeOutsideItsIssuersValidity(void**) {
  Trail trail = Started("middle");
  (void)trail.Add(Make({"middle", "root"}, 1, 0, false, CalendarSeconds{kTestNow} - 10000),
                  "client");
  assert_int_equal(trail.Add(Make({"root", "root"}, 0, 0, true), "client"), Outcome::kPeriod);
}

void RefusesLoops(void**) {
  Trail trail = Started("a");
  assert_int_equal(trail.Add(Make({"a", "b"}, 0, 1), "client"), Outcome::kOk);
  assert_int_equal(trail.Add(Make({"b", "a"}, 1, 0), "client"), Outcome::kCertificate);
  // Through ourselves: we would vouch for our own server.
  assert_int_equal(trail.Add(Make({"b", "client"}, 1, 2), "client"), Outcome::kCertificate);
}

void RefusesTrailsWithoutEnd(void**) {
  Trail trail = Started("host0");
  size_t accepted = 0;
  for (int i = 0; i < 20; ++i) {
    const Names names{"host" + std::to_string(i), "host" + std::to_string(i + 1)};
    if (trail.Add(Make(names, 0, 0), "client") != Outcome::kOk) break;
    ++accepted;
  }
  assert_int_equal(accepted, Trail::kMaxLength - 1);
}

std::vector<std::string> Texts(const CertificateCache& cache) {
  std::vector<std::string> texts;
  for (const auto& line : cache.Lines()) texts.push_back(line.text);
  return texts;
}

void ListsAsTheReferenceDoes(void**) {
  CertificateCache cache;
  cache.SetOwn(Make({"client", "client"}, 2, 2));
  Trail trail = Started("middle");
  (void)trail.Add(Make({"middle", "root"}, 1, 0), "client");
  (void)trail.Add(Make({"root", "root"}, 0, 0, true), "client");
  trail.InstallInto(cache, CertificateSource::kProved, AssocId{1});
  cache.Install(Make({"client", "middle"}, 2, 1), false);
  const std::vector<std::string> expected = {"client middle 0x4", "root root 0x5",
                                             "middle root 0x6", "client client 0x0"};
  assert_true(Texts(cache) == expected);
}

void ServesTheTrustedOneElseTheOldestThatOthersSigned(void**) {
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2));
  assert_null(cache.FindForClient("own"));
  cache.Install(Make({"own", "first"}, 2, 0), false);
  cache.Install(Make({"own", "second"}, 2, 1), false);
  assert_string_equal(cache.FindForClient("own")->issuer.c_str(), "first");
  assert_null(cache.FindForClient("nobody"));
  cache.SetOwn(Make({"own", "own"}, 2, 2, true));
  assert_string_equal(cache.FindForClient("own")->issuer.c_str(), "own");
}

// Its owner's clock was ahead by a year, and ours not set yet. What was made since is older.
void ACertificateOfTimesToComeDoesNotKeepTheGenuineOneAway(void**) {
  constexpr CalendarSeconds kNow = kTestNow;
  CertificateCache cache;
  const auto made = [](CalendarSeconds not_before) {
    CertificateSpec spec{.subject = "top",
                         .issuer = "top",
                         .not_before = not_before,
                         .not_after = not_before + kYear,
                         .usages = kTrustRoot};
    return MakeParsed(spec, TestKey::Shared(0)->pkey(), TestKey::Shared(0)->pkey(),
                      static_cast<uint32_t>(not_before) - 1);
  };
  const Certificate ahead = made(kNow + kYear), genuine = made(kNow - 60);
  cache.Install(ahead, true);
  cache.Install(genuine, true);
  assert_true(cache.FindForClient("top")->der == ahead.der);
  const uint32_t revision = cache.revision();
  cache.DropAhead(kNow + kYear - Certificate::kMostAhead);
  assert_int_equal(cache.revision(), revision);
  cache.DropAhead(kNow);
  assert_null(cache.FindForClient("top"));
  assert_true(cache.revision() != revision);
  cache.Install(genuine, true);
  cache.DropAhead(kNow);
  assert_true(cache.FindForClient("top")->der == genuine.der);
  // Our own is ours to show.
  cache.SetOwn(ahead);
  cache.DropAhead(kNow);
  assert_non_null(cache.FindForClient("top"));
}

void NeverServesPrivateCertificates(void**) {
  CertificateSpec spec;
  spec.usages = {"1.3.6.1.4"};
  CertificateCache cache;
  cache.SetOwn(MakeParsed(spec, TestKey::Shared(0)->pkey(), TestKey::Shared(0)->pkey()));
  assert_true(Texts(cache)[0] == "server server 0x8");
  assert_null(cache.FindForClient("server"));
}

void KeepsTheNewerOfTwo(void**) {
  CertificateCache cache;
  const Certificate newer = Make({"a", "b"}, 0, 1, false, kTestNow, kTestNow - 500);
  const Certificate older = Make({"a", "b"}, 0, 1, false, kTestNow + 5, kTestNow - 600);
  cache.Install(newer, false);
  cache.Install(older, true);
  assert_int_equal(cache.entries().size(), 1);
  assert_int_equal(cache.entries()[0].certificate.filestamp.value, kTestNow - 500);
  assert_int_equal(cache.entries()[0].flags, kCertificateValid);
  // Issued again for the same request: it lasts longer.
  cache.Install(Make({"a", "b"}, 0, 1, false, kTestNow + 5, kTestNow - 500), false);
  assert_true(cache.entries()[0].certificate.not_before == CalendarSeconds{kTestNow} + 5);
  // The very same: only gains what was found out.
  cache.Install(cache.entries()[0].certificate, true);
  assert_int_equal(cache.entries()[0].flags, kCertificateValid | kCertificateSigned);
}

void OwnCertificateIsNotReplacedFromOutside(void**) {
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2, true));
  cache.Install(Make({"own", "own"}, 1, 1, true, kTestNow + 500, kTestNow), false);
  assert_int_equal(cache.entries().size(), 1);
  assert_true(cache.FindForClient("own")->key == TestKey::Shared(2)->public_key());
}

void NewOwnKeyVoidsWhatWasIssuedForTheOldOne(void**) {
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2));
  cache.Install(Make({"own", "server"}, 2, 0), false);
  cache.Install(Make({"server", "server"}, 0, 0, true), false);
  cache.SetOwn(Make({"own", "own"}, 1, 1));
  const std::vector<std::string> expected = {"server server 0x5", "own own 0x0"};
  assert_true(Texts(cache) == expected);
}

// Two hosts called "ntp": our clients, which ask for our name, would get the other one's key.
void AnotherHostOfOurNameIsNotServedForUs(void**) {
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2));
  cache.Install(Make({"own", "server"}, 1, 0), true);
  cache.Install(Make({"own", "own"}, 1, 1, true), false);
  assert_null(cache.FindForClient("own"));
  cache.Install(Make({"own", "server"}, 2, 0), false);
  assert_true(cache.FindForClient("own")->key == TestKey::Shared(2)->public_key());
  cache.Install(Make({"own", "server"}, 1, 0, false, kTestNow, kTestNow), true);
  assert_true(cache.FindForClient("own")->key == TestKey::Shared(2)->public_key());
}

// Our clients follow what our servers signed, and these may be away for longer than a dance lasts.
void ARenewedCertificateKeepsWhatWasIssuedToItsKey(void**) {
  const auto own = [](uint32_t age) {
    return Make({"own", "own"}, 2, 2, false, CalendarSeconds{kTestNow} - age, kTestNow - age);
  };
  const auto issued = [](const char* issuer, int issuer_key, uint32_t age) {
    return Make({"own", issuer}, 2, issuer_key, false, kTestNow, kTestNow - age);
  };
  CertificateCache cache;
  cache.SetOwn(own(5000));
  cache.Install(issued("gone", 1, 5000), false);
  cache.Install(issued("server", 0, 5000), false);
  cache.SetOwn(own(1000));
  assert_string_equal(cache.FindForClient("own")->issuer.c_str(), "gone");
  assert_int_equal(cache.entries().back().certificate.filestamp.value, kTestNow - 1000);
  // A stranger's comes beside it, and one for an older certificate ends nothing.
  cache.Install(issued("stranger", 3, 1000), false, CertificateSource::kStranger, AssocId{9});
  cache.Install(issued("late", 3, 5000), false);
  assert_string_equal(cache.FindForClient("own")->issuer.c_str(), "gone");
  // Issued anew, it takes the place of all that came before it.
  cache.Install(issued("server", 0, 1000), false);
  const std::vector<std::string> expected = {"own server 0x4", "own stranger 0x4", "own own 0x0"};
  assert_true(Texts(cache) == expected);
  assert_int_equal(cache.FindForClient("own")->filestamp.value, kTestNow - 1000);
}

// Whoever is let in by a packet and a trail chooses every name and filestamp in it.
void StrangersTakeNothingFromTheTrailThatWasChosen(void**) {
  constexpr auto kStranger = CertificateSource::kStranger;
  constexpr AssocId kFrom{9};
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2));
  cache.Install(Make({"server", "server"}, 0, 0, true), false);
  cache.Install(Make({"own", "server"}, 2, 0), false);
  cache.Install(Make({"server", "server"}, 1, 1, true, kTestNow + 500, kTestNow), false, kStranger,
                kFrom);
  cache.Install(Make({"own", "stranger"}, 2, 1), false, kStranger, kFrom);
  for (int i = 0; i < 100; ++i)
    cache.Install(Make({"host" + std::to_string(i), "root"}, 0, 1), false, kStranger, kFrom);
  assert_int_equal(cache.entries().size(), CertificateCache::kCapacity);
  assert_true(cache.FindForClient("server")->key == TestKey::Shared(0)->public_key());
  assert_string_equal(cache.FindForClient("own")->issuer.c_str(), "server");
  assert_non_null(cache.FindForClient("host99"));
  // Those that were chosen take the places of strangers, whatever these say of their age.
  cache.Install(Make({"host99", "root"}, 1, 1, false, kTestNow - 500, kTestNow - 900), false);
  assert_true(cache.FindForClient("host99")->key == TestKey::Shared(1)->public_key());
  for (int i = 0; i < 100; ++i)
    cache.Install(Make({"chosen" + std::to_string(i), "root"}, 0, 1), false);
  cache.Install(Make({"late", "root"}, 0, 1), false, kStranger, kFrom);
  assert_null(cache.FindForClient("late"));
  assert_non_null(cache.FindForClient("chosen99"));
}

// top <- upper <- own, where `upper` proved itself, and evil's trail evil <- upper <- zroot, whose
// "upper" is another host with another key.
struct TwoTrails {
  static constexpr AssocId kGenuine{1}, kEvil{2};
  static constexpr int kTop = 0, kUpper = 1, kOwn = 2, kForged = 3, kZroot = 4, kEvilKey = 5;

  TwoTrails() { cache.SetOwn(Make({"own", "own"}, kOwn, kOwn)); }
  void FollowGenuine(CertificateSource source = CertificateSource::kProved) {
    Trail trail = Started("upper");
    (void)trail.Add(Make({"upper", "top"}, kUpper, kTop), "own");
    (void)trail.Add(Make({"top", "top"}, kTop, kTop, true), "own");
    trail.InstallInto(cache, source, kGenuine);
    cache.Install(Make({"own", "upper"}, kOwn, kUpper), false, source, kGenuine);
  }
  void FollowEvil() {
    constexpr auto kSource = CertificateSource::kByTrail;
    Trail trail = Started("evil");
    (void)trail.Add(Make({"evil", "upper"}, kEvilKey, kForged), "own");
    (void)trail.Add(Make({"upper", "zroot"}, kForged, kZroot), "own");
    (void)trail.Add(Make({"zroot", "zroot"}, kZroot, kZroot, true), "own");
    trail.InstallInto(cache, kSource, kEvil);
    cache.Install(Make({"own", "evil"}, kOwn, kEvilKey), false, kSource, kEvil);
  }
  // What a client of ours finds that asks for one name after the other.
  std::string Walk() const {
    Trail trail = Started("own");
    std::string names;
    while (!trail.complete()) {
      const Certificate* found = cache.FindForClient(trail.wanted());
      if (found == nullptr || trail.Add(*found, "client") != Outcome::kOk) return names + "?";
      names += found->subject + " ";
    }
    return names;
  }
  CertificateCache cache;
};

// One server that was let in by its trail alone must not cut off all our clients.
void OurClientsFollowOneTrailThatHolds(void**) {
  for (const bool evil_first : {true, false}) {
    TwoTrails f;
    if (evil_first) f.FollowEvil();
    f.FollowGenuine();
    if (!evil_first) f.FollowEvil();
    assert_string_equal(f.Walk().c_str(), "own upper top ");
    // Nor does it by signing what the proved one has yet to sign.
    f.cache.SetOwn(
        Make({"own", "own"}, 2, 2, false, CalendarSeconds{kTestNow} - 50, kTestNow - 60));
    f.cache.Install(
        Make({"own", "evil"}, 2, 5, false, CalendarSeconds{kTestNow} - 50, kTestNow - 60), false,
        CertificateSource::kByTrail, TwoTrails::kEvil);
    assert_string_equal(f.Walk().c_str(), "own upper top ");
  }
}

// Of two that proved as little the one that came first is followed, by its keys.
void ATrailGoesByKeysAndNotByNames(void**) {
  TwoTrails f;
  f.FollowGenuine(CertificateSource::kByTrail);
  f.FollowEvil();
  assert_string_equal(f.Walk().c_str(), "own upper top ");
  TwoTrails other;
  other.FollowEvil();
  other.FollowGenuine(CertificateSource::kByTrail);
  assert_string_equal(other.Walk().c_str(), "own evil upper zroot ");
}

// A server's own trail may be as long as any, and then ours by it is too long for our clients.
void ATrailThatIsTooLongHidesNoOther(void**) {
  TwoTrails f;
  constexpr auto kSource = CertificateSource::kByTrail;
  const std::vector<std::string> names = {"evil", "e1", "e2", "e3", "e4", "e5"};
  Trail trail = Started("evil");
  for (size_t i = 0; i + 1 < names.size(); ++i)
    (void)trail.Add(Make({names[i], names[i + 1]}, TwoTrails::kEvilKey, TwoTrails::kEvilKey),
                    "own");
  (void)trail.Add(Make({"e5", "upper"}, TwoTrails::kEvilKey, TwoTrails::kUpper), "own");
  (void)trail.Add(Make({"upper", "top"}, TwoTrails::kUpper, TwoTrails::kTop), "own");
  (void)trail.Add(Make({"top", "top"}, TwoTrails::kTop, TwoTrails::kTop, true), "own");
  assert_true(trail.complete());
  trail.InstallInto(f.cache, kSource, TwoTrails::kEvil);
  f.cache.Install(Make({"own", "evil"}, TwoTrails::kOwn, TwoTrails::kEvilKey), false, kSource,
                  TwoTrails::kEvil);
  f.FollowGenuine(kSource);
  assert_string_equal(f.Walk().c_str(), "own upper top ");
}

// The genuine names with newer dates and other keys, or in their issuer's place.
void WhoProvedLessTakesNoNameFromWhoProvedMore(void**) {
  TwoTrails f;
  f.FollowGenuine();
  for (const Names& names : {Names{"top", "top"}, {"upper", "top"}, {"own", "upper"}})
    f.cache.Install(Make(names, names.subject == "own" ? 2 : 3, 3, names.subject == "top",
                         CalendarSeconds{kTestNow} - 50, kTestNow - 60),
                    true, CertificateSource::kByTrail, TwoTrails::kEvil);
  assert_string_equal(f.Walk().c_str(), "own upper top ");
  for (int i = 0; i < 100; ++i)
    f.cache.Install(Make({"host" + std::to_string(i), "top"}, 3, 3), true,
                    CertificateSource::kByTrail, TwoTrails::kEvil);
  assert_int_equal(f.cache.entries().size(), CertificateCache::kCapacity);
  assert_string_equal(f.Walk().c_str(), "own upper top ");
}

void ATrailGoesWithTheLastWhoHeldIt(void**) {
  TwoTrails f;
  f.FollowEvil();
  f.FollowGenuine();
  f.cache.Install(Make({"top", "top"}, 0, 0, true), false, CertificateSource::kByTrail,
                  TwoTrails::kEvil);
  const uint32_t before = f.cache.revision();
  f.cache.Drop(TwoTrails::kGenuine);
  assert_string_equal(f.Walk().c_str(), "own evil upper zroot ");
  assert_true(f.cache.revision() != before);
  assert_non_null(f.cache.FindForClient("top"));
  f.cache.Drop(TwoTrails::kEvil);
  const std::vector<std::string> own = {"own own 0x0"};
  assert_true(Texts(f.cache) == own);
}

void HoldsABoundedNumberAndNeverDropsItsOwn(void**) {
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2, true));
  for (int i = 0; i < 100; ++i) {
    cache.Install(Make({"host" + std::to_string(i), "root"}, 0, 1), false);
    assert_true(cache.entries().size() <= CertificateCache::kCapacity);
  }
  assert_non_null(cache.FindForClient("own"));
  assert_non_null(cache.FindForClient("host99"));
  assert_null(cache.FindForClient("host0"));
}

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EndsAtATrustedSelfSignedCertificate),
      cmocka_unit_test(SelfSignedWithoutTrustEndsNothing),
      cmocka_unit_test(RefusesAnIssuerThatDidNotSign),
      cmocka_unit_test(RefusesACertificateMadeOutsideItsIssuersValidity),
      cmocka_unit_test(RefusesLoops),
      cmocka_unit_test(RefusesTrailsWithoutEnd),
      cmocka_unit_test(ListsAsTheReferenceDoes),
      cmocka_unit_test(ServesTheTrustedOneElseTheOldestThatOthersSigned),
      cmocka_unit_test(ACertificateOfTimesToComeDoesNotKeepTheGenuineOneAway),
      cmocka_unit_test(NeverServesPrivateCertificates),
      cmocka_unit_test(KeepsTheNewerOfTwo),
      cmocka_unit_test(OwnCertificateIsNotReplacedFromOutside),
      cmocka_unit_test(NewOwnKeyVoidsWhatWasIssuedForTheOldOne),
      cmocka_unit_test(AnotherHostOfOurNameIsNotServedForUs),
      cmocka_unit_test(ARenewedCertificateKeepsWhatWasIssuedToItsKey),
      cmocka_unit_test(StrangersTakeNothingFromTheTrailThatWasChosen),
      cmocka_unit_test(OurClientsFollowOneTrailThatHolds),
      cmocka_unit_test(ATrailGoesByKeysAndNotByNames),
      cmocka_unit_test(ATrailThatIsTooLongHidesNoOther),
      cmocka_unit_test(WhoProvedLessTakesNoNameFromWhoProvedMore),
      cmocka_unit_test(ATrailGoesWithTheLastWhoHeldIt),
      cmocka_unit_test(HoldsABoundedNumberAndNeverDropsItsOwn),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
