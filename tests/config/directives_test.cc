// Each directive sets what it says, lines accumulate as ntpd 4.2.8 lets them, and what was
// understood can be written out and read again.
#include "ntpd/config/config.h"
#include "ntpd/config/directive.h"
#include "ntpd/config/host.h"
#include "ntpd/config/render.h"
#include "tests/config/support.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::config {
namespace {

// Every directive and every option that has an effect; no value is its default. Written as Render()
// writes it, so that both ways can be compared.
constexpr std::string_view kEverything =
    "tos minclock 4 maxclock 11 minsane 2 floor 1 ceiling 14 cohort 1 mindist 0.005 maxdist 2.5 "
    "orphan 7 orphanwait 10 beacon 3600 bcpollbstep 3\n"
    "tinker allan 12 dispersion 14 freq -3.25 huffpuff 7200 panic 0 step 0.5 stepback 0.25 "
    "stepfwd 0.75 stepout 900\n"
    "enable bclient calibrate mode7 pps\n"
    "disable auth kernel monitor ntp stats\n"
    "interface ignore wildcard\n"
    "interface drop ipv6\n"
    "interface listen \"eth0:1\"\n"
    "interface listen 203.0.113.0/24\n"
    "setvar \"site\" = \"Hall 3\" default\n"
    "broadcastdelay 0.008\n"
    "ttl 31 63 127\n"
    "dscp 40\n"
    "driftfile \"/d\"\n"
    "nonvolatile 1e-06\n"
    "leapfile \"/l\" ignorehash\n"
    "logfile \"/log\"\n"
    "logconfig =sysevents +peerstatus +syncinfo\n"
    "statsdir \"/s/\"\n"
    "pidfile \"/p\"\n"
    "saveconfigdir \"/c/\"\n"
    "filegen loopstats file \"loops\" type week nolink enable\n"
    "filegen cryptostats type none link disable\n"
    "keys \"/k\"\n"
    "trustedkey ( 1 ... 1 ) ( 4 ... 9 )\n"
    "controlkey 4\n"
    "requestkey 5\n"
    "controlnonce always\n"
    "keysdir \"/kd\"\n"
    "revoke 16\n"
    "automax 11\n"
    "ident \"g\"\n"
    "crypto pwfile \"/pw\" host \"h\" ident \"g\" digest \"SHA256\" randfile \"/r\" seedfile "
    "\"/sf\" "
    "farm \"f\" "
    "privatekey \"/hk\" sign \"/sk\" cert \"/ck\" "
    "identity optional\n"
    "restrict -4 default ippeerlimit 0 noquery nomodify\n"
    "restrict -6 source noserve\n"
    "restrict 10.0.0.0/8 ignore nopeer noepeer notrap notrust limited kod nomrulist version "
    "ntpport "
    "mssntp flake lowpriotrap serverresponse fuzz\n"
    "restrict -6 \"h\" non-ntpport epeer\n"
    "delrestrict source 2001:db8::1/128\n"
    "discard average 4 minimum 1 monitor 100\n"
    "mru maxdepth 1000 mindepth 100 maxage -1\n"
    "server -6 \"h\" key 5 minpoll 4 maxpoll 7 iburst burst prefer noselect true preempt xleave "
    "version 3 ttl 2\n"
    "pool \"p\" autokey ident \"g\" identity optional\n"
    "peer \"10.0.0.1\"\n"
    "broadcast \"10.0.0.255\"\n"
    "manycastclient \"239.1.1.1\"\n"
    "server \"127.127.1.0\" mode 3\n"
    "fudge 127.127.1.0 time1 0.5 time2 -1 stratum 7 refid \"GPS\" flag1 1 flag2 0 flag3 1 flag4 1\n"
    "multicastclient 224.0.1.1 ff05::101\n"
    "manycastserver 239.1.1.1\n"
    "broadcastclient\n"
    "unpeer 12\n"
    "unpeer \"h\"\n";

void ReadsBackWhatItWrites(void**) {
  const std::string text(kEverything);
  const Parsed parsed = ParseConf(text, ParsePolicy::kStrict);
  if (!parsed.usable(ParsePolicy::kStrict)) print_error("%s", Shown(parsed).c_str());
  assert_true(parsed.usable(ParsePolicy::kStrict));
  assert_string_equal(Render(parsed.config).c_str(), text.c_str());
}

void SetsNothingThatNoLineSet(void**) { assert_string_equal(Render(Config{}).c_str(), ""); }

void ReadsBackTheFilesOfDistributions(void**) {
  for (const char* name : {"debian-ntp", "debian-ntpsec", "fedora", "rhel6", "freebsd",
                           "guide-server", "guide-client", "appliance"}) {
    const auto bytes = test::ReadFile("tests/config/data/" + std::string(name) + ".conf");
    const Parsed first = ParseConf(AsText(bytes));
    const std::string text = Render(first.config);
    assert_true(text.size() > 50);
    assert_string_equal(Render(ParseConf(text).config).c_str(), text.c_str());
  }
}

void ReadsTheExamplesThatArePackaged(void**) {
  for (const char* name : {"ntp.conf.server", "ntp.conf.client"}) {
    const auto bytes = test::ReadFile("packaging/examples/" + std::string(name));
    const Parsed parsed = LoadConf(AsText(bytes), ParsePolicy::kStrict);
    if (!parsed.diagnostics.empty()) print_error("%s: %s", name, Shown(parsed).c_str());
    assert_int_equal(parsed.diagnostics.size(), 0);
  }
}

// The guide takes the password for `ntp-keygen -q` from the file by this awk program, for which
// comments are lines like others.
void TheGuidesAwkFindsThePasswordAloneInTheExamples(void**) {
  const std::pair<const char*, const char*> kPasswords[] = {{"server", "serverpassword\n"},
                                                            {"client", "clientpassword\n"}};
  for (const auto& [host, password] : kPasswords) {
    const std::string command =
        std::string("awk '/crypto pw/ { print $3 }' <packaging/examples/ntp.conf.") + host;
    FILE* awk = popen(command.c_str(), "r");
    assert_non_null(awk);
    char text[400] = "";
    (void)!fread(text, 1, sizeof text - 1, awk);
    assert_int_equal(pclose(awk), 0);
    assert_string_equal(text, password);
  }
}

// A directive that is missing from the manual page would be one that nobody can know.
void DocumentsEveryDirective(void**) {
  const auto bytes = test::ReadFile("packaging/man/ntp.conf.5");
  const std::string_view manual = AsText(bytes);
  for (std::string_view name : DirectiveNames()) {
    if (manual.find(name) == std::string_view::npos) print_error("%s\n", std::string(name).c_str());
    assert_true(manual.find(name) != std::string_view::npos);
  }
}

// As ntpd 4.2.8, which saves a word without a sign with =.
void LogClassesInEverySpelling(void**) {
  const auto bits = [](std::string words) {
    const Parsed parsed = ParseConf("logconfig " + words + "\nserver 127.127.1.0\n");
    assert_true(parsed.diagnostics.empty());
    return parsed.config.output.logconfig.value.bits();
  };
  assert_int_equal(bits("=none"), 0);
  assert_int_equal(bits("none"), 0);
  assert_int_equal(bits("=none +sysinfo"), 0x0001);
  assert_int_equal(bits("=sysinfo +allclock"), 0x0f01);
  assert_int_equal(bits("allsync"), 0xf000);
  assert_int_equal(bits("all -allpeer"), 0xff0f);
  assert_int_equal(bits("=allall"), 0xffff);
  assert_int_equal(bits("+none"), bits("-none"));
}

void AddsUpLinesOfTheSameDirective(void**) {
  const Parsed parsed = ParseConf(
      "tos minclock 4\ntos maxclock 11\ntos minclock 5\n"
      "fudge 127.127.1.0 stratum 3\nfudge 127.127.1.0 refid X\n"
      "statistics loopstats\nfilegen loopstats type week\nfilegen loopstats disable\n"
      "logconfig =all\nlogconfig -allinfo\n"
      "mru maxdepth 9\nmru maxmem 8\n");
  const Config& config = parsed.config;
  assert_int_equal(config.system.tos.minclock.value, 5);
  assert_int_equal(config.system.tos.maxclock.value, 11);
  assert_int_equal(config.fudges.size(), 1);
  assert_int_equal(*config.fudges[0].stratum, 3);
  assert_string_equal(config.fudges[0].refid.c_str(), "X");
  assert_true(config.output.statistic(Statistic::kLoop).type == FilegenType::kWeek);
  assert_false(config.output.statistic(Statistic::kLoop).enabled);
  assert_int_equal(config.output.logconfig.value.bits(), 0xeeee);
  assert_false(config.mru.maxdepth.is_set());
  assert_int_equal(config.mru.maxmem.value, 8);
}

void UnderstandsAddressesInEveryForm(void**) {
  const Parsed parsed = ParseConf(
      "server [2001:db8::1]\nserver ::1\nserver -4 h.example.\nserver fe80::1%lo9x\n"
      "restrict [2001:db8::]/32\nrestrict 0.0.0.0 mask 0.0.0.0\nrestrict ::/0 ignore\n"
      "restrict h_1.example\nrestrict 192.0.2.1 mask 255.255.255.255\n"
      "restrict force\n");
  const Config& config = parsed.config;
  assert_int_equal(parsed.diagnostics.size(), 0);
  assert_string_equal(config.associations[0].host.c_str(), "2001:db8::1");
  assert_true(config.associations[0].address.has_value());
  assert_false(config.associations[2].address.has_value());
  assert_string_equal(config.associations[3].host.c_str(), "fe80::1%lo9x");
  assert_int_equal(*PrefixOfMask(config.restrictions[0].mask), 32);
  assert_true(config.restrictions[1].target == RestrictTarget::kDefault);
  assert_true(config.restrictions[1].family == Family::kIpv4);
  assert_true(config.restrictions[2].family == Family::kIpv6);
  assert_true(config.restrictions[3].target == RestrictTarget::kHost);
  assert_int_equal(*PrefixOfMask(config.restrictions[4].mask), 32);
  // Two mistypings from "source", and a name that a host may have.
  assert_true(config.restrictions[5].target == RestrictTarget::kHost);
}

void CountsPrefixesLikeTheirMasks(void**) {
  for (unsigned prefix = 1; prefix <= 32; ++prefix) {
    IpAddress mask = IpAddress::V4(0, 0, 0, 0);
    for (unsigned bit = 0; bit < prefix; ++bit)
      mask.octets[bit / 8] = static_cast<uint8_t>(mask.octets[bit / 8] | 0x80U >> (bit % 8));
    const Parsed by_mask =
        ParseConf("restrict 255.255.255.255 mask " + mask.ToString() + " ignore\n");
    const Parsed by_prefix = ParseConf("restrict 255.255.255.255/" + std::to_string(prefix));
    assert_int_equal(by_mask.config.restrictions.size(), 1);
    assert_true(by_mask.config.restrictions[0].mask == mask);
    assert_true(by_prefix.config.restrictions[0].mask == mask);
    assert_int_equal(*PrefixOfMask(mask), prefix);
    assert_true(by_mask.config.restrictions[0].address == mask);
    assert_true(by_prefix.config.restrictions[0].address == mask);
  }
}

void TakesMasksWithGapsAsTheyAre(void**) {
  for (const auto& [address, mask] :
       {std::pair("10.0.3.0", "255.0.255.0"), std::pair("0.0.0.5", "0.0.0.255"),
        std::pair("fd00:0:0:3::", "ffff:0:ffff:ffff::")}) {
    const std::string target = std::string(address) + " mask " + mask;
    const Parsed parsed = ParseConf("restrict " + target + " noquery\ndelrestrict " + target);
    assert_true(parsed.usable(ParsePolicy::kStrict));
    assert_int_equal(parsed.diagnostics.size(), 2);
    assert_true(Says(parsed, "warning: the mask '" + std::string(mask) + "' has gaps"));
    const Restriction& r = parsed.config.restrictions[0];
    assert_true(r.target == RestrictTarget::kAddress);
    assert_true(r.address == IpAddress::Parse(address) && r.mask == IpAddress::Parse(mask));
    assert_string_equal(Render(parsed.config).c_str(),
                        ("restrict " + target + " noquery\ndelrestrict " + target + "\n").c_str());
  }
  const Parsed host = ParseConf("restrict 10.1.2.3 mask 255.0.255.0\n");
  assert_true(Says(host, "bits past the mask are ignored: 10.0.2.0 mask 255.0.255.0 is meant"));
  assert_true(host.config.restrictions[0].address == IpAddress::V4(10, 0, 2, 0));
}

void AcceptsWhatHasNoEffectWithAWarning(void**) {
  for (const Directive& directive : ObsoleteDirectives()) {
    const std::string name(directive.name);
    if (name == "nts" || name == "refclock" || name == "simulate") continue;
    const Parsed parsed = ParseConf(name + " a 1 | (2) \"c d\"\nserver h\n");
    assert_true(parsed.usable(ParsePolicy::kStrict));
    assert_true(Says(parsed, "1:1: warning: '" + name + "' has no effect: the line is ignored"));
    assert_int_equal(parsed.config.associations.size(), 1);
  }
}

// As the other files of `crypto` lines; keysdir may come behind it.
void TheLeapFileOfCryptoIsInKeysdir(void**) {
  const auto leap = [](const char* text) {
    const Parsed parsed = LoadConf(text, ParsePolicy::kStrict);
    assert_int_equal(Count(parsed, Severity::kError), 0);
    return parsed.config.output.leapfile.value;
  };
  assert_string_equal(leap("crypto pw x leap ntpkey_leap\nkeysdir /k\n").c_str(), "/k/ntpkey_leap");
  assert_string_equal(leap("crypto pw x leap /l\nkeysdir /k\n").c_str(), "/l");
  assert_string_equal(leap("crypto pw x leap a\nleapfile b\n").c_str(), "b");
}

void LogMasksNameTheirBits(void**) {
  assert_int_equal(LogMask().bits(), *LogMask::Parse("syncall"));
  assert_int_equal(*LogMask::Parse("all"), 0xffff);
  assert_int_equal(*LogMask::Parse("allevents"), 0x2222);
  assert_int_equal(*LogMask::Parse("sysinfo"), 0x0001);
  assert_false(LogMask::Parse("sys") || LogMask::Parse("") || LogMask::Parse("sysall2"));
  assert_string_equal(LogMask(0).ToString().c_str(), "=all -all");
}

}  // namespace
}  // namespace ntpward::config

int main() {
  using namespace ntpward::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ReadsBackWhatItWrites),
      cmocka_unit_test(SetsNothingThatNoLineSet),
      cmocka_unit_test(ReadsBackTheFilesOfDistributions),
      cmocka_unit_test(ReadsTheExamplesThatArePackaged),
      cmocka_unit_test(TheGuidesAwkFindsThePasswordAloneInTheExamples),
      cmocka_unit_test(DocumentsEveryDirective),
      cmocka_unit_test(LogClassesInEverySpelling),
      cmocka_unit_test(AddsUpLinesOfTheSameDirective),
      cmocka_unit_test(UnderstandsAddressesInEveryForm),
      cmocka_unit_test(CountsPrefixesLikeTheirMasks),
      cmocka_unit_test(TakesMasksWithGapsAsTheyAre),
      cmocka_unit_test(AcceptsWhatHasNoEffectWithAWarning),
      cmocka_unit_test(TheLeapFileOfCryptoIsInKeysdir),
      cmocka_unit_test(LogMasksNameTheirBits),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
