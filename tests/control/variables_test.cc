// Variables: the same text that a reference daemon sent for the same figures.
#include "ntpd/control/variables.h"

#include <algorithm>

#include "ntpd/control/variable_table.h"
#include "tests/control/fake_state.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::control {
namespace {

using test::FakeState;
using test::ReadText;
using Names = std::vector<std::string_view>;

std::string SystemText(const SystemView& view, const Names& names) {
  auto list = ReadSystem(view, names);
  assert_true(list.ok());
  return list->text();
}
std::string PeerText(const PeerView& view, const Names& names = {}) {
  auto list = ReadPeer(view, names);
  assert_true(list.ok());
  return list->text();
}

bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// The items with line ends as blanks, so that only what they say counts.
std::string Joined(std::string text) {
  for (size_t at; (at = text.find("\r\n")) != std::string::npos;) text.replace(at, 2, " ");
  return text;
}

// The version is ours, and its length moves the line ends behind it.
void SystemDefaultsAreTheReferences(void**) {
  const std::string golden = Joined(ReadText("system.txt"));
  const std::string ours = Joined(SystemText(FakeState().system, {}));
  const size_t golden_rest = golden.find("processor="), our_rest = ours.find("processor=");
  assert_true(our_rest != std::string::npos);
  assert_string_equal(ours.substr(our_rest).c_str(), golden.substr(golden_rest).c_str());
  assert_int_equal(ours.find("version=\"ntpd 4.2.8 (ntpward "), 0);
}

void NamedSystemVariablesAreTheReferences(void**) {
  for (const char* set :
       {"system-crypto", "kerninfo", "sysstats", "monstats", "iostats", "authinfo", "timerstats"}) {
    const std::string names = ReadText(std::string(set) + ".names");
    auto wanted = RequestedNames(AsBytes(names));
    assert_true(wanted.ok());
    assert_string_equal(SystemText(FakeState().system, *wanted).c_str(),
                        ReadText(std::string(set) + ".txt").c_str());
  }
}

void SysinfoIsTheReferences(void**) {
  SystemView view = FakeState().system;
  view.root_delay_s = 0.000048;
  view.root_dispersion_s = 0.010677;
  view.reference = NtpTimestamp::FromRaw(0xeeacac94e97f5bba);
  view.system_jitter_s = 0.000004083;
  view.clock_jitter_s = 0.000015;
  const std::string names = ReadText("sysinfo.names");
  assert_string_equal(SystemText(view, *RequestedNames(AsBytes(names))).c_str(),
                      ReadText("sysinfo.txt").c_str());
}

void PeerDefaultsAreTheReferences(void**) {
  assert_string_equal(PeerText(test::AnsweringPeer()).c_str(), ReadText("peer.txt").c_str());
  assert_string_equal(PeerText(test::SilentPeer()).c_str(), ReadText("peer-unreached.txt").c_str());
}

void PoolPrototypeIsTheReferences(void**) {
  PeerView peer;
  peer.remote_name = "pool.lab.example";
  peer.precision = -25;
  peer.refid = 0x504f4f4c;
  peer.host_poll = peer.peer_poll = 4;
  peer.flash = 0x1600;
  peer.dispersion_s = 16;
  peer.filter_dispersion_s.fill(16);
  assert_string_equal(PeerText(peer).c_str(), ReadText("peer-pool.txt").c_str());
}

void ClockIsTheReferences(void**) {
  auto defaults = ReadClock(FakeState().clock, {});
  assert_string_equal(defaults->text().c_str(), ReadText("clock.txt").c_str());
  auto list = ReadClock(FakeState().clock, Names{"clock_var_list"});
  assert_string_equal(list->text().c_str(), ReadText("clock-list.txt").c_str());
}

// CVE-2015-8139: whoever knows an origin or transmit timestamp under way can forge the reply.
void NoOriginOrTransmitTimeIsRevealed(void**) {
  assert_string_equal(PeerText(test::AnsweringPeer(), {"org"}).c_str(),
                      "org=0x00000000.00000000\r\n");
  assert_int_equal(ReadPeer(test::AnsweringPeer(), Names{"xmt"}).error(),
                   wire::ControlError::kUnknownVariable);
  assert_false(Contains(PeerText(test::AnsweringPeer()), "org="));
}

// Bugs 2867, 3036, 2052: `rv` crashed on a half-done dance.
void AutokeyIsReadableInEveryState(void**) {
  PeerView peer = test::AnsweringPeer();
  const Names all = {"flags",     "host",      "valid", "initsequence", "initkey",
                     "timestamp", "signature", "ident", "identity"};
  assert_string_equal(PeerText(peer, all).c_str(), "identity=\"none\"\r\n");
  peer.autokey = PeerAutokeyView{};
  assert_string_equal(PeerText(peer, all).c_str(), "identity=\"none\"\r\n");
  for (uint32_t flags = 1; flags != 0; flags <<= 1) {
    peer.autokey->flags = flags;
    assert_int_equal(PeerText(peer, all).find("flags=0x"), 0);
  }
  peer.autokey->flags = 0x87f21;
  peer.autokey->host = "server";
  peer.autokey->signature = "md5WithRSAEncryption";
  peer.autokey->identity = Identity::kIff;
  peer.autokey->key_list = PeerAutokeyView::KeyList{4, KeyId{0x2ead7dd2}, NtpSeconds{0xeeacac7e}};
  assert_string_equal(PeerText(peer, {"flags", "identity"}).c_str(),
                      "flags=0x87f21, identity=\"IFF\"\r\n");
  const std::string defaults = Joined(PeerText(peer));
  assert_true(Contains(defaults, "host=\"server\", flags=0x87f21, signature="));
  assert_true(Contains(defaults, "initsequence=4, initkey=0x2ead7dd2, timestamp=202611212349"));
  assert_false(Contains(defaults, "identity"));
}

// Names hold no blank, and the sentence no double quote: both stay readable.
void AutokeysTrailAndLastFailureAreSentByNameAlone(void**) {
  PeerView peer;
  peer.autokey.emplace();
  const std::vector<std::string_view> all = {"trail", "cookieage", "keylistage", "autokeyerror"};
  assert_string_equal(PeerText(peer, all).c_str(), "");
  peer.autokey->trail = {{"server", "ca", 0, 1826840460}, {"ca", "ca", 0, 1826840520}};
  peer.autokey->cookie_age_s = 12;
  peer.autokey->key_list_age_s = 34;
  peer.autokey->failure = {"bad_filestamp", 56, "no key for \"ca\""};
  assert_string_equal(PeerText(peer, all).c_str(),
                      "trail.0=\"server ca 202711212341\", trail.1=\"ca ca 202711212342\",\r\n"
                      "cookieage=12, keylistage=34, autokeyerror=\"bad_filestamp\",\r\n"
                      "autokeyerrorage=56, autokeycause=\"no key for 'ca'\"\r\n");
  peer.autokey->trail.clear();
  peer.autokey->trail_loops = true;
  assert_string_equal(PeerText(peer, {"trail"}).c_str(), "trailloop=1\r\n");
  const std::string defaults = PeerText(peer, {});
  assert_false(Contains(defaults, "trailloop"));
  for (const std::string_view name : all) assert_false(Contains(defaults, name));
}

void SessionKeysAreHexAndSymmetricOnesDecimal(void**) {
  PeerView peer = test::AnsweringPeer();
  peer.key = KeyId{65535};
  assert_string_equal(PeerText(peer, {"keyid"}).c_str(), "keyid=65535\r\n");
  peer.key = KeyId{0xab600d02};
  assert_string_equal(PeerText(peer, {"keyid"}).c_str(), "keyid=0xab600d02\r\n");
}

void LeapTableIsShownOnlyWhenThereIsOne(void**) {
  SystemView view = FakeState().system;
  const Names names = {"tai", "leapsec", "expire"};
  assert_string_equal(SystemText(view, names).c_str(), "");
  view.tai_s = 37;
  view.leap_table = LeapTableView{NtpSeconds{3692217600}, NtpSeconds{4019845448}};
  assert_string_equal(SystemText(view, names).c_str(),
                      "tai=37, leapsec=201701010000, expire=202705202344\r\n");
}

// Names and values come from other hosts' certificates and from files: nothing in them may end a
// quote or reach a terminal as it is.
void HostileTextIsMadePrintable(void**) {
  SystemView view = FakeState().system;
  view.autokey->certificates = {{"a\",stratum=1\r\n", "\x1b[2J", 4, INT64_MAX}};
  view.extra = {{"x", std::string("\0\x7f\xff", 3), true}};
  const std::string text = SystemText(view, {"cert", "x"});
  assert_true(Contains(text, "cert=\"a?,stratum=1?? ?[2J 0x4\""));
  for (char c : Joined(text)) assert_true(c >= ' ' && c < 0x7f);
}

// `setvar` neither hides what the daemon says nor adds to it.
void WhatTheOperatorSetIsOneVariableOfItsOwn(void**) {
  SystemView view = FakeState().system;
  view.extra = {{"stratum", "99", true}, {"q", "a, stratum=99", true}};
  assert_string_equal(SystemText(view, {"q"}).c_str(), "q=\"a, stratum=99\"\r\n");
  const std::string all = SystemText(view, {});
  assert_false(Contains(all, "stratum=99,"));
  assert_true(Contains(all, "q=\"a, stratum=99\""));
}

void SelbrokenCountsKissesAndCandidateIsTheSelection(void**) {
  PeerView peer = test::AnsweringPeer();
  peer.kisses = 3;
  assert_string_equal(PeerText(peer, {"selbroken", "candidate"}).c_str(),
                      "selbroken=3, candidate=6\r\n");
  peer.status.selection = wire::Selection::kReject;
  assert_string_equal(PeerText(peer, {"candidate"}).c_str(), "candidate=0\r\n");
}

void EveryListedNameCanBeRead(void**) {
  const SystemView system = FakeState().system;
  const PeerView peer = test::AnsweringPeer();
  for (const std::string& list :
       {SystemText(system, {"sys_var_list"}), PeerText(peer, {"peer_var_list"})}) {
    const size_t start = list.find('"') + 1;
    auto names =
        RequestedNames(AsBytes(std::string_view(list).substr(start, list.rfind('"') - start)));
    assert_true(names.ok());
    assert_true(names->size() > 50);
    for (std::string_view name : *names) {
      const bool known =
          list[0] == 's' ? ReadSystem(system, Names{name}).ok() : ReadPeer(peer, Names{name}).ok();
      assert_true(known);
    }
  }
}

void OneUnknownNameFailsTheRequest(void**) {
  assert_int_equal(ReadSystem(FakeState().system, Names{"leap", "nosuch"}).error(),
                   wire::ControlError::kUnknownVariable);
  assert_int_equal(ReadClock(FakeState().clock, Names{"zzz"}).error(),
                   wire::ControlError::kUnknownVariable);
}

void RequestedNamesAreBounded(void**) {
  const std::string value = "leap=" + std::string(127, 'x');
  assert_true(RequestedNames(AsBytes(value)).ok());
  assert_int_equal(RequestedNames(AsBytes(value + "x")).error(), wire::ControlError::kBadFormat);
  assert_int_equal(RequestedNames(AsBytes(std::string(200, 'n'))).error(),
                   wire::ControlError::kUnknownVariable);
  assert_int_equal(RequestedNames(AsBytes("leap=\"open")).error(), wire::ControlError::kBadFormat);
  assert_true(RequestedNames(AsBytes(" , ,\r\n"))->empty());
}

void MinutesAreUtc(void**) {
  assert_string_equal(MinuteText(0).c_str(), "197001010000");
  assert_string_equal(MinuteText(951782399).c_str(), "200002282359");
  assert_string_equal(MinuteText(951868799).c_str(), "200002292359");
  assert_string_equal(MinuteText(INT64_MIN).c_str(), "0");
  // The last second of era 0 and the first of era 1, in 2036.
  assert_string_equal(MinuteText(UnixSeconds(NtpSeconds{0xffffffff})).c_str(), "203602070628");
  assert_int_equal(UnixSeconds(NtpSeconds{0}) - UnixSeconds(NtpSeconds{0xffffffff}), 1);
}

}  // namespace
}  // namespace ntpward::control

