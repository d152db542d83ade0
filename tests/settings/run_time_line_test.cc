// Lines of configuration that come by mode 6: what each changes, and why the others change nothing.
#include "ntpd/settings/run_time_line.h"

#include <algorithm>

#include "ntpd/config/host.h"
#include "ntpd/settings/lines.h"
#include "privsep/msg/same.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::settings {
namespace {

const IpAddress kAddress = IpAddress::V4(192, 0, 2, 1);

Settings File() {
  Settings file;
  const std::vector<uint8_t> hops = {31, 63, 95};
  CHECK(file.start.ttls.Assign(hops));
  msg::NetAssociation named;
  named.name = 4;
  Show(&named.label, "ntp.example.org");
  file.associations.push_back(named);
  msg::NetAssociation clock;
  clock.kind = msg::NetAssociationKind::kLocalClock;
  clock.address = IpAddress::V4(127, 127, 1, 0);
  Show(&clock.label, "127.127.1.0");
  file.associations.push_back(clock);
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    msg::NetRestriction everybody;
    everybody.address.family = family;
    everybody.flags = 0x80;
    file.restrictions.push_back(everybody);
  }
  return file;
}

bool Same(const Settings& a, const Settings& b) {
  return msg::Same(a.start, b.start) && a.restrictions.size() == b.restrictions.size() &&
         std::equal(a.associations.begin(), a.associations.end(), b.associations.begin(),
                    b.associations.end(), msg::Same<msg::NetAssociation>);
}

Result<Change, Refusal> Try(std::string_view line, const Settings& now = File()) {
  return Apply(line, "", File(), now);
}

Settings After(std::string_view line, const Settings& now = File()) {
  const auto change = Try(line, now);
  if (!change.ok()) std::fprintf(stderr, "%s\n", change.error().text.c_str());
  assert_true(change.ok());
  return change->after;
}

void AssertRefused(std::string_view line, size_t column, std::string_view text) {
  const auto change = Try(line);
  if (change.ok()) std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  assert_true(!change.ok());
  if (change.error().column != column || change.error().text.find(text) == std::string::npos)
    std::fprintf(stderr, "column %zu %s\n", change.error().column, change.error().text.c_str());
  assert_int_equal(change.error().column, column);
  assert_true(change.error().text.find(text) != std::string::npos);
}

// --- associations -----------------------------------------------------------------------------

void AServerIsAddedWithItsOptions(void**) {
  const Settings after = After("server 192.0.2.1 key 5 iburst minpoll 4 maxpoll 8 noselect");
  assert_int_equal(after.associations.size(), 3);
  const msg::NetAssociation& line = after.associations.back();
  assert_true(line.kind == msg::NetAssociationKind::kServer && line.address == kAddress);
  assert_true(line.key == KeyId{5} && line.iburst && line.noselect && !line.prefer);
  assert_int_equal(line.minpoll, 4);
  assert_int_equal(line.maxpoll, 8);
  assert_true(line.label.text() == "192.0.2.1");
}

void EachKindOfAssociationIsTaken(void**) {
  using Kind = msg::NetAssociationKind;
  const std::pair<const char*, Kind> lines[] = {
      {"server ::1", Kind::kServer},
      {"server [2001:db8::1] version 3", Kind::kServer},
      {"server 127.127.1.1", Kind::kLocalClock},
      {"pool 192.0.2.1", Kind::kPool},
      {"peer 192.0.2.1 key 7", Kind::kPeer},
      {"broadcast 192.0.2.255 ttl 1", Kind::kBroadcast},
      {"manycastclient 224.0.1.1 key 5", Kind::kManycastClient},
  };
  for (const auto& [line, kind] : lines) assert_true(After(line).associations.back().kind == kind);
  assert_int_equal(After("broadcast 224.0.1.1 ttl 1").associations.back().ttl, 63);
}

// ntpd 4.2.8 takes `server 192.0.2.1 noselect` of this, without a key.
void AnErrorAnywhereIsNoAssociationAtAll(void**) {
  AssertRefused("server 192.0.2.1 noselect kye 5", 26, "syntax error: ");
  AssertRefused("server 192.0.2.1 key 0", 21, "syntax error: ");
  AssertRefused("server 192.0.2.1 key 5 autokey", 23, "syntax error: ");
  AssertRefused("server", 6, "syntax error: ");
  AssertRefused("server 10.0.0.256", 7, "syntax error: ");
  AssertRefused("server 192.0.2.1 mode", 21, "syntax error: ");
}

