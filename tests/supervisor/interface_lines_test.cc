// What the interface lines and -I say of an address of this host.
#include "ntpd/supervisor/listen_sockets.h"
#include "ntpd/supervisor/translate.h"
#include "tests/supervisor/parsed_config.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/kept_lines.h"

namespace ntpward::supervisor {
namespace {

using namespace ntpward::supervisor::test;
using ntpward::test::KeptLines;
using enum config::InterfaceAction;

const InterfaceAddress kEthernet{"eth0", IpAddress::V4(192, 0, 2, 1)};
const InterfaceAddress kSix{"eth0", *IpAddress::Parse("2001:db8::1")};
const InterfaceAddress kLoopback{"lo", IpAddress::V4(127, 0, 0, 1)};

// What `lines` of ntp.conf do with an address.
config::InterfaceAction ActionOf(const InterfaceAddress& address, const std::string& lines,
                                 const Options& options = {}) {
  return ActionFor(address, Parse(lines).system, options);
}

void AnInterfaceIsNamedByTheFileOrByAnOption(void**) {
  Options options;
  options.interfaces = {"eth0"};
  KeptLines log;
  assert_true(Translate(Parse("server 192.0.2.1\n"), options, &log).errors.empty());
  const auto errors =
      Translate(Parse("server 192.0.2.1\ninterface listen lo\n"), options, &log).errors;
  assert_int_equal(errors.size(), 1);
  assert_true(errors[0].fatal_at_start);
  assert_int_equal(errors[0].line, 2);
  assert_string_equal(errors[0].text.c_str(),
                      "not together with the option -I: expected one of the two");
}

void TheLastMatchingLineDecides(void**) {
  const std::string rules = "interface ignore all\ninterface listen eth0\ninterface drop ipv6\n";
  assert_true(ActionOf(kEthernet, rules) == kListen);
  assert_true(ActionOf(kSix, rules) == kDrop);
}

void LoopbackStaysUnlessALineNamesIt(void**) {
  assert_true(ActionOf(kLoopback, "interface ignore all\n") == kListen);
  assert_true(ActionOf(kLoopback, "interface ignore all\ninterface ignore lo\n") == kIgnore);
  const std::string network = "interface ignore 192.0.2.0/24\n";
  assert_true(ActionOf(kEthernet, network) == kIgnore);
  assert_true(ActionOf(kLoopback, network) == kListen);
}

void WhatNoLineNamesIsLeftAloneOnceThereIsOne(void**) {
  for (const char* line :
       {"interface listen lo\n", "interface ignore wildcard\n", "interface drop 198.51.100.0/24\n",
        "nic listen eth1\n", "interface ignore wildcard\ninterface listen eth1\n"}) {
    assert_true(ActionOf(kEthernet, line) == kIgnore);
    assert_true(ActionOf(kSix, line) == kIgnore);
    assert_true(ActionOf(kLoopback, line) == kListen);
  }
}

// What is sent to an address without a socket of its own comes to the wildcard.
void TheWildcardStandsForWhatNoLineNames(void**) {
  const std::string any = "interface listen wildcard\ninterface ignore ipv6\n";
  assert_true(ActionOf(kEthernet, any) == kListen);
  assert_true(ActionOf(kSix, any) == kIgnore);
  assert_true(ActionOf(kEthernet, "interface ignore all\ninterface listen wildcard\n") == kListen);
  // What is named is not taken back.
  assert_true(ActionOf(kEthernet, "interface ignore eth0\ninterface listen wildcard\n") == kIgnore);
  assert_true(ActionOf(kEthernet, "interface listen wildcard\ninterface ignore wildcard\n") ==
              kIgnore);
}

// And loopback stays for ntpq.
void TheOptionNamesWhatIsListenedOn(void**) {
  Options only;
  only.interfaces = {"eth1"};
  assert_true(ActionOf(kEthernet, "", only) == kIgnore);
  assert_true(ActionOf(kLoopback, "", only) == kListen);
  only.interfaces = {"192.0.2.1", "2001:DB8:0::1"};
  assert_true(ActionOf(kEthernet, "", only) == kListen);
  assert_true(ActionOf(kSix, "", only) == kListen);
}

void NoLineBringsBackAFamilyThatAnOptionLeavesOut(void**) {
  const std::string all = "interface listen all\n";
  Options only;
  only.family = 4;
  assert_true(ActionOf(kEthernet, all, only) == kListen);
  assert_true(ActionOf(kSix, all, only) == kIgnore);
  only.family = 6;
  assert_true(ActionOf(kLoopback, all, only) == kIgnore);
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AnInterfaceIsNamedByTheFileOrByAnOption),
      cmocka_unit_test(TheLastMatchingLineDecides),
      cmocka_unit_test(LoopbackStaysUnlessALineNamesIt),
      cmocka_unit_test(WhatNoLineNamesIsLeftAloneOnceThereIsOne),
      cmocka_unit_test(TheWildcardStandsForWhatNoLineNames),
      cmocka_unit_test(TheOptionNamesWhatIsListenedOn),
      cmocka_unit_test(NoLineBringsBackAFamilyThatAnOptionLeavesOut),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
