// The files that operators already have load without an error.
#include "ntpd/config/config.h"
#include "ntpd/config/host.h"
#include "tests/config/support.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/vectors.h"

namespace ntpward::config {
namespace {

Parsed LoadFile(const std::string& name, ParsePolicy policy = ParsePolicy::kStrict) {
  const auto bytes = test::ReadFile("tests/config/data/" + name);
  MemoryFiles files;
  files.Add("/etc/ntp.conf", std::string(bytes.begin(), bytes.end()));
  files.Add("/etc/ntp/crypto/pw", "#crypto pw cryptopw\n");
  Parsed parsed = Load("/etc/ntp.conf", files, policy);
  if (!parsed.usable(policy)) print_error("%s", Shown(parsed).c_str());
  assert_true(parsed.usable(policy));
  return parsed;
}

void LoadsDebianNtp(void**) {
  const Parsed parsed = LoadFile("debian-ntp.conf");
  const Config& config = parsed.config;
  assert_int_equal(config.associations.size(), 4);
  assert_true(config.associations[3].kind == AssociationKind::kPool);
  assert_string_equal(config.associations[3].host.c_str(), "3.debian.pool.ntp.org");
  assert_true(config.associations[3].iburst);
  assert_int_equal(config.restrictions.size(), 5);
  assert_true(config.restrictions[0].family == Family::kIpv4);
  assert_true(config.restrictions[1].family == Family::kIpv6);
  assert_string_equal(config.restrictions[1].flags.ToString().c_str(),
                      "noquery nomodify nopeer notrap limited kod");
  assert_true(config.restrictions[4].target == RestrictTarget::kSource);
  assert_string_equal(config.output.driftfile.value.c_str(), "/var/lib/ntp/ntp.drift");
  assert_true(config.output.statistic(Statistic::kClock).enabled);
  assert_false(config.output.statistic(Statistic::kRaw).enabled);
  assert_int_equal(Count(parsed, Severity::kWarning), 0);
  assert_int_equal(Count(parsed, Severity::kNote), 1);  // no statsdir
}

void LoadsDebianNtpsec(void**) {
  const Parsed parsed = LoadFile("debian-ntpsec.conf");
  const Tos& tos = parsed.config.system.tos;
  assert_int_equal(tos.maxclock.value, 11);
  assert_int_equal(tos.minclock.value, 4);
  assert_int_equal(tos.minsane.value, 3);
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void LoadsFedora(void**) {
  const Parsed parsed = LoadFile("fedora.conf");
  assert_true(parsed.config.restrictions[0].flags.Has(RestrictFlag::kNoEpeer));
  assert_true(parsed.config.restrictions[0].family == Family::kNone);
  assert_int_equal(parsed.config.files.size(), 2);
  assert_string_equal(parsed.config.authentication.keys_file.value.c_str(), "/etc/ntp/keys");
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void LoadsRhel6(void**) {
  const Parsed parsed = LoadFile("rhel6.conf");
  assert_int_equal(parsed.config.associations.size(), 3);
  assert_true(parsed.config.restrictions[3].address == *IpAddress::Parse("::1"));
  assert_true(Says(parsed, "ntp.conf:3:1: warning: 'kod' does nothing without 'limited'"));
}

void LoadsRhel7(void**) {
  const Parsed parsed = LoadFile("rhel7.conf");
  assert_int_equal(parsed.config.associations.size(), 4);
  assert_false(parsed.config.system.switches.monitor.value);
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void LoadsFreebsd(void**) {
  const Parsed parsed = LoadFile("freebsd.conf");
  assert_string_equal(parsed.config.output.leapfile.value.c_str(),
                      "/var/db/ntpd.leap-seconds.list");
  assert_int_equal(parsed.config.system.tos.maxclock.value, 6);
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void StartsWithoutTheIncludeOfFedora(void**) {
  const auto bytes = test::ReadFile("tests/config/data/fedora.conf");
  const Parsed parsed = LoadConf(std::string(bytes.begin(), bytes.end()));
  assert_true(parsed.usable(ParsePolicy::kStartup));
  assert_false(parsed.usable(ParsePolicy::kStrict));
  assert_true(Says(parsed, "13:13: error: '/etc/ntp/crypto/pw' cannot be read: No such file"));
}

void LoadsTheGuidesServer(void**) {
  const Parsed parsed = LoadFile("guide-server.conf");
  const Config& config = parsed.config;
  const Crypto& crypto = config.authentication.crypto;
  assert_true(crypto.enabled());
  assert_true(AsText(crypto.password.bytes()) == "serverpassword");
  assert_string_equal(crypto.randfile.value.c_str(), "/dev/urandom");
  assert_string_equal(config.authentication.keys_dir.value.c_str(), "/etc/ntp/");
  assert_true(config.associations[0].is_local_clock());
  assert_int_equal(config.associations[0].minpoll.value, 4);
  assert_int_equal(*config.FudgeFor(*config.associations[0].address)->stratum, 5);
  assert_int_equal(parsed.diagnostics.size(), 0);
  // No restrict line: the built-in ones.
  assert_int_equal(config.restrictions.size(), 3);
}

void LoadsTheGuidesClient(void**) {
  const Parsed parsed = LoadFile("guide-client.conf");
  assert_true(parsed.config.associations[0].autokey);
  assert_true(parsed.config.associations[0].iburst);
  assert_true(parsed.config.associations[0].address == IpAddress::V4(10, 77, 0, 1));
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void LoadsWhatAdministratorsAdd(void**) {
  const Parsed parsed = LoadFile("appliance.conf");
  const Config& config = parsed.config;
  assert_int_equal(config.associations.size(), 7);
  assert_true(config.associations[0].prefer);
  assert_true(config.associations[1].family == Family::kIpv4);
  assert_int_equal(config.associations[2].key.value.value, 5);
  assert_true(config.system.tinker.panic.is_set() && config.system.tinker.panic.value == 0);
  assert_int_equal(config.system.interfaces.size(), 3);
  assert_true(config.system.interfaces[2].match == InterfaceMatch::kAddress);
  assert_int_equal(config.system.interfaces[2].prefix, 24);
  assert_int_equal(config.manycast_groups.size(), 2);
  assert_true(config.multicast_groups[0].address == IpAddress::V4(224, 0, 1, 1));
  for (uint32_t key : {1U, 2U, 4U, 9U, 14U, 32768U, 65535U})
    assert_true(config.authentication.IsTrusted(KeyId{key}));
  for (uint32_t key : {3U, 10U, 13U, 15U, 32767U})
    assert_false(config.authentication.IsTrusted(KeyId{key}));
  assert_int_equal(*PrefixOfMask(config.restrictions[1].mask), 16);
  assert_int_equal(*PrefixOfMask(config.restrictions[3].mask), 32);
  assert_true(config.restrictions[4].target == RestrictTarget::kHost);
  const LogMask mask = config.output.logconfig.value;
  assert_true(mask.Has(LogClass::kSync, LogKind::kStatus));
  assert_true(mask.Has(LogClass::kSys, LogKind::kEvents));
  assert_false(mask.Has(LogClass::kSync, LogKind::kInfo));
  assert_string_equal(config.system.variables[0].value.c_str(), "Hall 3");
}

}  // namespace
}  // namespace ntpward::config

int main() {
  using namespace ntpward::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(LoadsDebianNtp),
      cmocka_unit_test(LoadsDebianNtpsec),
      cmocka_unit_test(LoadsFedora),
      cmocka_unit_test(LoadsRhel6),
      cmocka_unit_test(LoadsRhel7),
      cmocka_unit_test(LoadsFreebsd),
      cmocka_unit_test(StartsWithoutTheIncludeOfFedora),
      cmocka_unit_test(LoadsTheGuidesServer),
      cmocka_unit_test(LoadsTheGuidesClient),
      cmocka_unit_test(LoadsWhatAdministratorsAdd),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
