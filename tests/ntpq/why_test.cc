// What `why` says of a source: the cause that counts, in words, whatever the server sent.
#include "ntpq/why.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq {
namespace {

using wire::PeerEvent;
using wire::PeerStatus;
using wire::Selection;

PeerStatus Reachable(Selection selection) {
  PeerStatus status;
  status.configured = status.reachable = true;
  status.selection = selection;
  return status;
}

// On one line, so that parts can be looked for.
std::string Why(PeerStatus status, std::string_view variables) {
  std::string text = Explanation("10.77.0.1", status, ReadValues(variables));
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

bool Has(const std::string& text, std::string_view part) {
  if (text.find(part) != std::string::npos) return true;
  print_message("%s\n", text.c_str());
  return false;
}

void EverySelectionHasItsVerdict(void**) {
  const auto verdict = [](Selection selection) { return Why(Reachable(selection), ""); };
  assert_true(Has(verdict(Selection::kSystemPeer), "is used: it is the source that the clock"));
  assert_true(Has(verdict(Selection::kPpsPeer), "is used: it is the source that the clock"));
  assert_true(Has(verdict(Selection::kCandidate), "is used: it agrees"));
  assert_true(Has(verdict(Selection::kBackup), "is a spare"));
  assert_true(Has(verdict(Selection::kExcess), "is not used: there are more good sources"));
  assert_true(Has(verdict(Selection::kOutlier), "is not used: it is right"));
  assert_true(Has(verdict(Selection::kFalsetick), "differs from what the majority"));
  assert_true(Has(verdict(Selection::kReject), "10.77.0.1 is not used."));
}

void ASourceThatIsUsedHasNoCauses(void**) {
  const std::string text = Why(Reachable(Selection::kSystemPeer), "flash=0x10, stratum=16");
  assert_true(text.find("failed") == std::string::npos);
}

void SilenceIsToldApart(void**) {
  PeerStatus status;
  assert_true(Has(Why(status, "received=0, flash=0x1400"), "Nothing has ever come from it"));
  assert_true(Has(Why(status, "received=7, unreach=12"), "(12 without an answer)"));
  assert_true(Has(Why(status, ""), "has not answered our last polls:"));
  status.last_event = PeerEvent::kAccessDenied;
  assert_true(Has(Why(status, "received=1"), "we may not ask it"));
  status.last_event = PeerEvent::kRateExceeded;
  assert_true(Has(Why(status, "received=1"), "ask too often"));
  // What follows from silence is not a cause.
  assert_true(Why(status, "flash=0x1400").find("uncertain") == std::string::npos);
}

void EveryFlashBitThatMattersIsAReason(void**) {
  struct Case {
    const char* variables;
    const char* says;
  };
  const Case cases[] = {
      {"flash=0x1", "a copy"},
      {"flash=0x2", "answers none of our requests"},
      {"flash=0x4", "no time in it"},
      {"flash=0x10", "have different keys"},
      {"flash=0x20, stratum=16, leap=3", "not synchronised itself"},
      {"flash=0x40", "beyond all limits"},
      {"flash=0x80", "does not follow from its key list"},
      {"flash=0x100", "Autokey's last message"},
      {"flash=0x200, stratum=0, leap=0", "not synchronised itself"},
      {"flash=0x200, stratum=12, leap=0", "Its stratum, 12, is outside"},
      {"flash=0x400", "root distance"},
      {"flash=0x800", "circle"},
      {"flash=0x1000", "Nothing is wrong with it: it was configured with noselect."},
      {"flash=0", "Nothing is wrong with it: it was not looked at yet"},
  };
  for (const Case& c : cases)
    assert_true(Has(Why(Reachable(Selection::kReject), c.variables), c.says));
}

// What ntpd says of a source whose last word was a kiss; it counts as an answer.
void AKissIsTheCauseAndNothingElseIs(void**) {
  PeerStatus status = Reachable(Selection::kReject);
  status.last_event = PeerEvent::kAccessDenied;
  const std::string denied = Why(status, "refid=DENY, stratum=16, leap=3, flash=0x1608");
  assert_true(Has(denied, "is not used. It says that we may not ask it"));
  assert_true(Has(Why(Reachable(Selection::kReject), "flash=0x8"), "we may not ask it"));
  status.last_event = PeerEvent::kRateExceeded;
  const std::string rate = Why(status, "refid=RATE, stratum=16, leap=3, flash=0x600");
  assert_true(Has(rate, "is not used. It says that we ask too often"));
  for (const std::string& text : {denied, rate})
    for (const char* other : {"restrict)", "uncertain", "synchronised"})
      assert_true(text.find(other) == std::string::npos);
  // One of long ago is no cause any more.
  const std::string later = Why(status, "refid=10.0.0.1, stratum=2, leap=0, flash=0x800");
  assert_true(Has(later, "a circle"));
  assert_true(later.find("too often") == std::string::npos);
}

void NothingIsUsedWhileTheClockFollowsNone(void**) {
  const auto verdict = [](Selection selection, uint16_t system_peer) {
    return Explanation("a", Reachable(selection), {}, AssocId{system_peer});
  };
  for (const Selection selection :
       {Selection::kCandidate, Selection::kBackup, Selection::kExcess, Selection::kOutlier})
    assert_true(Has(verdict(selection, 0), "is not used: it is good, but fewer sources agree"));
  assert_true(Has(verdict(Selection::kCandidate, 7), "is used"));
  assert_true(Has(verdict(Selection::kFalsetick, 0), "differs from what the majority"));
}

void AnswersThatCannotBeTakenAreNoSilence(void**) {
  PeerStatus status;
  const std::string key = Why(status, "refid=INIT, unreach=11, received=17, keyid=1, flash=0x1610");
  assert_true(Has(key, "Nothing that could be taken has come to answer our last polls (11 "));
  assert_true(Has(key, "have different keys"));
  assert_true(key.find("down") == std::string::npos);
  const std::string bogus = Why(status, "refid=INIT, unreach=11, received=0, flash=0x1602");
  assert_true(Has(bogus, "answers none of our requests"));
  assert_true(bogus.find("ever come") == std::string::npos);
}

void ANameWithoutAddressIsSaid(void**) {
  const char* variables = "srcadr=0.0.0.0, srchost=\"no.such.name\", refid=INIT, received=0";
  const std::string text = Why(PeerStatus(), variables);
  assert_true(Has(text, "No address is known for it"));
  for (const char* other : {"ever come", "forge"})
    assert_true(text.find(other) == std::string::npos);
}

void AKeyThatMayBeMissingIsAPossibleCause(void**) {
  assert_true(Has(Why(PeerStatus(), "received=0, keyid=99"), "; or key 99 is missing"));
  assert_true(Why(PeerStatus(), "received=0, keyid=0").find("key 0") == std::string::npos);
}

void TheLocalClockIsToldAsWhatItIs(void**) {
  const char* variables = "srcadr=127.127.1.0, flash=0, offset=0.000, delay=0.000, jitter=0.000";
  const std::string text = Why(Reachable(Selection::kReject), variables);
  assert_true(Has(text, "the last resort"));
  for (const char* other : {"noselect", "forge", "differs"})
    assert_true(text.find(other) == std::string::npos);
  assert_true(Has(Why(PeerStatus(), variables), "Its driver has given no time"));
}

void AServerWithoutTimeIsNotCalledUncertain(void**) {
  const char* figures = "flash=0x620, stratum=16, leap=3, offset=0.000, delay=0.000, jitter=0.000";
  const std::string text = Why(Reachable(Selection::kReject), figures);
  assert_true(Has(text, "is not used. It is not synchronised itself"));
  for (const char* other : {"uncertain", "differs"})
    assert_true(text.find(other) == std::string::npos);
  assert_true(Why(Reachable(Selection::kReject), "flash=0x440").find("unc") == std::string::npos);
  // A stratum that is not allowed says nothing about the distance.
  assert_true(Has(Why(Reachable(Selection::kReject), "flash=0x600, stratum=12, leap=0"), "unc"));
}

// Autokey's answers make a server reachable before any header of it was taken.
void NothingIsSaidOfTheTimeOfWhoHasToldNone(void**) {
  const PeerStatus status = Reachable(Selection::kReject);
  const std::string unsynchronised = "flash=0x620, stratum=16, leap=3, flags=0x80001, rec=";
  for (const std::string none : {"0x00000000.00000000", "(no time)"})
    assert_true(Why(status, unsynchronised + none).find("not synchronised") == std::string::npos);
  assert_true(Has(Why(status, unsynchronised + "0xeeacac44.00000000"), "It is not synchronised"));
}

// Behind NAT all that a client sees is its first packet refused; keys have no part in it.
void AddressesOnTheWayAreACauseWhereAutokeyBegins(void**) {
  PeerStatus status;
  status.auth_enabled = true;
  for (const std::string begins : {"keyid=0x2ead7dd2", "flags=0x0"}) {
    const std::string text = Why(status, "flash=0x1010, received=1, " + begins);
    assert_true(
        Has(text, "(NAT, a relay), Autokey does not work through it. Autokey has not begun."));
    assert_true(text.find("different keys") == std::string::npos);
    assert_true(text.find("speak it") == std::string::npos);
  }
  for (const std::string other : {"keyid=7", "flags=0x80001"}) {
    const std::string text = Why(status, "flash=0x1010, received=1, " + other);
    assert_true(Has(text, "different keys"));
    assert_true(text.find("NAT") == std::string::npos);
  }
}

void WhoseAnswersWereRefusedHasAnswered(void**) {
  PeerStatus status = Reachable(Selection::kReject);
  status.auth_enabled = true;
  const std::string begins = "keyid=0x2ead7dd2, autokeyerror=\"certificate_not_verified\"";
  const std::string text = Why(status, begins);
  assert_true(Has(text, "begins anew: what the server answered was refused (certificate_not_ver"));
  assert_true(text.find("not answered") == std::string::npos);
  assert_true(Has(Why(status, begins + ", autokeycause=\"x is wrong\""), "verified): x is wrong."));
}

// It begins anew at each poll, and gets as far.
void WhoIsRefusedAgainAndAgainSaysWhy(void**) {
  PeerStatus status = Reachable(Selection::kReject);
  status.auth_enabled = true;
  const std::string text =
      Why(status,
          "keyid=0x2ead7dd2, flags=0x81021, autokeyerror=\"bad_or_missing_group key\", "
          "autokeycause=\"x has no public value\"");
  assert_true(Has(text, "is under way"));
  assert_true(Has(text, "The last answer that was refused: (bad_or_missing_group key): x has no"));
}

// By our own rules, and not by an outage.
void WhatARestrictLineDropsIsNoSilence(void**) {
  PeerStatus status;
  status.selection = Selection::kReject;
  const std::string text = Why(status, "received=7, unreach=5, restrict=\"ignore\"");
  assert_true(Has(text, "What it sends is dropped here: its restrict entry has ignore."));
  assert_true(text.find("is down") == std::string::npos);
}

void APeerWhoseTrailComesBackFollowsUsPerhaps(void**) {
  PeerStatus status = Reachable(Selection::kReject);
  status.auth_enabled = true;
  const std::string text =
      Why(status, "keyid=0x2ead7dd2, flags=0x80021, host=\"client\", hmode=1, trailloop=1");
  assert_true(
      Has(text, "the peer (it calls itself client) shows no trail but one that comes back"));
  assert_true(text.find("under way") == std::string::npos);
}

void AuthenticationIsAlwaysSpokenOf(void**) {
  PeerStatus status = Reachable(Selection::kSystemPeer);
  assert_true(Has(Why(status, "keyid=0"), "Nothing authenticates it"));
  status.auth_enabled = status.authentic = true;
  assert_true(Has(Why(status, "keyid=7"), "It is authenticated by symmetric key 7."));
  status.authentic = false;
  assert_true(Has(Why(status, "keyid=7"), "and its last packet was not"));
  status.reachable = false;
  assert_true(Has(Why(status, "keyid=7"), "It is to be authenticated by symmetric key 7."));
}

void AutokeyTellsItsNextStepOrItsProof(void**) {
  PeerStatus status = Reachable(Selection::kSystemPeer);
  status.auth_enabled = true;
  assert_true(Has(Why(status, "keyid=0x2ead7dd2"), "Autokey has not begun"));
  struct Case {
    const char* variables;
    const char* says;
  };
  const Case cases[] = {
      {"flags=0x80001", "is under way: its certificate and the trail"},
      {"flags=0x80101", "is under way: it has not proved that it belongs"},
      {"flags=0x80301", "is under way: its signature"},
      {"flags=0x80701", "is under way: it has not given us a cookie yet."},
      {"flags=0x80f01", "is under way: its key list"},
      {"flags=0x87f21, identity=\"IFF\"", "has authenticated it, and it proved its group by IFF."},
      {"flags=0x87f01, identity=\"TC\"", "by the trail of certificates alone"},
      {"flags=0x85f01", "has authenticated it; it has not signed our certificate"},
      {"flags=0x83f01, host=\"server\"", "(the server calls itself server) has authenticated it"},
  };
  for (const Case& c : cases) assert_true(Has(Why(status, c.variables), c.says));
}

void PeersAreFollowedBeforeTheyHaveACookie(void**) {
  PeerStatus status = Reachable(Selection::kSystemPeer);
  status.auth_enabled = true;
  for (const std::string mode : {"hmode=1, ", "hmode=2, "}) {
    assert_true(Has(Why(status, mode + "flags=0x29c1701"), "by its list of keys alone"));
    assert_true(Has(Why(status, mode + "flags=0x29c0701"), "under way"));
  }
  assert_true(Has(Why(status, "hmode=3, flags=0x29c1701"), "under way: it has not given us a"));
}

void WhatOnlySendsIsNeverUsed(void**) {
  PeerStatus status;
  status.broadcast = true;
  assert_true(Has(Why(status, "flash=0x10"), "is never used itself"));
}

void FiguresAreToldOfWhatAnswers(void**) {
  const char* figures = "offset=0.019, delay=0.045, jitter=0.011";
  assert_true(Has(Why(Reachable(Selection::kCandidate), figures), "by 0.019 ms, over a delay"));
  assert_true(Why(PeerStatus(), figures).find("0.019") == std::string::npos);
}

void LinesFitATerminalAndHoldNothingHostile(void**) {
  const std::string text =
      Explanation("evil\x1b[2J\nname", Reachable(Selection::kReject),
                  ReadValues("flash=0xfff, flags=0x80001, host=\"\x1b]0;x\x07\", offset=1\x9b, "
                             "delay=2, jitter=3, keyid=5"));
  size_t column = 0;
  for (const char c : text) {
    assert_true(c == '\n' || (c >= ' ' && c < 0x7f));
    column = c == '\n' ? 0 : column + 1;
    assert_true(column <= 78);
  }
  assert_true(text.ends_with(".\n"));
}

}  // namespace
}  // namespace ntpward::ntpq

