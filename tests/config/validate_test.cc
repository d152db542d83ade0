// What lines mean together: defaults, limits, contradictions.
#include "ntpd/config/validate.h"

#include "ntpd/config/host.h"
#include "tests/config/support.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::config {
namespace {

struct Case {
  std::string_view text;
  std::string_view message;  // what must be said, severity included
};

constexpr Case kWarnings[] = {
    {"server h minpoll 2", "1:18: warning: minpoll 2 is out of range (3 to 17): 3 is used"},
    {"server h maxpoll 18", "1:18: warning: maxpoll 18 is out of range (3 to 17): 17 is used"},
    {"server h minpoll 9 maxpoll 7",
     "1:18: warning: minpoll is greater than maxpoll (at most 7): 7 is used"},
    {"mru maxdepth 100000000",
     "1:14: warning: maxdepth 100000000 is out of range (1 to 10000000): 10000000 is used"},
    {"mru maxdepth 0", "1:14: warning: maxdepth 0 is out of range (1 to 10000000): 1 is used"},
    {"mru maxmem 625001", "1:12: warning: maxmem 625001 is out of range (1 to 625000): 625000 is"},
    {"server fe80::1",
     "1:8: warning: a link-local address needs its interface to be reached: expected "
     "fe80::1%INTERFACE"},
    {"server ::ffff:10.0.0.1", "1:8: warning: an IPv4 address in IPv6 notation: taken as 10.0.0.1"},
    {"server 10.0.0.1\nserver ::ffff:10.0.0.1",
     "2:1: warning: '10.0.0.1' was named in line 1 already"},
    {"server 127.127.20.0", "1:8: warning: reference clock 127.127.20.0 is ignored"},
    {"fudge 127.127.1.0 stratum 3", "1:1: warning: there is no 'server 127.127.1.0' to apply"},
    {"server 127.127.1.0\nfudge 127.127.1.0 stratum 15", "2:1: warning: nobody can use a clock"},
    {"server h\nserver h", "2:1: warning: 'h' was named in line 1 already"},
    {"server h ident g", "1:1: warning: ident and identity have no effect without autokey"},
    {"crypto\nserver h autokey ident g identity optional",
     "2:1: warning: a group that ident names is never optional"},
    {"crypto publickey f", "1:18: warning: no effect: public keys come in certificates"},
    {"crypto dhparms f",
     "warning: no effect: Autokey version 2 agrees on cookies by the host keys"},
    {"crypto dhparams f", "warning: no effect: Autokey version 2"},
    {"crypto\nserver h autokey publickey f",
     "2:28: warning: no effect: the server's public key comes in its certificate"},
    {"crypto dh f", "warning: no effect: Autokey version 2"},
    {"crypto flags 0x1", "warning: no effect: what a server has to prove"},
    {"crypto iffpar f", "warning: no effect: group keys are the files ntpkey_iffkey_GROUP"},
    {"crypto gqpar f", "warning: no effect: group keys are the files"},
    {"crypto mvpar f", "warning: no effect: group keys are the files"},
    {"crypto gq f", "warning: no effect: group keys are the files"},
    {"crypto mv f", "warning: no effect: group keys are the files"},
    {"peer h iburst", "1:1: warning: burst and iburst have no effect on 'peer'"},
    {"server 127.0.0.1", "1:8: warning: 127.0.0.1 is this host, whose time is never taken: expect"},
    {"server ::1", "1:8: warning: ::1 is this host, whose time is never taken"},
    {"peer 127.0.1.1", "1:6: warning: 127.0.1.1 is this host"},
    {"server h ttl 3", "1:14: warning: ttl has no effect on 'server'"},
    {"server h mode 3", "1:15: warning: mode has no effect: it is for reference clocks"},
    {"broadcast 10.0.0.255", "1:1: warning: broadcast without key or autokey"},
    {"server h\ntrustedkey 5",
     "2:12: warning: trustedkey has no effect without a line 'keys FILE'"},
    {"server h\ncontrolkey 5",
     "2:12: warning: controlkey has no effect without a line 'keys FILE'"},
    {"trustedkey 5\ntrustedkey 6", "2:12: warning: trustedkey lines add up"},
    {"server h key 5\nkeys f\ntrustedkey 5\ncontrolkey 5",
     "1:14: warning: key 5 is the control key too"},
    {"server h key 5\nkeys f\ntrustedkey 5\nbroadcast 10.0.0.255 key 5",
     "1:14: warning: key 5 is for an upstream here and for clients in line 4"},
    {"restrict default kod", "1:1: warning: 'kod' does nothing without 'limited'"},
    {"restrict 10.0.0.0/8", "warning: no 'restrict default' for any family"},
    {"restrict default ignore\nunrestrict default\nrestrict 10.0.0.0/8",
     "3:1: warning: no 'restrict default' for any family: whom no line names is served without "
     "limit"},
    {"restrict -4 default noquery", "warning: no 'restrict default' for IPv6"},
    {"restrict 0.0.0.0/0 noquery", "warning: no 'restrict default' for IPv6"},
    {"restrict 10.1.2.3/8", "1:10: warning: bits past the prefix are ignored: 10.0.0.0/8 is meant"},
    {"restrict 10.1.2.3 mask 255.255.0.0",
     "1:24: warning: bits past the mask are ignored: 10.1.0.0/16 is meant"},
    {"restrict default kod limited\nrestrict default nomodify",
     "2:1: note: without noquery everybody may ask"},
    {"restrict default noquery\nrestrict -6 default limited\nunrestrict -6 default\n"
     "restrict -6 default nomodify",
     "4:1: note: without noquery everybody may ask"},
    {"restrict default noepeer epeer", "1:1: warning: noepeer and epeer contradict"},
    {"restrict default ntpport non-ntpport", "1:1: warning: ntpport and non-ntpport together"},
    {"restrict default mssntp", "1:18: warning: 'mssntp' has no effect"},
    {"tos minclock 3 minsane 3", "1:14: warning: expected tos minsane (3) < minclock (3) <= maxc"},
    {"tos maxclock 2", "1:14: warning: expected tos minsane (1) < minclock (3) <= maxclock (2)"},
    {"tos floor 9 ceiling 8", "1:11: warning: tos floor is above the ceiling"},
    {"tos orphan 16", "1:12: warning: nobody can use an orphan of this stratum"},
    {"tinker allan 1500", "1:14: warning: the Allan intercept is log2 of seconds: 11 is meant"},
    {"tinker allan 12", "1:14: warning: allan has no effect"},
    {"tinker huffpuff 7200", "1:17: warning: huffpuff has no effect"},
    {"tos bcpollbstep 1", "1:17: warning: bcpollbstep has no effect"},
    {"disable kernel", "1:9: warning: kernel has no effect"},
    {"discard monitor 5", "1:17: warning: monitor has no effect"},
    {"mru mindepth 5 maxage 6", "1:14: warning: mindepth has no effect"},
    {"mru mindepth 5 maxage 6", "1:23: warning: maxage has no effect"},
    {"setvar stratum = 99 default", "1:8: warning: setvar stratum has no effect: the daemon has"},
    {"nonvolatile 1", "1:13: warning: nonvolatile has no effect"},
    {"requestkey 5", "1:12: warning: requestkey has no effect"},
    {"server 127.127.1.0\nfudge 127.127.1.0 time1 0.1",
     "2:1: warning: of fudge only stratum and refid"},
    {"peer h xleave", "1:1: warning: xleave has no effect"},
    {"disable auth", "1:9: warning: authentication is off"},
    {"enable mode7", "1:8: warning: mode 7 does not exist here"},
    {"statistics loopstats", "1:12: note: statistics are not written: expected a line 'statsdir"},
    {"statsdir /var/log", "1:10: warning: statsdir is put before file names as it is"},
    {"crypto\nbroadcastclient novolley",
     "2:17: warning: novolley shuts out every server that broadcasts under Autokey"},
    {"crypto\nident g\nkeys f\ntrustedkey 5\nbroadcastclient novolley",
     "5:17: warning: novolley shuts out"},
    {"restrict default", "ntp.conf: warning: no source of time is configured"},
    {"driftfile /d 5", "1:14: warning: the number after the drift file's name has no effect"},
    {"phone \"1\"", "1:1: warning: 'phone' has no effect: the line is ignored"},
    {"authenticate yes", "1:1: warning: expected 'enable auth' or 'disable auth'"},
};

void WarnsOfWhatWasSurelyNotMeant(void**) {
  for (const Case& c : kWarnings) {
    const Parsed parsed = LoadConf(c.text);
    if (!Says(parsed, c.message) || !parsed.usable(ParsePolicy::kStrict))
      print_error("%s\n%s", std::string(c.text).c_str(), Shown(parsed).c_str());
    // A message without a file must not stand for one with a place.
    assert_true(Says(parsed, c.message));
    assert_true(parsed.usable(ParsePolicy::kStrict));
  }
}

void OfADefaultThatLetsNobodyAskThereIsNothingToSay(void**) {
  for (const char* text :
       {"restrict default noquery", "restrict default nomodify\nrestrict default noquery",
        "restrict -4 default ignore\nrestrict -6 default limited noquery",
        "restrict default noquery\nrestrict default ntpport nomodify", ""})
    assert_false(Says(LoadConf(text), "without noquery"));
}

void WhoCanHearOthersMayListenWithoutVolley(void**) {
  for (const char* text : {"broadcastclient novolley", "crypto\nbroadcastclient",
                           "crypto\nkeys f\ntrustedkey 5\nbroadcastclient novolley",
                           "crypto identity optional\ndisable auth\nbroadcastclient novolley"})
    assert_false(Says(LoadConf(text), "novolley"));
}

void RefusesAuthenticationThatCannotHappen(void**) {
  constexpr Case kErrors[] = {
      {"server h autokey", "1:1: error: autokey needs a crypto line"},
      {"broadcast 10.0.0.255 autokey", "1:1: error: autokey needs a crypto line"},
      {"server h key 5\ntrustedkey 5", "1:14: error: key 5 needs a key file"},
  };
  for (const Case& c : kErrors) {
    const Parsed parsed = LoadConf(c.text);
    assert_true(Says(parsed, c.message));
    assert_false(parsed.usable(ParsePolicy::kStartup));
  }
}

// What ident pins down may not be loosened on the same line.
// Beside `trustedkey` a server's key could be used by clients as well, to pose as that server.
void AKeyInUseNeedsNoTrustedkey(void**) {
  assert_int_equal(LoadConf("server 10.0.0.1 key 5\ncontrolkey 6\nkeys f\n").diagnostics.size(), 0);
}

void NeverMakesANamedGroupOptional(void**) {
  const Parsed parsed = LoadConf("crypto\nserver h autokey ident g identity optional\n");
  assert_false(parsed.config.associations[0].identity_optional);
  const Parsed other = LoadConf("crypto\nserver h autokey identity optional\n");
  assert_true(other.config.associations[0].identity_optional);
}

void PutsInItsOwnRestrictionsWhenThereAreNone(void**) {
  const Parsed parsed = LoadConf("server h\n");
  const auto& rules = parsed.config.restrictions;
  assert_int_equal(rules.size(), 3);
  assert_true(rules[0].target == RestrictTarget::kDefault && rules[0].family == Family::kNone);
  assert_string_equal(rules[0].flags.ToString().c_str(), "noquery nomodify nopeer limited kod");
  assert_string_equal(rules[1].address.ToString().c_str(), "127.0.0.1");
  assert_int_equal(*PrefixOfMask(rules[1].mask), 32);
  assert_string_equal(rules[2].address.ToString().c_str(), "::1");
  assert_int_equal(*PrefixOfMask(rules[2].mask), 128);
  assert_int_equal(rules[1].flags.bits() | rules[2].flags.bits(), 0);
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void LeavesTheOperatorsRestrictionsAlone(void**) {
  assert_int_equal(LoadConf("restrict default ignore\n").config.restrictions.size(), 1);
  // Only taking away entries leaves nothing to go by.
  assert_int_equal(LoadConf("delrestrict 10.0.0.1\n").config.restrictions.size(), 4);
}

void FitsThePollsToEachOther(void**) {
  struct {
    const char* text;
    uint32_t minpoll, maxpoll;
  } const kCases[] = {
      {"server h", 6, 10},
      {"server h minpoll 12", 12, 12},
      {"server h maxpoll 4", 4, 4},
      {"server h minpoll 4", 4, 10},
      {"server h minpoll 0 maxpoll 255", 3, 17},
      {"server h minpoll 9 maxpoll 7", 7, 7},
      {"server 127.127.1.0", 6, 6},
      {"server 127.127.1.0 minpoll 4", 4, 6},
      {"broadcast 10.0.0.255", 6, 10},
  };
  for (const auto& c : kCases) {
    const Parsed parsed = LoadConf(c.text);
    assert_int_equal(parsed.config.associations[0].minpoll.value, c.minpoll);
    assert_int_equal(parsed.config.associations[0].maxpoll.value, c.maxpoll);
  }
}

void RemovesReferenceClocksThatDoNotExist(void**) {
  const Parsed parsed = LoadConf("server 127.127.20.0\nfudge 127.127.20.0 flag1 1\nserver h\n");
  assert_int_equal(parsed.config.associations.size(), 1);
  assert_int_equal(Count(parsed, Severity::kWarning), 1);
}

void ChangesNothingTheSecondTime(void**) {
  Parsed parsed = LoadConf("server h minpoll 1\nserver 127.127.8.0\n");
  assert_int_equal(Count(parsed, Severity::kWarning), 2);
  assert_int_equal(Validate(parsed.config).size(), 0);
  assert_int_equal(parsed.config.restrictions.size(), 3);
}

void CopesWithManyRestrictions(void**) {
  std::string text = "server h\nrestrict default ignore\n";
  for (int i = 0; i < 100000; ++i)
    text += "restrict 10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
            std::to_string(i & 255) + " nomodify\n";
  const Parsed parsed = LoadConf(text);
  assert_int_equal(parsed.config.restrictions.size(), 100001);
  assert_int_equal(parsed.diagnostics.size(), 0);
}

}  // namespace
}  // namespace ntpward::config

int main() {
  using namespace ntpward::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WarnsOfWhatWasSurelyNotMeant),
      cmocka_unit_test(OfADefaultThatLetsNobodyAskThereIsNothingToSay),
      cmocka_unit_test(WhoCanHearOthersMayListenWithoutVolley),
      cmocka_unit_test(RefusesAuthenticationThatCannotHappen),
      cmocka_unit_test(AKeyInUseNeedsNoTrustedkey),
      cmocka_unit_test(NeverMakesANamedGroupOptional),
      cmocka_unit_test(PutsInItsOwnRestrictionsWhenThereAreNone),
      cmocka_unit_test(LeavesTheOperatorsRestrictionsAlone),
      cmocka_unit_test(FitsThePollsToEachOther),
      cmocka_unit_test(RemovesReferenceClocksThatDoNotExist),
      cmocka_unit_test(ChangesNothingTheSecondTime),
      cmocka_unit_test(CopesWithManyRestrictions),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
