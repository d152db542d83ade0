// Files that SAVECONFIG makes: only new ones, only in their directory, with safe names and without
// secrets, and few, since ntpd-net may have been taken over.
#include "ntpd/supervisor/config_saver.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "tests/supervisor/parsed_config.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/kept_lines.h"
#include "tests/support/runtime_line.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;
using namespace ntpward::test;
using msg::SaveOutcome;

constexpr std::time_t kWhen = 1795304988;  // 2026-11-21 23:49:48 UTC

msg::NetSaveConfig Request(std::string_view pattern) {
  msg::NetSaveConfig request{.request = 5};
  CHECK(request.pattern.Assign(AsBytes(pattern)));
  return request;
}

config::Config Config(const std::string& directory, const std::string& more = "") {
  return test::Parse("server 192.0.2.1 iburst\nsaveconfigdir " + directory + "\n" + more);
}

struct Bench {
  msg::NetConfigSaved Save(std::string_view pattern, const config::Config& config,
                           double at = 1000) {
    const auto saved =
        saver.Save(Request(pattern), {config, lines, trust}, MonoTime::FromSeconds(at), kWhen);
    CHECK(saved.request == 5);
    return saved;
  }
  KeptChanges lines;
  KeptTrust trust;
  KeptLines log;
  ConfigSaver saver{&log};
};

std::vector<std::string> Files(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory))
    names.push_back(entry.path().filename().string());
  return names;
}

void TheConfigurationIsSavedAndCanBeReadAgain(void** state) {
  const std::string directory = In(state).At("saved");
  fs::create_directory(directory);
  Bench b;
  for (const char* end : {"", "/"}) {
    const std::string name = std::string("conf-%Y%m%d") + (*end == '\0' ? "a" : "b");
    const auto saved = b.Save(name, Config(directory + end, "restrict default noquery\n"));
    assert_true(saved.outcome == SaveOutcome::kSaved);
    assert_true(saved.name.text() == "conf-20261121" + name.substr(name.size() - 1));
  }
  const std::string path = directory + "/conf-20261121a";
  struct stat status {};
  assert_int_equal(stat(path.c_str(), &status), 0);
  assert_int_equal(status.st_mode & 07777, 0600);
  const std::string text = Get(path);
  assert_true(text.starts_with("#NTF:D 20261121@23:49:48\n#NTF:V ntpd 4.2.8 (ntpward "));
  const config::Config again = test::Parse(text);
  assert_int_equal(again.associations.size(), 1);
  assert_true(text.find("noquery") != std::string::npos);
  assert_int_equal(Files(directory).size(), 2);
}

void WhatIsThereIsNeverTouched(void** state) {
  const std::string directory = In(state).At("saved"), victim = In(state).At("victim");
  fs::create_directory(directory);
  Put(directory + "/old", "precious");
  Put(victim, "precious");
  fs::create_symlink(victim, directory + "/link");
  fs::create_symlink(In(state).At("nowhere"), directory + "/dangling");
  Bench b;
  const config::Config config = Config(directory);
  for (const char* name : {"old", "link", "dangling"}) {
    const auto saved = b.Save(name, config);
    assert_true(saved.outcome == SaveOutcome::kFailed);
    assert_true(saved.reason.text() == "File exists");
  }
  assert_string_equal(Get(directory + "/old").c_str(), "precious");
  assert_string_equal(Get(victim).c_str(), "precious");
  assert_false(fs::exists(In(state).At("nowhere")));
  // Nothing is left aside.
  assert_int_equal(Files(directory).size(), 3);
}

void OtherNamesAreRefused(void** state) {
  const std::string directory = In(state).At("saved");
  fs::create_directory(directory);
  Bench b;
  const config::Config config = Config(directory);
  for (const char* name : {"../x", "/etc/x", "a/b", ".", "..", ".hidden", "-x", "+x", "a b", "a\tb",
                           "a\nb", "%H:%M", "%%", "%n", "\xc3\xa4", "a;b", "$x", "a\\b", "*"}) {
    const auto saved = b.Save(name, config);
    assert_true(saved.outcome == SaveOutcome::kUnsafeName);
    assert_true(saved.name.text() == name);
  }
  assert_int_equal(Files(directory).size(), 0);
  assert_true(IsSafeFileName("ntp.conf-2026+1_x") && IsSafeFileName("_"));
  assert_false(IsSafeFileName("") || IsSafeFileName(std::string(241, 'x')));
  // Patterns that grow.
  std::string grows;
  for (int i = 0; i < 60; ++i) grows += "%c";
  assert_true(b.Save(grows, config).outcome == SaveOutcome::kUnsafeName);
}