// What comes by the network must not make the resolver ask.
void ANameIsTakenOnlyIfTheFileHasIt(void**) {
  AssertRefused("server evil.example.org", 7, "looked up only if ntp.conf has it");
  AssertRefused("pool evil.example.org iburst", 5, "looked up only if ntp.conf has it");
  AssertRefused("restrict evil.example.org", 9, "looked up only if ntp.conf has it");
  AssertRefused("broadcast evil.example.org", 10, "numeric address");
  const Settings without = After("unconfig ntp.example.org");
  assert_int_equal(without.associations.size(), 1);
  const Settings again = After("server ntp.example.org iburst", without);
  assert_true(again.associations.back().name == uint16_t{4});
}

void AutokeyNeedsTheFilesCrypto(void**) {
  AssertRefused("server 192.0.2.1 autokey", 0, "needs a crypto line");
  Settings with = File();
  with.start.crypto_enabled = true;
  assert_true(After("server 192.0.2.1 autokey ident g", with).associations.back().autokey);
}

void ALineThatIsInForceChangesNothing(void**) {
  for (const char* line : {"server 192.0.2.1 iburst", "restrict 192.0.2.0/24 ignore",
                           "restrict default nomodify", "tos minclock 5", "setvar a = b"}) {
    const Settings once = After(line);
    assert_true(Same(After(line, once), once));
  }
}

void OneServerIsNotConfiguredTwice(void**) {
  const Settings once = After("server 192.0.2.1");
  const auto twice = Try("server 192.0.2.1 noselect", once);
  assert_true(!twice.ok() && twice.error().column == 7);
  assert_true(twice.error().text.find("'unconfig 192.0.2.1' first") != std::string::npos);
}

void UnconfigEndsByAddressOrName(void**) {
  const Settings with = After("server 192.0.2.1");
  for (const char* line : {"unconfig 192.0.2.1", "unpeer 192.0.2.1"})
    assert_true(Same(After(line, with), File()));
  assert_int_equal(After("unpeer ntp.example.org").associations.size(), 1);
  const Settings six = After("server 2001:db8::1");
  assert_true(Same(After("unconfig [2001:DB8:0::1]", six), File()));
  AssertRefused("unconfig 192.0.2.7", 9, "there is no such association");
  AssertRefused("unconfig ntp", 9, "there is no such association");
}

// CVE-2016-2516, CVE-2016-2518: `unpeer 0`, and twice the same.
void UnconfigOfANumberNeedsSomebodyWhoKnowsIt(void**) {
  AssertRefused("unconfig 4711", 9, "there is no such association");
  AssertRefused("unpeer 0", 7, "syntax error: ");
  AssertRefused("unpeer 65536", 7, "syntax error: ");
  const auto known = Apply("unconfig 4711", "ntp.example.org", File(), File());
  assert_true(known.ok() && known->after.associations.size() == 1);
  const auto unpeer = UnpeerOf("unconfig 4711");
  assert_true(unpeer && unpeer->assoc == AssocId{4711});
  assert_true(UnpeerOf("unpeer 192.0.2.1")->host == "192.0.2.1");
  for (const char* line : {"server 192.0.2.1", "unpeer", "unpeer 0", "unpeer 1 2", ""})
    assert_false(UnpeerOf(line).has_value());
}

void FudgeIsForTheLocalClockThatIsThere(void**) {
  const Settings after = After("fudge 127.127.1.0 stratum 12 refid ABC");
  assert_int_equal(after.associations[1].stratum, 12);
  assert_true(after.associations[1].refid.text() == "ABC");
  AssertRefused("fudge 127.127.1.3 stratum 12", 6, "there is no 'server 127.127.1.3'");
  AssertRefused("fudge 127.127.1.0 time1 0.5", 0, "only stratum and refid have an effect");
}

// --- access -----------------------------------------------------------------------------------

