// Every mistake is found where it is, is explained, and costs the whole line.
#include "ntpd/config/config.h"
#include "tests/config/support.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::config {
namespace {

enum class Start : uint8_t { kGoesOn, kRefused };

struct BadLine {
  std::string_view line;
  uint32_t column;
  Start start;
  std::string_view text;  // what the message begins with
};

constexpr BadLine kBadLines[] = {
    // directives
    {"sever h", 1, Start::kGoesOn, "unknown directive 'sever': did you mean 'server'?"},
    {"Server h", 1, Start::kGoesOn, "unknown directive 'Server': did you mean 'server'?"},
    {"frobnicate 1", 1, Start::kGoesOn, "unknown directive 'frobnicate': expected a directive"},
    {"  \t foo", 5, Start::kGoesOn, "unknown directive 'foo'"},
    {"restirct default ignore", 1, Start::kRefused,
     "unknown directive 'restirct': did you mean 'restrict'?"},
    {"trustedkeys 1", 1, Start::kRefused, "unknown directive 'trustedkeys'"},
    {"RESTRICT default ignore", 1, Start::kRefused, "unknown directive 'RESTRICT'"},
    {"\"restrict\" default ignore", 1, Start::kRefused, "unknown directive 'restrict'"},
    {"{ server h }", 1, Start::kGoesOn, "unknown directive '{'"},
    {"simulate {", 1, Start::kGoesOn, "there is no simulator here"},
    {"nts enable", 1, Start::kGoesOn, "NTS is not supported"},
    {"refclock local stratum 5", 1, Start::kGoesOn, "this form is not supported: expected 'server"},
    {"end now", 5, Start::kGoesOn, "'now' is not expected here: expected the end of the line"},
    {"s\xc3\xa9rver h", 1, Start::kGoesOn, "unknown directive 's\\xc3\\xa9rver'"},
    // the lexer
    {std::string_view("ser\0ver h", 9), 4, Start::kRefused, "NUL octet: expected text"},
    {"server h\x01", 9, Start::kGoesOn, "control character outside quotes"},
    {"server h\rserver i", 9, Start::kGoesOn, "control character outside quotes"},
    {"logfile \"a\x7f\"", 11, Start::kGoesOn, "control character in a quoted text"},
    {"logfile \"a\"b", 12, Start::kGoesOn, "expected a blank after the closing quotation mark"},
    {"logfile a\"b\"", 10, Start::kGoesOn, "a quotation mark in the middle of a word"},
    {"server h \\", 10, Start::kGoesOn,
     "unknown option '\\' (a line cannot be continued on the next): expected key, autokey"},
    {"logfile \\", 9, Start::kGoesOn, "a line cannot be continued on the next"},
    // associations
    {"server", 7, Start::kGoesOn, "the line ends here: expected address or host name"},
    {"server # h", 8, Start::kGoesOn, "the line ends here: expected address or host name"},
    {"server \"\"", 8, Start::kGoesOn, "empty text: expected address or host name"},
    {"server h noselect kye 5 iburst", 19, Start::kGoesOn,
     "unknown option 'kye' (did you mean 'key'?): expected key, autokey, ident"},
    {"server h noselect key 5 ibrust", 25, Start::kRefused,
     "unknown option 'ibrust' (did you mean 'iburst'?)"},
    {"server h autokey idnet g", 18, Start::kRefused, "unknown option 'idnet'"},
    {"server h key", 13, Start::kRefused, "the line ends here: expected key number (1 to 65535)"},
    {"server h key 0", 14, Start::kRefused, "'0' is out of range: expected key number"},
    {"server h key 65536", 14, Start::kRefused, "'65536' is out of range"},
    {"server h key five", 14, Start::kRefused, "'five' is no whole number: expected key number"},
    {"server h key 5 autokey", 16, Start::kRefused, "key and autokey exclude each other"},
    {"server h autokey key 5", 22, Start::kRefused, "key and autokey exclude each other"},
    {"server h identity", 18, Start::kGoesOn, "the line ends here: expected 'optional'"},
    {"server h autokey identity never", 27, Start::kRefused,
     "'never' is not expected here: expected 'optional'"},
    {"server h minpoll", 17, Start::kGoesOn, "the line ends here: expected log2 of seconds"},
    {"server h minpoll 256", 18, Start::kGoesOn, "'256' is out of range"},
    {"server h minpoll -1", 18, Start::kGoesOn, "'-1' is out of range"},
    {"server h maxpoll 6.5", 18, Start::kGoesOn, "'6.5' is no whole number"},
    {"server h maxpoll \"6\"", 18, Start::kGoesOn, "'6' is no whole number"},
    {"server h maxpoll 99999999999999999999", 18, Start::kGoesOn,
     "'99999999999999999999' is no whole number"},
    {"server h version 5", 18, Start::kGoesOn, "'5' is out of range: expected protocol version"},
    {"server h nts", 10, Start::kGoesOn, "NTS is not supported"},
    {"server h = 5", 10, Start::kGoesOn, "unknown option '='"},
    {"server 10.0.0.256", 8, Start::kGoesOn, "'10.0.0.256' is neither an address nor a host name"},
    {"server 10.0.0.0/8", 8, Start::kGoesOn, "'10.0.0.0/8' is neither an address"},
    {"server -5", 8, Start::kGoesOn, "'-5' is neither an address nor a host name"},
    {"server a..b", 8, Start::kGoesOn, "'a..b' is neither an address nor a host name"},
    {"pool .b", 6, Start::kGoesOn, "'.b' is neither an address nor a host name"},
    {"peer a.b..", 6, Start::kGoesOn, "'a.b..' is neither an address nor a host name"},
    {"server \"a b\"", 8, Start::kGoesOn, "'a b' is neither an address nor a host name"},
    {"server fe80::1%", 8, Start::kGoesOn, "'fe80::1%' is neither an address nor a host name"},
    {"server -6 10.0.0.1", 11, Start::kGoesOn, "'10.0.0.1' is not an IPv6 address"},
    {"server -4 ::1", 11, Start::kGoesOn, "'::1' is not an IPv4 address"},
    {"server 0.0.0.0", 8, Start::kGoesOn, "'0.0.0.0' is no address of a single host"},
    {"server ::", 8, Start::kGoesOn, "'::' is no address of a single host"},
    {"server 255.255.255.255", 8, Start::kGoesOn, "'255.255.255.255' is no address"},
    {"server 224.0.1.1", 8, Start::kGoesOn, "'224.0.1.1' is no address of a single host"},
    {"peer ff05::101", 6, Start::kGoesOn, "'ff05::101' is no address of a single host"},
    {"pool 127.127.1.0", 6, Start::kGoesOn, "a reference clock is named by 'server'"},
    {"server 127.127.1.0 key 5", 24, Start::kRefused, "a reference clock takes neither key"},
    {"server 127.127.1.0 ttl 3", 24, Start::kGoesOn, "a reference clock takes no ttl"},
    {"manycastserver", 15, Start::kGoesOn, "the line ends here: expected multicast addresses"},
    {"manycastserver 10.0.0.1", 16, Start::kGoesOn, "'10.0.0.1' is no multicast address"},
    {"multicastclient host", 17, Start::kGoesOn, "'host' is no multicast address"},
    {"broadcastclient now", 17, Start::kGoesOn, "'now' is not expected here"},
    {"unpeer 0", 8, Start::kGoesOn, "association out of range: expected 1 to 65535"},
    {"unpeer 99999999999", 8, Start::kGoesOn, "association out of range"},
    {"fudge 10.0.0.1 stratum 3", 7, Start::kGoesOn, "'10.0.0.1' is no reference clock"},
    {"fudge 127.127.1.0 stratum 17", 27, Start::kGoesOn, "'17' is out of range"},
    {"fudge 127.127.1.0 flag1 2", 25, Start::kGoesOn, "'2' is neither true nor false"},
    {"fudge 127.127.1.0 time1 nan", 25, Start::kGoesOn, "'nan' is no number"},
    {"fudge 127.127.1.0 time1 inf", 25, Start::kGoesOn, "'inf' is no number"},
    // access
    {"restrict", 9, Start::kRefused, "the line ends here: expected 'default', 'source'"},
    {"restrict defautl noquery", 10, Start::kRefused,
     "'defautl' is no address: did you mean 'default'?"},
    {"restrict -6 defaultt noquery", 13, Start::kRefused,
     "'defaultt' is no address: did you mean 'default'?"},
    {"restrict defulat noquery", 10, Start::kRefused,
     "'defulat' is no address: did you mean 'default'"},
    {"restrict sourcee noquery", 10, Start::kRefused,
     "'sourcee' is no address: did you mean 'source'?"},
    {"restrict default noqeury", 18, Start::kRefused,
     "unknown flag 'noqeury' (did you mean 'noquery'?): expected mask, ippeerlimit, ignore"},
    {"restrict 10.0.0.0 mask 255.0.0.0 noquery nosuch", 42, Start::kRefused,
     "unknown flag 'nosuch'"},
    {"restrict 10.0.0.0/33", 10, Start::kRefused,
     "'10.0.0.0/33' has a bad prefix length: expected 0 to 32"},
    {"restrict ::/129", 10, Start::kRefused, "'::/129' has a bad prefix length: expected 0 to 128"},
    {"restrict 10.0.0.0/", 10, Start::kRefused, "'10.0.0.0/' has a bad prefix length"},
    {"restrict host/8", 10, Start::kRefused, "'host/8' is neither an address nor a host name"},
    {"restrict 10.0.0.0 mask", 23, Start::kRefused, "the line ends here: expected network mask"},
    {"restrict 10.0.0.0 mask ffff::", 24, Start::kRefused, "'ffff::' is no mask of this address"},
    {"restrict 10.0.0.0/8 mask 255.0.0.0", 26, Start::kRefused, "the address has a prefix length"},
    {"restrict default mask 255.0.0.0", 23, Start::kRefused, "a mask needs a numeric address"},
    {"restrict -6 10.0.0.1", 13, Start::kRefused, "'10.0.0.1' is not an address of the family"},
    {"restrict default ippeerlimit x", 30, Start::kRefused, "'x' is no whole number"},
    {"restrict default serverresponse", 32, Start::kRefused, "the line ends here: expected 'fuzz'"},
    {"restrict default \"ignore\"", 18, Start::kRefused, "unknown flag 'ignore'"},
    {"delrestrict source default", 20, Start::kRefused, "expected an address after 'source'"},
    {"delrestrict 10.0.0.1 noquery", 22, Start::kRefused, "'noquery' is not expected here"},
    {"discard", 8, Start::kGoesOn, "the line ends here: expected option"},
    {"discard averag 3", 9, Start::kGoesOn, "unknown option 'averag' (did you mean 'average'?)"},
    {"mru maxdepth -1", 14, Start::kGoesOn, "'-1' is out of range"},
    // authentication
    {"keys", 5, Start::kRefused, "the line ends here: expected name"},
    {"keys a b", 8, Start::kRefused, "'b' is not expected here"},
    {"trustedkey", 11, Start::kRefused, "the line ends here: expected key numbers"},
    {"trustedkey 1,2", 13, Start::kRefused, "',' is no whole number"},
    {"trustedkey 0", 12, Start::kRefused, "'0' is out of range"},
    {"trustedkey (5 ... 2)", 19, Start::kRefused, "the range is upside down"},
    {"trustedkey (1 ... 70000)", 19, Start::kRefused, "'70000' is out of range"},
    {"trustedkey (1 2)", 15, Start::kRefused, "'2' is not expected here: expected '...'"},
    {"trustedkey (1...x)", 13, Start::kRefused, "bad range: expected (LOW ... HIGH)"},
    {"trustedkey (1 ... 3", 20, Start::kRefused, "the line ends here: expected ')'"},
    {"controlkey x", 12, Start::kRefused, "'x' is no whole number: expected key number"},
    {"controlnonce", 13, Start::kRefused, "the line ends here: expected always, remote"},
    {"controlnonce allways", 14, Start::kRefused,
     "unknown rule 'allways' (did you mean 'always'?)"},
    {"controlnonce never never", 20, Start::kRefused, "'never' is not expected here"},
    {"crypto pw", 10, Start::kRefused, "the line ends here: expected password"},
    {"crypto pw \"\"", 11, Start::kRefused, "empty text: expected password"},
    {"crypto pasword x", 8, Start::kRefused, "unknown option: expected pw, pwfile, host"},
    {"crypto digets MD5", 8, Start::kRefused, "unknown option (did you mean 'digest'?)"},
    {"crypto cert", 12, Start::kRefused, "the line ends here: expected"},
    {"crypto iffpar", 14, Start::kRefused, "the line ends here: expected"},
    {"crypto identity required", 17, Start::kRefused,
     "this word is not expected here: expected 'opt"},
    {"revoke 32", 8, Start::kRefused, "'32' is out of range: expected log2 of seconds (3 to 31)"},
    {"automax 2", 9, Start::kRefused, "'2' is out of range"},
    // files
    {"logconfig synch", 11, Start::kGoesOn, "'synch' is no log class: expected =, + or -"},
    {"logconfig =nonesuch", 11, Start::kGoesOn, "'=nonesuch' is no log class"},
    {"logconfig =synch", 11, Start::kGoesOn, "'=synch' is no log class"},
    {"statistics loopstat", 12, Start::kGoesOn, "unknown statistics 'loopstat' (did you mean 'loo"},
    {"filegen loopstats type daily", 24, Start::kGoesOn, "unknown type of file name 'daily'"},
    {"filegen loopstats file ../x", 24, Start::kGoesOn, "the file name must stay below statsdir"},
    {"leapfile", 9, Start::kGoesOn, "the line ends here: expected file name"},
    {"leapfile f nohash", 12, Start::kGoesOn, "'nohash' is not expected here"},
    {"includefile", 12, Start::kGoesOn, "the line ends here: expected file name"},
    {"includefile ntp.conf", 13, Start::kGoesOn, "the file includes itself"},
    // the system
    {"tos", 4, Start::kGoesOn, "the line ends here: expected option"},
    {"tos maxclock 5 minclok 3", 16, Start::kGoesOn, "unknown option 'minclok'"},
    {"tos orphan 18", 12, Start::kGoesOn, "'18' is out of range: expected whole number (1 to 17)"},
    {"tos mindist 1s", 13, Start::kGoesOn, "'1s' is no number: expected seconds"},
    {"tinker panic -1", 14, Start::kGoesOn, "'-1' is out of range: expected seconds (0 to 1e+09)"},
    {"tinker freq 501", 13, Start::kGoesOn, "'501' is out of range"},
    {"enable atuh", 8, Start::kGoesOn, "unknown switch 'atuh' (did you mean 'auth'?)"},
    {"disable", 8, Start::kGoesOn, "the line ends here: expected switch"},
    {"interface", 10, Start::kGoesOn, "the line ends here: expected 'listen', 'ignore' or 'drop'"},
    {"interface accept all", 11, Start::kGoesOn, "unknown action 'accept'"},
    {"interface listen 10.0.0.0/40", 18, Start::kGoesOn, "'10.0.0.0/40' has a bad prefix length"},
    {"interface ignore aninterfacename16", 18, Start::kGoesOn, "'aninterfacename16' is neither"},
    {"setvar a", 9, Start::kGoesOn, "the line ends here: expected '='"},
    {"setvar a b", 10, Start::kGoesOn, "'b' is not expected here: expected '='"},
    {"setvar +a = b", 8, Start::kGoesOn, "bad name of a variable"},
    {"setvar *a = b", 8, Start::kGoesOn, "bad name of a variable"},
    {"setvar = b", 8, Start::kGoesOn, "bad name of a variable"},
    {"ttl 1 2 3 4 5 6 7 8 9", 21, Start::kGoesOn, "too many hop limits"},
    {"dscp 64", 6, Start::kGoesOn, "'64' is out of range: expected code point (0 to 63)"},
    {"broadcastdelay 2", 16, Start::kGoesOn, "'2' is out of range"},
};

// Between two good lines, so that neither suffers.
Parsed ParseBetween(std::string_view bad) {
  return ParseConf("server first\n" + std::string(bad) + "\nserver last iburst\n");
}

void NamesThePlaceAndWhatWasExpected(void**) {
  for (const BadLine& bad : kBadLines) {
    const Parsed parsed = ParseBetween(bad.line);
    const bool found = Count(parsed, Severity::kError) == 1 && parsed.diagnostics[0].line == 2 &&
                       parsed.diagnostics[0].column == bad.column &&
                       parsed.diagnostics[0].file == "ntp.conf" &&
                       parsed.diagnostics[0].text.starts_with(bad.text);
    if (!found)
      print_error("%.*s\n  gave %s  not :%u: %.*s\n", static_cast<int>(bad.line.size()),
                  bad.line.data(), Shown(parsed).c_str(), bad.column,
                  static_cast<int>(bad.text.size()), bad.text.data());
    assert_true(found);
  }
}

void RefusesTheStartOnlyForWhatProtects(void**) {
  for (const BadLine& bad : kBadLines) {
    const Parsed parsed = ParseBetween(bad.line);
    if (parsed.usable(ParsePolicy::kStartup) != (bad.start == Start::kGoesOn))
      print_error("%s", Shown(parsed).c_str());
    assert_true(parsed.usable(ParsePolicy::kStartup) == (bad.start == Start::kGoesOn));
    assert_false(parsed.usable(ParsePolicy::kStrict));
    assert_false(parsed.usable(ParsePolicy::kRemote));
  }
}

// Everything that a line can add to is as long as before.
void DropsTheWholeLine(void**) {
  for (const BadLine& bad : kBadLines) {
    const Parsed parsed = ParseBetween(bad.line);
    const Config& config = parsed.config;
    assert_int_equal(config.associations.size(), 2);
    assert_string_equal(config.associations[1].host.c_str(), "last");
    assert_true(config.associations[1].iburst);
    assert_true(config.restrictions.empty() && config.fudges.empty() && config.unpeers.empty());
    assert_true(config.multicast_groups.empty() && config.manycast_groups.empty());
    assert_true(config.authentication.trusted.empty());
    assert_false(config.authentication.crypto.enabled());
    assert_false(config.authentication.keys_file.is_set());
    assert_true(config.system.interfaces.empty() && config.system.variables.empty());
    assert_false(config.system.tos.maxclock.is_set());
    assert_false(config.broadcastclient.is_set());
  }
}

// ntpd 4.2.8 makes an unauthenticated server of this line.
void NeverAppliesTheGoodBeginningOfABadLine(void**) {
  const Parsed parsed = ParseConf("server h noselect kye 5 iburst\n");
  assert_int_equal(parsed.config.associations.size(), 0);
  const Parsed restricted = ParseConf("restrict 10.0.0.0/8 noquery nosuch\n");
  assert_int_equal(restricted.config.restrictions.size(), 0);
}

void EveryPrefixOfAFileEndsWell(void**) {
  const std::string text =
      "restrict default kod limited nomodify # all\nserver -4 \"h\" key 5 minpoll 4\n"
      "trustedkey 1 (4 ... 9)\nsetvar a = \"b c\" default\nfudge 127.127.1.0 stratum 3\n";
  for (size_t size = 0; size <= text.size(); ++size) {
    const Parsed parsed = ParseConf(text.substr(0, size));
    assert_true(parsed.diagnostics.size() <= 1);
    assert_true(parsed.config.restrictions.size() <= 1);
  }
}

// What the DNS cannot be asked for would be looked up for ever.
void ANameIsNoLongerThanTheDnsCanHold(void**) {
  const std::string label(63, 'a');
  const std::string name = label + "." + label + "." + label + "." + std::string(61, 'b');
  for (const std::string& good : {label, label + ".", name, name + "."})
    assert_int_equal(ParseConf("server " + good).diagnostics.size(), 0);
  for (const std::string& bad : {label + "a", "h." + label + "a.", name + "b", name + "b."}) {
    const Parsed parsed = ParseConf("server " + bad);
    assert_int_equal(Count(parsed, Severity::kError), 1);
    assert_int_equal(parsed.diagnostics[0].column, 8);
    assert_true(parsed.config.associations.empty());
  }
}

void NamesTheLineOfEachOfTwoNeighbours(void**) {
  const Parsed parsed = ParseConf("foo\nbar\nserver h zap\n");
  assert_int_equal(Count(parsed, Severity::kError), 3);
  for (uint32_t i = 0; i < 3; ++i) assert_int_equal(parsed.diagnostics[i].line, i + 1);
}

}  // namespace
}  // namespace ntpward::config

int main() {
  using namespace ntpward::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NamesThePlaceAndWhatWasExpected),
      cmocka_unit_test(RefusesTheStartOnlyForWhatProtects),
      cmocka_unit_test(DropsTheWholeLine),
      cmocka_unit_test(NeverAppliesTheGoodBeginningOfABadLine),
      cmocka_unit_test(EveryPrefixOfAFileEndsWell),
      cmocka_unit_test(ANameIsNoLongerThanTheDnsCanHold),
      cmocka_unit_test(NamesTheLineOfEachOfTwoNeighbours),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
