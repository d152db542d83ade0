// The trail that our clients are led along, whoever else chose names and dates.
#include "ntpd/autokey/own_trail.h"

#include "tests/autokey/trails.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {
namespace {

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
    cache.Accept(trail, source, kGenuine);
    cache.Install(Make({"own", "upper"}, kOwn, kUpper), false, source, kGenuine);
  }
  void FollowEvil() {
    constexpr auto kSource = CertificateSource::kByTrail;
    Trail trail = Started("evil");
    (void)trail.Add(Make({"evil", "upper"}, kEvilKey, kForged), "own");
    (void)trail.Add(Make({"upper", "zroot"}, kForged, kZroot), "own");
    (void)trail.Add(Make({"zroot", "zroot"}, kZroot, kZroot, true), "own");
    cache.Accept(trail, kSource, kEvil);
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
  f.cache.Accept(trail, kSource, TwoTrails::kEvil);
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

// Our clients would be told of a step that is over.
void WhatExpiredIsNotFollowedWhileThereIsAnother(void**) {
  constexpr CalendarSeconds kNow = kTestNow;
  const auto until = [](const Names& names, int key, int issuer, CalendarSeconds not_after) {
    CertificateSpec spec{.subject = names.subject,
                         .issuer = names.issuer,
                         .not_before = kNow - 100,
                         .not_after = not_after};
    if (names.subject == names.issuer) spec.usages = kTrustRoot;
    return MakeParsed(spec, TestKey::Shared(key)->pkey(), TestKey::Shared(issuer)->pkey(),
                      kTestNow - 20000);
  };
  TwoTrails f;
  Trail trail = Started("upper");
  (void)trail.Add(until({"upper", "top"}, TwoTrails::kUpper, TwoTrails::kTop, kNow + 500), "own");
  (void)trail.Add(until({"top", "top"}, TwoTrails::kTop, TwoTrails::kTop, kNow + kYear), "own");
  f.cache.Accept(trail, CertificateSource::kProved, TwoTrails::kGenuine);
  f.cache.Install(Make({"own", "upper"}, TwoTrails::kOwn, TwoTrails::kUpper), false,
                  CertificateSource::kProved, TwoTrails::kGenuine);
  f.cache.OnTime(kNow);
  f.cache.OnTime(kNow + 501);
  // It is all that there is.
  assert_string_equal(f.Walk().c_str(), "own upper top ");
  f.FollowEvil();
  assert_string_equal(f.Walk().c_str(), "own evil upper zroot ");
  f.cache.OnTime(kNow + 400);
  assert_string_equal(f.Walk().c_str(), "own upper top ");
  const uint32_t revision = f.cache.revision();
  f.cache.OnTime(kNow + 500);
  assert_int_equal(f.cache.revision(), revision);
  f.cache.OnTime(kNow + 501);
  assert_int_not_equal(f.cache.revision(), revision);
  assert_string_equal(f.Walk().c_str(), "own evil upper zroot ");
}

// Who issued it has a clock that is ahead, by half a second or by hours: our clients would refuse
// us.
void WhatHasNotBegunIsNotServed(void**) {
  constexpr CalendarSeconds kNow = kTestNow;
  const auto issued = [](const char* issuer, int key, CalendarSeconds not_before) {
    return Make({"own", issuer}, TwoTrails::kOwn, key, false, not_before);
  };
  TwoTrails f;
  f.cache.OnTime(kNow);
  f.FollowEvil();
  f.cache.Install(issued("evil", TwoTrails::kEvilKey, kNow + 20), false,
                  CertificateSource::kByTrail, TwoTrails::kEvil);
  // A client that hears that there is none asks again.
  assert_null(f.cache.FindForClient("own"));
  assert_non_null(f.cache.FindForClient("evil"));
  f.FollowGenuine(CertificateSource::kByTrail);
  assert_string_equal(f.Walk().c_str(), "own upper top ");
  const uint32_t revision = f.cache.revision();
  f.cache.OnTime(kNow + 19);
  assert_int_equal(f.cache.revision(), revision);
  // Clients compare it with the time of our last signature, which follows each change.
  f.cache.OnTime(kNow + 20);
  assert_int_not_equal(f.cache.revision(), revision);
  assert_string_equal(f.Walk().c_str(), "own evil upper zroot ");
}

// A proved server whose own trail is not whole here leads nobody anywhere.
void WhoProvedLessIsFollowedWhileNobodyElseIs(void**) {
  TwoTrails f;
  f.cache.Install(Make({"own", "upper"}, TwoTrails::kOwn, TwoTrails::kUpper), false,
                  CertificateSource::kProved, TwoTrails::kGenuine);
  f.FollowEvil();
  assert_string_equal(f.Walk().c_str(), "own evil upper zroot ");
  f.FollowGenuine();
  assert_string_equal(f.Walk().c_str(), "own upper top ");
}

// evil knows the key of "upper", as everybody does, and names everything else as it likes: a short
// way from "upper" to a root that comes by another "upper", which no client follows.
void NamesThatComeBackHideNoOtherTrail(void**) {
  constexpr auto kSource = CertificateSource::kByTrail;
  TwoTrails f;
  f.cache.Install(Make({"upper", "back"}, TwoTrails::kUpper, TwoTrails::kEvilKey), true, kSource,
                  TwoTrails::kEvil);
  f.cache.Install(Make({"back", "upper"}, TwoTrails::kEvilKey, TwoTrails::kForged), true, kSource,
                  TwoTrails::kEvil);
  f.cache.Install(Make({"upper", "upper"}, TwoTrails::kForged, TwoTrails::kForged, true), true,
                  kSource, TwoTrails::kEvil);
  assert_null(f.cache.FindForClient("own"));
  Trail trail = Started("upper");
  const std::vector<std::string> names = {"upper", "m1", "m2", "m3", "top"};
  for (size_t i = 0; i + 1 < names.size(); ++i)
    assert_int_equal(
        trail.Add(Make({names[i], names[i + 1]}, i == 0 ? TwoTrails::kUpper : 0, 0), "own"),
        Outcome::kOk);
  assert_int_equal(trail.Add(Make({"top", "top"}, 0, 0, true), "own"), Outcome::kOk);
  f.cache.Accept(trail, kSource, TwoTrails::kGenuine);
  f.cache.Install(Make({"own", "upper"}, TwoTrails::kOwn, TwoTrails::kUpper), false, kSource,
                  TwoTrails::kGenuine);
  assert_string_equal(f.Walk().c_str(), "own upper m1 m2 m3 top ");
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

}  // namespace
}  // namespace ntpward::autokey::test

int main() {
  using namespace ntpward::autokey::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(OurClientsFollowOneTrailThatHolds),
      cmocka_unit_test(ATrailGoesByKeysAndNotByNames),
      cmocka_unit_test(ATrailThatIsTooLongHidesNoOther),
      cmocka_unit_test(WhoProvedLessTakesNoNameFromWhoProvedMore),
      cmocka_unit_test(WhatExpiredIsNotFollowedWhileThereIsAnother),
      cmocka_unit_test(WhatHasNotBegunIsNotServed),
      cmocka_unit_test(WhoProvedLessIsFollowedWhileNobodyElseIs),
      cmocka_unit_test(NamesThatComeBackHideNoOtherTrail),
      cmocka_unit_test(ATrailGoesWithTheLastWhoHeldIt),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