void RestrictAddsAnEntryAndDelrestrictTakesItAway(void**) {
  const auto change = Try("restrict 192.0.2.0 mask 255.255.255.0 nomodify noquery");
  assert_true(change.ok() && change->after.restrictions.size() == 3);
  assert_int_equal(change->access.size(), 1);
  const AccessStep& step = change->access[0];
  assert_true(!step.remove && step.entry.mask == config::MaskOfPrefix(Family::kIpv4, 24).octets &&
              step.entry.flags == 0x180);
  for (const char* line : {"delrestrict 192.0.2.0/24", "unrestrict 192.0.2.0 mask 255.255.255.0"}) {
    const auto gone = Try(line, change->after);
    assert_true(gone.ok() && gone->after.restrictions.size() == 2);
    assert_true(gone->access.size() == 1 && gone->access[0].remove);
  }
  AssertRefused("delrestrict 192.0.2.0/24", 12, "there is no such entry");
  AssertRefused("delrestrict source 192.0.2.1", 12, "come and go");
  AssertRefused("restrict 192.0.2.0/24 noquery nosuch", 30, "syntax error: ");
  AssertRefused("restrict 192.0.2.0/33", 9, "syntax error: ");
}

void AMaskWithGapsIsOneOfItsOwn(void**) {
  const auto change = Try("restrict 10.0.3.0 mask 255.0.255.0 noquery");
  assert_true(change.ok() && change->warnings.size() == 1);
  const auto mask = IpAddress::V4(255, 0, 255, 0).octets;
  assert_true(change->access.size() == 1 && change->access[0].entry.mask == mask);
  for (const char* other : {"delrestrict 10.0.3.0/24", "delrestrict 10.0.3.0 mask 255.0.255.255"})
    assert_false(Try(other, change->after).ok());
  const auto gone = Try("unrestrict 10.0.3.0 mask 255.0.255.0", change->after);
  assert_true(gone.ok() && gone->after.restrictions.size() == 2);
}

void OneAddressOfSourcesIsToldFromOtherLines(void**) {
  assert_true(SourceEntryOf("delrestrict source 192.0.2.1") == IpAddress::Parse("192.0.2.1"));
  assert_true(SourceEntryOf("unrestrict source 2001:db8::1") == IpAddress::Parse("2001:db8::1"));
  for (const char* line :
       {"delrestrict 192.0.2.1", "delrestrict source", "delrestrict source default",
        "delrestrict source 192.0.2.0/24", "restrict source noquery", "delrestrict source x y",
        "unconfig 192.0.2.1", ""})
    if (SourceEntryOf(line)) fail_msg("'%s'", line);
}

// `restrict source` replaces what was there, and so does ippeerlimit.
void WhatIsSaidAgainDecidesAgain(void**) {
  for (const auto& [closed, open] :
       {std::pair("restrict source nomodify noquery", "restrict source nomodify"),
        std::pair("restrict 192.0.2.0/24 ippeerlimit 3 nomodify",
                  "restrict 192.0.2.0/24 ippeerlimit 20 nomodify")}) {
    const Settings first = After(closed);
    const auto again = Try(closed, After(open, first));
    assert_true(again.ok());
    assert_int_equal(again->access.size(), 1);
    assert_int_equal(again->after.restrictions.size(), first.restrictions.size() + 1);
    const msg::NetRestriction& last = again->after.restrictions.back();
    const msg::NetRestriction& meant = first.restrictions.back();
    assert_int_equal(last.flags, meant.flags);
    assert_int_equal(last.ippeerlimit, meant.ippeerlimit);
    assert_int_equal(Try(closed, again->after)->access.size(), 0);
  }
}

void EverybodyIsTwoEntries(void**) {
  const auto change = Try("restrict default ignore");
  assert_true(change.ok() && change->access.size() == 2);
  const auto six = Try("restrict -6 default ignore");
  assert_true(six.ok() && six->access.size() == 1);
  assert_true(six->access[0].entry.address.family == Family::kIpv6);
  assert_int_equal(After("delrestrict default").restrictions.size(), 0);
  assert_int_equal(After("delrestrict -4 default").restrictions.size(), 1);
}

// --- single values ----------------------------------------------------------------------------

void ValuesTakeThePlaceOfTheFiles(void**) {
  assert_int_equal(After("tos minclock 5 maxclock 20").start.minclock, 5);
  assert_int_equal(After("tos minclock 5 maxclock 20").start.maxclock, 20);
  assert_true(After("tinker stepout 60 dispersion 20").start.stepout == 60);
  assert_true(After("tinker step 0.5").start.step_backward == 0.5);
  assert_int_equal(After("discard average 4 minimum 1").start.discard_average, 4);
  assert_int_equal(After("mru maxdepth 1000").start.mru_entries, 1000);
  assert_int_equal(After("mru maxmem 2").start.mru_entries, 32);
  assert_false(After("disable ntp").start.discipline);
  assert_int_equal(After("ttl 1 2").start.ttls.size(), 2);
  assert_true(After("broadcastdelay 0.01").start.broadcast_delay == 0.01);
  assert_int_equal(After("automax 10").start.automax, 10);
  assert_true(After("setvar a = b default").start.variables[0].text() == "*a=b");
}

