// The Autokey password ends up in one Secret and nowhere else.
#include "ntpd/config/config.h"
#include "ntpd/config/render.h"
#include "ntpd/config/validate.h"
#include "tests/config/support.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::config {
namespace {

constexpr std::string_view kPassword = "Sesame0pen";

std::string PasswordOf(const Config& config) {
  return std::string(AsText(config.authentication.crypto.password.bytes()));
}

// Every text of the Config (Render writes each of them) and every message.
bool Leaks(Parsed& parsed) {
  bool found = Says(parsed, kPassword);
  for (const Diagnostic& d : Validate(parsed.config))
    found = found || d.text.find(kPassword) != std::string::npos;
  found = found || Render(parsed.config).find(kPassword) != std::string::npos;
  for (const std::string& file : parsed.config.files)
    found = found || file.find(kPassword) != std::string::npos;
  return found;
}

void TakesThePasswordAsItIsWritten(void**) {
  assert_string_equal(PasswordOf(ParseConf("crypto pw a=b,(c)|{d};").config).c_str(),
                      "a=b,(c)|{d};");
  assert_string_equal(PasswordOf(ParseConf("crypto host h pw \"two words # here\"").config).c_str(),
                      "two words # here");
  assert_string_equal(PasswordOf(ParseConf("crypto pw p\xc3\xa4ss").config).c_str(), "p\xc3\xa4ss");
}

void KeepsThePasswordOfAnEarlierLine(void**) {
  const Parsed parsed = ParseConf("crypto pw one\ncrypto host h\ncrypto\n");
  assert_string_equal(PasswordOf(parsed.config).c_str(), "one");
  assert_string_equal(parsed.config.authentication.crypto.host.value.c_str(), "h");
  const Parsed twice = ParseConf("crypto pw one\ncrypto pw two\n");
  assert_string_equal(PasswordOf(twice.config).c_str(), "two");
  assert_true(Says(twice, "2:11: warning: an earlier line gave a password"));
}

void NeverShowsIt(void**) {
  for (const char* before :
       {"crypto pw ", "crypto host h pw ", "crypto pw \"", "crypto pw x ", "crypto ", "crypto pww ",
        "crypto digest MD5 ", "cyrpto pw ", "CRYPTO PW ", "crypto PW ", "pw ", "crypt pw ",
        "crypto pwd ", "crypto revoke ", "crypto identity ", "crypto password ",
        "keys f crypto pw ", "crypto pw \x01 ", "crypto pw a\""}) {
    for (const char* after : {"", " ", "\"", " more", "#more", "\x01", " crypto", "\r"}) {
      Parsed parsed =
          LoadConf(std::string(before) + std::string(kPassword) + after + "\nserver h autokey\n");
      if (Leaks(parsed))
        print_error("%s...%s\n%s%s", before, after, Shown(parsed).c_str(),
                    Render(parsed.config).c_str());
      assert_false(Leaks(parsed));
    }
  }
}

void NeverShowsWhatFollowsALineBrokenInTwo(void**) {
  for (const char* before : {"crypto pw \\\n", "crypto pw\n", "crypto pw \\\r\n  "}) {
    Parsed parsed = ParseConf(before + std::string(kPassword) + "\n");
    assert_true(Says(parsed, "2:"));
    assert_false(parsed.usable(ParsePolicy::kStartup));
    assert_true(parsed.config.authentication.crypto.password.empty());
    assert_false(Leaks(parsed));
  }
}

// RHEL's file /etc/ntp/crypto/pw is for a `crypto pw` line; somebody puts just the password there.
void NeverShowsABarePasswordInAnIncludedFile(void**) {
  MemoryFiles files;
  files.Add("main", "includefile pw\n");
  files.Add("pw", std::string(kPassword) + "\n");
  Parsed parsed = ParseFile("main", files, ParsePolicy::kStartup);
  assert_true(Says(parsed, "pw:1:1: error: unknown directive: expected a directive of ntp.conf"));
  assert_false(Leaks(parsed));
}

void AcceptsAPasswordFileInstead(void**) {
  const Parsed parsed = LoadConf("crypto pwfile /run/credentials/ntpd/pw seedfile /var/lib/s\n");
  assert_true(parsed.usable(ParsePolicy::kStrict));
  const Crypto& crypto = parsed.config.authentication.crypto;
  assert_string_equal(crypto.password_file.value.c_str(), "/run/credentials/ntpd/pw");
  assert_string_equal(crypto.seedfile.value.c_str(), "/var/lib/s");
  assert_true(crypto.password.empty());
  const Parsed both = LoadConf("crypto pw x pwfile y\n");
  assert_false(both.usable(ParsePolicy::kStartup));
  assert_true(Says(both, "1:20: error: both pw and pwfile are given"));
}

}  // namespace
}  // namespace ntpward::config

int main() {
  using namespace ntpward::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TakesThePasswordAsItIsWritten),
      cmocka_unit_test(KeepsThePasswordOfAnEarlierLine),
      cmocka_unit_test(NeverShowsIt),
      cmocka_unit_test(NeverShowsWhatFollowsALineBrokenInTwo),
      cmocka_unit_test(NeverShowsABarePasswordInAnIncludedFile),
      cmocka_unit_test(AcceptsAPasswordFileInstead),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