void NothingIsSavedWithoutADirectory(void**) {
  Bench b;
  assert_true(b.Save("name", test::Parse("server 192.0.2.1\n")).outcome ==
              SaveOutcome::kNoDirectory);
  const auto saved = b.Save("name", Config("/nonexistent/directory/"));
  assert_true(saved.outcome == SaveOutcome::kFailed);
  assert_true(saved.reason.text() == "No such file or directory");
}

void SecretsAreLeftOut(void**) {
  const KeptChanges none;
  config::Config secret = Config("/x/", "crypto pw verysecret host h\nkeysdir /etc/ntp\n");
  for (const bool wiped : {false, true}) {  // as the supervisor has it
    if (wiped) secret.authentication.crypto.password = Secret();
    const std::string text = SavedText({secret, none, {}}, kWhen);
    assert_true(text.find("verysecret") == std::string::npos);
    assert_true(text.find("# crypto pw left out\n") != std::string::npos);
    assert_true(text.find("crypto host") != std::string::npos);
  }
  const config::Config plain = Config("/x/");
  assert_true(SavedText({plain, none, {}}, kWhen).find("left out") == std::string::npos);
}

// Whoever installs the file must not get a key back that was revoked.
void KeysAreTrustedAsTheyAreNow(void**) {
  const config::Config config = Config("/x/", "trustedkey 4 5 (10 ... 20)\n");
  msg::RuntimeTrust change;
  for (const auto& [key, trusted] : {std::pair(4, true),
                                     {5, false},
                                     {10, false},
                                     {12, false},
                                     {20, false},
                                     {7, true},
                                     {8, false}})
    assert_true(change.keys.Push({KeyId{static_cast<uint32_t>(key)}, trusted}));
  KeptTrust trust;
  assert_true(trust.Take(change));
  const config::Config saved = test::Parse(SavedText({config, {}, trust}, kWhen));
  for (uint32_t key = 1; key < 30; ++key) {
    const bool kept = key == 4 || key == 7 || key == 11 || (key >= 13 && key <= 19);
    assert_int_equal(saved.authentication.IsTrusted(KeyId{key}), kept);
  }
}

void LinesOfNtpqAreSavedToo(void**) {
  const config::Config config = Config("/x/");
  KeptChanges lines;
  assert_true(lines.Take(Line("server 192.0.2.9 iburst")));
  assert_true(lines.Take(Line("unconfig 192.0.2.1")));
  const std::string text = SavedText({config, lines, {}}, kWhen);
  assert_true(text.ends_with("\nserver 192.0.2.9 iburst\n# unconfig 192.0.2.1\n"));
  assert_int_equal(test::Parse(text).associations.size(), 2);
}

// A flood of requests fills no disk.
void FilesAreFew(void** state) {
  const std::string directory = In(state).At("saved");
  fs::create_directory(directory);
  Bench b;
  const config::Config config = Config(directory);
  for (int i = 0; i < 100; ++i) (void)b.Save("n" + std::to_string(i), config);
  assert_int_equal(Files(directory).size(), 10);
  const auto refused = b.Save("more", config);
  assert_true(refused.outcome == SaveOutcome::kFailed);
  assert_true(refused.reason.text() == "Resource temporarily unavailable");
  assert_true(b.Save("later", config, 1031).outcome == SaveOutcome::kSaved);
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  setenv("TZ", "UTC", 1);
  const CMUnitTest tests[] = {
      IN_A_DIRECTORY(TheConfigurationIsSavedAndCanBeReadAgain),
      IN_A_DIRECTORY(WhatIsThereIsNeverTouched),
      IN_A_DIRECTORY(OtherNamesAreRefused),
      cmocka_unit_test(NothingIsSavedWithoutADirectory),
      cmocka_unit_test(SecretsAreLeftOut),
      cmocka_unit_test(KeysAreTrustedAsTheyAreNow),
      cmocka_unit_test(LinesOfNtpqAreSavedToo),
      IN_A_DIRECTORY(FilesAreFew),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
