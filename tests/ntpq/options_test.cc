// The command line of ntpq, and what presets it.
#include "ntpq/options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ntpq/presets.h"
#include "ntpq/std_platform.h"
#include "tests/support/arguments.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::ntpq::test {
namespace {

Result<Options> Parse(std::vector<std::string> words) {
  words.insert(words.begin(), "ntpq");
  ntpward::test::Arguments arguments(std::move(words));
  return ParseOptions(arguments.argc(), arguments.argv());
}

void KeepsFamiliesAndHostsInOrder(void**) {
  const auto options = Parse({"-4", "a", "-6", "b", "-nwp", "-c", "as", "[::1]"});
  assert_true(options.ok());
  assert_int_equal(options->hosts.size(), 3);
  assert_true(options->hosts[0].family == Family::kIpv4);
  assert_true(options->hosts[1].family == Family::kIpv6);
  assert_string_equal(options->commands[0].c_str(), "peers");
  assert_string_equal(options->commands[1].c_str(), "as");
  assert_true(options->settings.numeric && options->settings.wide);
}

void RefusesWhatItDoesNotKnow(void**) {
  assert_string_equal(Parse({"-Z"}).error().text.c_str(), "illegal option -- Z");
  assert_string_equal(Parse({"--nosuch"}).error().text.c_str(), "illegal option -- nosuch");
  assert_string_equal(Parse({"-n", "-c"}).error().text.c_str(), "option requires an argument -- c");
  assert_false(Parse({"-r", "foo"}).ok());
  assert_false(Parse({"-a", "x"}).ok());
  assert_false(Parse({"-i", "-p"}).ok());
  assert_false(Parse(std::vector<std::string>(201, "host")).ok());
  assert_true(Parse({"-?"})->show_help);
  assert_true(Parse({"--help"})->show_help);
  assert_true(Parse({"--version"})->show_version);
}

void TakesPresetsFromTheEnvironment(void**) {
  setenv("HOME", "/nonexistent", 1);
  setenv("NTPQ_SIGNS", "1", 1);
  setenv("NTPQ_NUMERIC", "0", 1);
  setenv("NTPQ_REFID", "hash", 1);
  const auto options = Parse({});
  unsetenv("NTPQ_SIGNS");
  unsetenv("NTPQ_NUMERIC");
  unsetenv("NTPQ_REFID");
  assert_true(options->settings.signs);
  assert_false(options->settings.numeric);
  assert_true(options->settings.refid == RefidStyle::kHash);
  assert_string_equal(options->hosts[0].name.c_str(), "localhost");
  setenv("NTPQ_REFID", "nonsense", 1);
  const bool refused = !Parse({}).ok();
  unsetenv("NTPQ_REFID");
  assert_true(refused);
}

// No command, and nothing for other programs.
void TakesPresetsFromAFile(void**) {
  const auto presets = PresetsOfFile(
      "# mine\n numeric\nwide = 0\nrefid: 'hash'\ncommand = \"passwd x\"\nno-nonce\nnosuch 5\n\n"
      "[NTPD]\nsigns\n[ntpq]\nauthentication 7\n<?program sntp>\nold-rv\nkeyfile\n");
  const std::vector<std::string> expected = {"--numeric", "--refid=hash", "--authentication=7"};
  assert_true(presets == expected);
  assert_true(PresetsOfFile("").empty());
}

int MakeDirectory(void** state) {
  char name[] = "/tmp/ntpward-presets.XXXXXX";
  if (mkdtemp(name) == nullptr) return -1;
  *state = strdup(name);
  return setenv("HOME", name, 1);
}

int RemoveDirectory(void** state) {
  const std::string home = static_cast<char*>(*state);
  for (const char* file : {"/.ntprc", "/other"}) (void)unlink((home + file).c_str());
  std::free(*state);
  return rmdir(home.c_str());
}

void TakesTheUsersFileBeforeTheCommandLine(void** state) {
  const std::string home = static_cast<char*>(*state);
  StdPlatform platform;
  const auto wanted = Parse({"-n", "-r", "hash", "-a", "5", "--save-opts"});
  assert_string_equal(wanted->save_to->c_str(), (home + "/.ntprc").c_str());
  assert_true(platform.WriteFile(*wanted->save_to, PresetText(*wanted)).ok());
  const auto options = Parse({"-r", "ipv4"});
  assert_true(options->settings.numeric);
  assert_true(options->settings.refid == RefidStyle::kIpv4);
  assert_int_equal(*options->key, 5);
  assert_false(Parse({"--no-load-opts"})->settings.numeric);

  assert_true(platform.WriteFile(home + "/other", "wide\n").ok());
  assert_true(Parse({"-<", home + "/other"})->settings.wide);
  assert_true(Parse({"--load-opts=" + home + "/other"})->settings.wide);
  assert_false(Parse({"--load-opts=" + home + "/nosuch"}).ok());
  assert_true(platform.WriteFile(home + "/.ntprc", "refid nonsense\n").ok());
  assert_false(Parse({}).ok());
}

void WaitsForNobodyWhoWouldWriteTheUsersFile(void** state) {
  const std::string path = std::string(static_cast<char*>(*state)) + "/.ntprc";
  assert_int_equal(mkfifo(path.c_str(), 0600), 0);
  alarm(20);  // who waits for ever fails
  const auto refused = Parse({"-n"});
  assert_false(refused.ok());
  assert_string_equal(refused.error().text.c_str(),
                      (path + ": is no regular file; --no-load-opts goes without it").c_str());
  assert_true(Parse({"--no-load-opts", "-n"})->settings.numeric);
  assert_int_equal(unlink(path.c_str()), 0);
  assert_int_equal(symlink("/dev/null", path.c_str()), 0);
  assert_true(Parse({"-n"})->settings.numeric);
  alarm(0);
}

}  // namespace
}  // namespace ntpward::ntpq::test

int main() {
  using namespace ntpward::ntpq::test;
  const CMUnitTest tests[] = {
      cmocka_unit_test(KeepsFamiliesAndHostsInOrder),
      cmocka_unit_test(RefusesWhatItDoesNotKnow),
      cmocka_unit_test(TakesPresetsFromTheEnvironment),
      cmocka_unit_test(TakesPresetsFromAFile),
      cmocka_unit_test_setup_teardown(TakesTheUsersFileBeforeTheCommandLine, MakeDirectory,
                                      RemoveDirectory),
      cmocka_unit_test_setup_teardown(WaitsForNobodyWhoWouldWriteTheUsersFile, MakeDirectory,
                                      RemoveDirectory),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