void AVariableIsSetAnew(void**) {
  const Settings after = After("setvar a = c", After("setvar a = b default"));
  assert_int_equal(after.start.variables.size(), 1);
  assert_true(after.start.variables[0].text() == "a=c");
  Settings writable = File();
  InlineText<128> item;
  CHECK(item.Assign(AsBytes("+a=b")) && writable.start.variables.Push(item));
  assert_int_equal(After("setvar a = c", writable).start.variables.size(), 1);
  Settings full = File();
  for (char name = 'a'; name < 'm'; ++name)
    full = After(std::string("setvar ") + name + " = x", full);
  const auto more = Try("setvar z = x", full);
  assert_true(!more.ok() && more.error().text.find("too many") != std::string::npos);
}

void LogconfigBeginsWithWhatIsInForce(void**) {
  const Settings less = After("logconfig -peerinfo");
  assert_int_equal(less.start.log_classes, msg::kLogEverything & ~msg::kLogPeerInfo);
  assert_int_equal(After("logconfig +peerinfo", less).start.log_classes, msg::kLogEverything);
  assert_int_equal(After("logconfig =sysevents", less).start.log_classes, msg::kLogSystemEvents);
  AssertRefused("logconfig =nonsense", 10, "syntax error: ");
}

// What ntpd-clock bounds, ntpd-keys decides or the supervisor opens.
void WhatIsNotForNetToDecideIsRefused(void**) {
  AssertRefused("tinker panic 0", 13, "panic limit is for ntp.conf");
  AssertRefused("tinker step 0", 12, "is for ntp.conf to say");
  AssertRefused("tinker freq 100", 12, "at the start only");
  AssertRefused("disable auth", 8, "auth remote config ignored");
  AssertRefused("enable bclient", 7, "is for ntp.conf to say");
  AssertRefused("enable stats", 7, "configuration file only");
  AssertRefused("enable mode7", 7, "configuration file only");
  for (const char* line : {"keys /tmp/x",
                           "crypto pw x",
                           "includefile /tmp/x",
                           "logfile /tmp/x",
                           "trustedkey 1",
                           "controlkey 1",
                           "interface listen all",
                           "statistics loopstats",
                           "filegen loopstats file x",
                           "statsdir /tmp/",
                           "driftfile /tmp/x",
                           "leapfile /tmp/x",
                           "end",
                           "broadcastclient",
                           "multicastclient",
                           "manycastserver 224.0.1.1",
                           "revoke 17",
                           "ident g",
                           "dscp 1",
                           "",
                           " server 192.0.2.1",
                           "Server 192.0.2.1",
                           "#server 192.0.2.1"})
    AssertRefused(line, 0, "syntax error");
}

// Else somebody believes that it holds.
void WhatHasNoEffectIsRefused(void**) {
  AssertRefused("enable kernel", 7, "kernel has no effect");
  AssertRefused("disable monitor", 8, "monitor has no effect");
  AssertRefused("enable pps", 7, "pps has no effect");
  AssertRefused("tinker allan 9", 13, "allan has no effect");
  AssertRefused("mru maxage 5", 11, "maxage has no effect");
  AssertRefused("server 192.0.2.1 xleave", 0, "xleave has no effect");
  AssertRefused("server 127.127.20.0", 7, "is ignored");
  AssertRefused("setvar stratum = 99", 7,
                "setvar stratum has no effect: the daemon has a variable");
  AssertRefused("setvar daemon_version = x default", 7, "setvar daemon_version has no effect");
}