int main() {
  using namespace ntpward::ntpq;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EverySelectionHasItsVerdict),
      cmocka_unit_test(ASourceThatIsUsedHasNoCauses),
      cmocka_unit_test(SilenceIsToldApart),
      cmocka_unit_test(EveryFlashBitThatMattersIsAReason),
      cmocka_unit_test(AKissIsTheCauseAndNothingElseIs),
      cmocka_unit_test(NothingIsUsedWhileTheClockFollowsNone),
      cmocka_unit_test(AnswersThatCannotBeTakenAreNoSilence),
      cmocka_unit_test(ANameWithoutAddressIsSaid),
      cmocka_unit_test(AKeyThatMayBeMissingIsAPossibleCause),
      cmocka_unit_test(TheLocalClockIsToldAsWhatItIs),
      cmocka_unit_test(AServerWithoutTimeIsNotCalledUncertain),
      cmocka_unit_test(NothingIsSaidOfTheTimeOfWhoHasToldNone),
      cmocka_unit_test(AddressesOnTheWayAreACauseWhereAutokeyBegins),
      cmocka_unit_test(WhoseAnswersWereRefusedHasAnswered),
      cmocka_unit_test(WhoIsRefusedAgainAndAgainSaysWhy),
      cmocka_unit_test(WhatARestrictLineDropsIsNoSilence),
      cmocka_unit_test(APeerWhoseTrailComesBackFollowsUsPerhaps),
      cmocka_unit_test(AuthenticationIsAlwaysSpokenOf),
      cmocka_unit_test(AutokeyTellsItsNextStepOrItsProof),
      cmocka_unit_test(PeersAreFollowedBeforeTheyHaveACookie),
      cmocka_unit_test(WhatOnlySendsIsNeverUsed),
      cmocka_unit_test(FiguresAreToldOfWhatAnswers),
      cmocka_unit_test(LinesFitATerminalAndHoldNothingHostile),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
