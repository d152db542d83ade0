// Included files: where their lines are said to be, how deep they nest, and who may not include.
#include "ntpd/config/config.h"
#include "tests/config/support.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::config {
namespace {

void ReadsAnIncludedFileInItsPlace(void**) {
  MemoryFiles files;
  files.Add("main", "server a\nincludefile \"sub\"\nserver c\n");
  files.Add("sub", "server b\nend\nserver never\n");
  const Parsed parsed = ParseFile("main", files, ParsePolicy::kStrict);
  assert_int_equal(parsed.config.associations.size(), 3);
  assert_string_equal(parsed.config.associations[1].host.c_str(), "b");
  assert_string_equal(
      std::string(parsed.config.FileOf(parsed.config.associations[1].where)).c_str(), "sub");
  assert_string_equal(
      std::string(parsed.config.FileOf(parsed.config.associations[2].where)).c_str(), "main");
  assert_int_equal(parsed.config.associations[2].where.line, 3);
}

void NamesTheIncludedFileInMessages(void**) {
  MemoryFiles files;
  files.Add("main", "includefile sub\nfoo\n");
  files.Add("sub", "\ntos maxclock x\n");
  const Parsed parsed = ParseFile("main", files, ParsePolicy::kStrict);
  assert_true(Says(parsed, "sub:2:14: error: 'x' is no whole number"));
  assert_true(Says(parsed, "main:2:1: error: unknown directive 'foo'"));
}

void RefusesAFileThatIncludesItself(void**) {
  MemoryFiles files;
  files.Add("main", "includefile sub\nserver h\n");
  files.Add("sub", "includefile main\nincludefile sub\n");
  const Parsed parsed = ParseFile("main", files, ParsePolicy::kStartup);
  assert_int_equal(files.reads(), 2);
  assert_true(Says(parsed, "sub:1:13: error: the file includes itself"));
  assert_true(Says(parsed, "sub:2:13: error: the file includes itself"));
  assert_int_equal(parsed.config.associations.size(), 1);
}

void NestsFiveDeepAndNoDeeper(void**) {
  MemoryFiles files;
  for (int i = 0; i < 8; ++i)
    files.Add("f" + std::to_string(i),
              "server s" + std::to_string(i) + "\nincludefile f" + std::to_string(i + 1) + "\n");
  const Parsed parsed = ParseFile("f0", files, ParsePolicy::kStartup);
  assert_int_equal(parsed.config.associations.size(), 6);
  assert_true(Says(parsed, "f5:2:13: error: files are nested too deeply: expected at most 5"));
}

void MayIncludeTheSameFileTwiceInARow(void**) {
  MemoryFiles files;
  files.Add("main", "includefile sub\nincludefile sub\n");
  files.Add("sub", "restrict 10.0.0.1\n");
  const Parsed parsed = ParseFile("main", files, ParsePolicy::kStrict);
  assert_int_equal(parsed.config.restrictions.size(), 2);
  assert_int_equal(parsed.diagnostics.size(), 0);
}

void RefusesTheStartWithoutTheMainFile(void**) {
  MemoryFiles files;
  const Parsed parsed = ParseFile("none", files, ParsePolicy::kStartup);
  assert_false(parsed.usable(ParsePolicy::kStartup));
  assert_string_equal(Shown(parsed).c_str(),
                      "none: error: cannot be read: No such file or directory\n");
}

// CVE-2015-5196, CVE-2015-7703, CVE-2015-7850, CVE-2015-7976: files named by a remote ntpq.
void RefusesRemoteLinesThatNameFilesOrSwitchModules(void**) {
  for (const char* text :
       {"logfile /a", "pidfile /a", "driftfile /a", "saveconfigdir /a", "statsdir /a",
        "leapfile /a", "keys /a", "keysdir /a", "crypto", "crypto pw x", "includefile a",
        "filegen loopstats file a", "ntpsigndsocket /a", "enable stats", "disable mode7",
        "disable unpeer_crypto_early"}) {
    MemoryFiles files;
    files.Add("a", "server h\n");
    const Parsed parsed =
        ParseText(std::move(Secret::Copy(AsBytes(text)).value()), "", &files, ParsePolicy::kRemote);
    if (!Says(parsed, "is accepted in the configuration file only")) print_error("%s\n", text);
    assert_true(Says(parsed, "is accepted in the configuration file only"));
    assert_false(parsed.usable(ParsePolicy::kRemote));
    assert_int_equal(files.reads(), 0);
    assert_true(ParseConf(text).usable(ParsePolicy::kStartup));
  }
}

void AcceptsRemoteLinesThatAreHarmless(void**) {
  for (const char* text : {"server h key 5", "unpeer 12345", "restrict 10.0.0.0/8 noquery",
                           "disable monitor", "tos maxclock 5", "logconfig =all"}) {
    const Parsed parsed = ParseText(std::move(Secret::Copy(AsBytes(text)).value()), "", nullptr,
                                    ParsePolicy::kRemote);
    assert_true(parsed.usable(ParsePolicy::kRemote));
  }
}

}  // namespace
}  // namespace ntpward::config

int main() {
  using namespace ntpward::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ReadsAnIncludedFileInItsPlace),
      cmocka_unit_test(NamesTheIncludedFileInMessages),
      cmocka_unit_test(RefusesAFileThatIncludesItself),
      cmocka_unit_test(NestsFiveDeepAndNoDeeper),
      cmocka_unit_test(MayIncludeTheSameFileTwiceInARow),
      cmocka_unit_test(RefusesTheStartWithoutTheMainFile),
      cmocka_unit_test(RefusesRemoteLinesThatNameFilesOrSwitchModules),
      cmocka_unit_test(AcceptsRemoteLinesThatAreHarmless),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
