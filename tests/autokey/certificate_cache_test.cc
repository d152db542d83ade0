// Where certificates are kept: which, for how long, and at whose expense.
#include "ntpd/autokey/certificate_cache.h"

#include "tests/autokey/trails.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

void ListsAsTheReferenceDoes(void**) {
  CertificateCache cache;
  cache.SetOwn(Make({"client", "client"}, 2, 2));
  Trail trail = Started("middle");
  (void)trail.Add(Make({"middle", "root"}, 1, 0), "client");
  (void)trail.Add(Make({"root", "root"}, 0, 0, true), "client");
  cache.Accept(trail, CertificateSource::kProved, AssocId{1});
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
  cache.OnTime(kNow + kYear - Certificate::kMostAhead);
  assert_int_equal(cache.entries().size(), 1);
  const uint32_t revision = cache.revision();
  cache.OnTime(kNow);
  assert_int_equal(cache.entries().size(), 0);
  assert_true(cache.revision() != revision);
  cache.Install(genuine, true);
  cache.OnTime(kNow);
  assert_true(cache.FindForClient("top")->der == genuine.der);
  // Our own is ours to show.
  cache.SetOwn(ahead);
  cache.OnTime(kNow);
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
  // Issued anew by one of them it ends only that one's.
  cache.Install(issued("server", 0, 1000), false);
  const std::vector<std::string> expected = {"own late 0x4", "own stranger 0x4", "own server 0x4",
                                             "own gone 0x4", "own own 0x0"};
  assert_true(Texts(cache) == expected);
  assert_int_equal(cache.entries()[2].certificate.filestamp.value, kTestNow - 1000);
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

// Else what an attacker re-signs at every poll would soon be the oldest, which is followed.
void WhatIsIssuedAgainKeepsItsPlace(void**) {
  constexpr AssocId kFirst{1}, kSecond{2};
  const auto issued = [](const char* issuer, int key, uint32_t age) {
    return Make({"own", issuer}, 2, key, false, CalendarSeconds{kTestNow} - age);
  };
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2));
  cache.Install(issued("first", 0, 500), false, CertificateSource::kByTrail, kFirst);
  cache.Install(issued("second", 1, 500), false, CertificateSource::kByTrail, kSecond);
  cache.Install(issued("first", 0, 100), false, CertificateSource::kByTrail, kFirst);
  assert_string_equal(cache.FindForClient("own")->issuer.c_str(), "first");
  assert_true(cache.FindForClient("own")->not_before == CalendarSeconds{kTestNow} - 100);
  // While somebody else still holds the one before, both stay, side by side.
  cache.Install(issued("second", 1, 500), false, CertificateSource::kByTrail, kFirst);
  cache.Install(issued("second", 1, 50), false, CertificateSource::kByTrail, kFirst);
  const std::vector<std::string> expected = {"own second 0x4", "own second 0x4", "own first 0x4",
                                             "own own 0x0"};
  assert_true(Texts(cache) == expected);
  assert_true(cache.entries()[0].certificate.not_before == CalendarSeconds{kTestNow} - 50);
}

Trail Followed(const std::vector<Names>& steps, int key) {
  Trail trail = Started(steps[0].subject);
  for (const Names& names : steps)
    assert_int_equal(trail.Add(Make(names, key, key, names.subject == names.issuer), "own"),
                     Outcome::kOk);
  return trail;
}

void OfATrailThatChangedTheOldStepsGo(void**) {
  constexpr AssocId kHolder{1};
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2));
  cache.Accept(Followed({{"server", "old"}, {"old", "old"}}, 0), CertificateSource::kByTrail,
               kHolder);
  cache.Install(Make({"own", "server"}, 2, 0), false, CertificateSource::kByTrail, kHolder);
  cache.Accept(Followed({{"server", "new"}, {"new", "new"}}, 0), CertificateSource::kByTrail,
               kHolder);
  const std::vector<std::string> expected = {"new new 0x5", "server new 0x6", "own server 0x4",
                                             "own own 0x0"};
  assert_true(Texts(cache) == expected);
  // A server of another name at that address: what the one before signed for us goes, too.
  cache.Accept(Followed({{"other", "other"}}, 1), CertificateSource::kByTrail, kHolder);
  const std::vector<std::string> others = {"other other 0x5", "own own 0x0"};
  assert_true(Texts(cache) == others);
}

// What is served is signed anew at each change: a server that is asked again costs nothing.
void WhatIsKnownChangesNothing(void**) {
  constexpr AssocId kHolder{1};
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2));
  const Trail trail = Followed({{"server", "top"}, {"top", "top"}}, 0);
  const Certificate issued = Make({"own", "server"}, 2, 0);
  cache.Accept(trail, CertificateSource::kByTrail, kHolder);
  cache.Install(issued, false, CertificateSource::kByTrail, kHolder);
  const uint32_t revision = cache.revision();
  cache.Accept(trail, CertificateSource::kByTrail, kHolder);
  cache.Install(issued, false, CertificateSource::kByTrail, kHolder);
  cache.Drop(AssocId{7});
  cache.OnTime(kTestNow);
  cache.OnTime(kTestNow + 3600);
  assert_int_equal(cache.revision(), revision);
  cache.Accept(trail, CertificateSource::kProved, kHolder);
  assert_int_not_equal(cache.revision(), revision);
}

// Of servers that proved as much.
void OneServerTakesNoRoomFromTheOthers(void**) {
  constexpr auto kSource = CertificateSource::kByTrail;
  constexpr AssocId kGreedy{99};
  CertificateCache cache;
  cache.SetOwn(Make({"own", "own"}, 2, 2));
  // As many as a host may reasonably follow, each with a root of its own.
  const auto name = [](const char* kind, uint16_t i) { return kind + std::to_string(i); };
  for (uint16_t i = 1; i <= 20; ++i) {
    cache.Accept(
        Followed({{name("server", i), name("root", i)}, {name("root", i), name("root", i)}}, 0),
        kSource, AssocId{i});
    cache.Install(Make({"own", name("server", i)}, 2, 0), false, kSource, AssocId{i});
  }
  assert_int_equal(cache.entries().size(), 61);
  for (uint16_t i = 0; i < 100; ++i)
    cache.Install(Make({name("many", i), "root1"}, 1, 0), false, kSource, kGreedy);
  assert_int_equal(cache.entries().size(), CertificateCache::kCapacity);
  for (uint16_t i = 1; i <= 20; ++i) {
    assert_non_null(cache.FindForClient(name("server", i)));
    assert_non_null(cache.FindForClient(name("root", i)));
  }
  // One more server has its place, at the expense of who has most.
  cache.Accept(Followed({{"late", "late"}}, 1), kSource, AssocId{50});
  assert_non_null(cache.FindForClient("late"));
  // Of who proved more the trail that is followed stays none the less.
  for (uint16_t i = 100; i < 300; ++i)
    cache.Install(Make({name("many", i), "root1"}, 1, 0), false, CertificateSource::kProved,
                  kGreedy);
  assert_string_equal(cache.FindForClient("own")->issuer.c_str(), "server1");
  assert_non_null(cache.FindForClient("server1"));
  assert_non_null(cache.FindForClient("root1"));
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
      cmocka_unit_test(WhatIsIssuedAgainKeepsItsPlace),
      cmocka_unit_test(OfATrailThatChangedTheOldStepsGo),
      cmocka_unit_test(WhatIsKnownChangesNothing),
      cmocka_unit_test(OneServerTakesNoRoomFromTheOthers),
      cmocka_unit_test(HoldsABoundedNumberAndNeverDropsItsOwn),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