// In the file the nearest value is taken, with a warning that a start has. Here only the answer is
// read, and `mru maxdepth` takes its memory at once.
void WhatIsOutOfRangeIsRefused(void**) {
  AssertRefused("server 192.0.2.1 minpoll 99", 25, "minpoll 99 is out of range: expected 3 to 17");
  AssertRefused("server 192.0.2.1 minpoll 2 maxpoll 8", 25, "minpoll 2 is out of range");
  AssertRefused("peer 192.0.2.1 maxpoll 18", 23, "maxpoll 18 is out of range: expected 3 to 17");
  AssertRefused("server 192.0.2.1 minpoll 9 maxpoll 7", 25,
                "greater than maxpoll: expected at most 7");
  AssertRefused("mru maxdepth 100000000", 13,
                "maxdepth 100000000 is out of range: expected 1 to 10000000");
  AssertRefused("mru maxdepth 0", 13, "expected 1 to 10000000");
  AssertRefused("mru maxmem 625001", 11, "maxmem 625001 is out of range: expected 1 to 625000");
  AssertRefused("broadcast 192.0.2.255 ttl 8", 26, "expected index into the ttl list (0 to 7)");
  AssertRefused("fudge 127.127.1.0 refid ABCDE", 24, "'ABCDE' is too long: expected at most 4");
  assert_int_equal(After("mru maxdepth 10000000").start.mru_entries, 10000000);
  assert_int_equal(After("mru maxmem 625000").start.mru_entries, 10000000);
}

// What is done all the same.
void AnythingElseIsSaid(void**) {
  const auto change = Try("broadcast 192.0.2.255");
  assert_true(change.ok() && change->warnings.size() == 1);
  assert_true(change->warnings[0].starts_with("broadcast without key or autokey"));
}

void NothingIsHalfDone(void**) {
  for (const char* line : {"tos minclock 5 maxclock", "tinker stepout 60 panic 0",
                           "discard average 4 nosuch 5", "disable ntp nosuch", "ttl 1 2 0"}) {
    const Settings now = File();
    assert_false(Apply(line, "", File(), now).ok());
    assert_true(Same(now, File()));
  }
}

// Every beginning of a line is an answer, and never a crash.
void EveryPrefixIsJudged(void**) {
  for (const std::string_view line :
       {"server -4 192.0.2.1 key 5 iburst minpoll 4 ident \"a b\" version 4 # comment",
        "restrict 192.0.2.0 mask 255.255.255.0 ippeerlimit 3 nomodify serverresponse fuzz",
        "tinker step 0.5 stepout 1e2", "setvar a = \"b c\" default", "unconfig [::1]",
        "logconfig = all -sysevents"})
    for (size_t size = 0; size <= line.size(); ++size) {
      const auto change = Try(line.substr(0, size));
      if (!change.ok()) assert_true(change.error().column <= size && !change.error().text.empty());
    }
}

}  // namespace
}  // namespace ntpward::settings

int main() {
  using namespace ntpward::settings;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AMaskWithGapsIsOneOfItsOwn),
      cmocka_unit_test(OneAddressOfSourcesIsToldFromOtherLines),
      cmocka_unit_test(AServerIsAddedWithItsOptions),
      cmocka_unit_test(EachKindOfAssociationIsTaken),
      cmocka_unit_test(AnErrorAnywhereIsNoAssociationAtAll),
      cmocka_unit_test(ANameIsTakenOnlyIfTheFileHasIt),
      cmocka_unit_test(AutokeyNeedsTheFilesCrypto),
      cmocka_unit_test(ALineThatIsInForceChangesNothing),
      cmocka_unit_test(OneServerIsNotConfiguredTwice),
      cmocka_unit_test(UnconfigEndsByAddressOrName),
      cmocka_unit_test(UnconfigOfANumberNeedsSomebodyWhoKnowsIt),
      cmocka_unit_test(FudgeIsForTheLocalClockThatIsThere),
      cmocka_unit_test(RestrictAddsAnEntryAndDelrestrictTakesItAway),
      cmocka_unit_test(WhatIsSaidAgainDecidesAgain),
      cmocka_unit_test(EverybodyIsTwoEntries),
      cmocka_unit_test(ValuesTakeThePlaceOfTheFiles),
      cmocka_unit_test(AVariableIsSetAnew),
      cmocka_unit_test(LogconfigBeginsWithWhatIsInForce),
      cmocka_unit_test(WhatIsNotForNetToDecideIsRefused),
      cmocka_unit_test(WhatHasNoEffectIsRefused),
      cmocka_unit_test(WhatIsOutOfRangeIsRefused),
      cmocka_unit_test(AnythingElseIsSaid),
      cmocka_unit_test(NothingIsHalfDone),
      cmocka_unit_test(EveryPrefixIsJudged),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