int main() {
  using namespace ntpward::control;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AutokeysTrailAndLastFailureAreSentByNameAlone),
      cmocka_unit_test(SystemDefaultsAreTheReferences),
      cmocka_unit_test(NamedSystemVariablesAreTheReferences),
      cmocka_unit_test(SysinfoIsTheReferences),
      cmocka_unit_test(PeerDefaultsAreTheReferences),
      cmocka_unit_test(PoolPrototypeIsTheReferences),
      cmocka_unit_test(ClockIsTheReferences),
      cmocka_unit_test(NoOriginOrTransmitTimeIsRevealed),
      cmocka_unit_test(AutokeyIsReadableInEveryState),
      cmocka_unit_test(SessionKeysAreHexAndSymmetricOnesDecimal),
      cmocka_unit_test(LeapTableIsShownOnlyWhenThereIsOne),
      cmocka_unit_test(HostileTextIsMadePrintable),
      cmocka_unit_test(SelbrokenCountsKissesAndCandidateIsTheSelection),
      cmocka_unit_test(EveryListedNameCanBeRead),
      cmocka_unit_test(OneUnknownNameFailsTheRequest),
      cmocka_unit_test(RequestedNamesAreBounded),
      cmocka_unit_test(MinutesAreUtc),
      cmocka_unit_test(WhatTheOperatorSetIsOneVariableOfItsOwn),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
