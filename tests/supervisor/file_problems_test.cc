// What --check-config and the start say of the files that a configuration names.
#include "ntpd/supervisor/file_problems.h"

#include <sys/stat.h>

#include "tests/support/cmocka_cc.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::supervisor {
namespace {

using namespace ntpward::test;

std::string FileOfMode(const std::string& path, mode_t mode) {
  Put(path, "crypto pw made-for-tests\n");
  CHECK(chmod(path.c_str(), mode) == 0);
  return path;
}

void GoodFilesAreNoProblem(void** state) {
  config::Config config;
  config.files = {FileOfMode(In(state).At("ntp.conf"), 0600)};
  config.authentication.crypto.password_where = {0, 1, 1};
  config.output.logfile.value = In(state).At("log");
  config.output.driftfile.value = In(state).At("drift");
  assert_int_equal(FindFileProblems(config, {}).size(), 0);
  assert_int_equal(FindFileProblems({}, {}).size(), 0);
}

void AMissingLogDirectoryRefusesTheStart(void** state) {
  config::Config config;
  config.output.logfile.value = In(state).At("none/log");
  const auto problems = FindFileProblems(config, {});
  assert_int_equal(problems.size(), 1);
  assert_true(problems[0].refuses_start);
  assert_string_equal(problems[0].text.c_str(), ("log file " + In(state).At("none/log") +
                                                 ": there is no directory " + In(state).At("none"))
                                                    .c_str());
}

void AnOptionTakesThePlaceOfItsLine(void** state) {
  config::Config config;
  config.output.logfile.value = In(state).At("none/log");
  Options options;
  options.log_file = In(state).At("log");
  assert_int_equal(FindFileProblems(config, options).size(), 0);
}

void OtherMissingDirectoriesAreToldOnceEach(void** state) {
  config::Config config;
  config.output.driftfile.value = In(state).At("lost/drift");
  config.output.statsdir.value = In(state).At("stats/");
  for (config::Filegen& filegen : config.output.statistics) filegen.enabled = true;
  const auto problems = FindFileProblems(config, {});
  assert_int_equal(problems.size(), 2);
  assert_false(problems[0].refuses_start || problems[1].refuses_start);
}

void PasswordsThatEverybodyCanReadAreTold(void** state) {
  config::Config config;
  config.files = {FileOfMode(In(state).At("ntp.conf"), 0600),
                  FileOfMode(In(state).At("included"), 0644)};
  config.authentication.crypto.password_where = {1, 1, 1};
  config.authentication.crypto.password_file.value = FileOfMode(In(state).At("pw"), 0604);
  const auto problems = FindFileProblems(config, {});
  assert_int_equal(problems.size(), 2);
  assert_true(problems[0].text.starts_with(In(state).At("included") + ": everybody can read it"));
  assert_true(problems[1].text.starts_with(In(state).At("pw") + ": everybody can read it"));
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      IN_A_DIRECTORY(GoodFilesAreNoProblem),
      IN_A_DIRECTORY(AMissingLogDirectoryRefusesTheStart),
      IN_A_DIRECTORY(AnOptionTakesThePlaceOfItsLine),
      IN_A_DIRECTORY(OtherMissingDirectoriesAreToldOnceEach),
      IN_A_DIRECTORY(PasswordsThatEverybodyCanReadAreTold),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
