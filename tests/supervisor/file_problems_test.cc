// What --check-config and the start say of the files that a configuration names.
#include "ntpd/supervisor/file_problems.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/cmocka_cc.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;

int SetUp(void** state) {
  char name[] = "/tmp/file-problems-test-XXXXXX";
  if (mkdtemp(name) == nullptr) return 1;
  *state = new std::string(name);
  return 0;
}

int TearDown(void** state) {
  const auto* directory = static_cast<std::string*>(*state);
  std::error_code ignored;
  fs::remove_all(*directory, ignored);
  delete directory;
  return 0;
}

const std::string& In(void** state) { return *static_cast<std::string*>(*state); }

std::string FileOfMode(const std::string& path, mode_t mode) {
  std::ofstream(path) << "crypto pw made-for-tests\n";
  CHECK(chmod(path.c_str(), mode) == 0);
  return path;
}

void GoodFilesAreNoProblem(void** state) {
  config::Config config;
  config.files = {FileOfMode(In(state) + "/ntp.conf", 0600)};
  config.authentication.crypto.password_where = {0, 1, 1};
  config.output.logfile.value = In(state) + "/log";
  config.output.driftfile.value = In(state) + "/drift";
  assert_int_equal(FindFileProblems(config, {}).size(), 0);
  assert_int_equal(FindFileProblems({}, {}).size(), 0);
}

void AMissingLogDirectoryRefusesTheStart(void** state) {
  config::Config config;
  config.output.logfile.value = In(state) + "/none/log";
  const auto problems = FindFileProblems(config, {});
  assert_int_equal(problems.size(), 1);
  assert_true(problems[0].refuses_start);
  assert_string_equal(
      problems[0].text.c_str(),
      ("log file " + In(state) + "/none/log: there is no directory " + In(state) + "/none")
          .c_str());
}

void AnOptionTakesThePlaceOfItsLine(void** state) {
  config::Config config;
  config.output.logfile.value = In(state) + "/none/log";
  Options options;
  options.log_file = In(state) + "/log";
  assert_int_equal(FindFileProblems(config, options).size(), 0);
}

void OtherMissingDirectoriesAreToldOnceEach(void** state) {
  config::Config config;
  config.output.driftfile.value = In(state) + "/lost/drift";
  config.output.statsdir.value = In(state) + "/stats/";
  for (config::Filegen& filegen : config.output.statistics) filegen.enabled = true;
  const auto problems = FindFileProblems(config, {});
  assert_int_equal(problems.size(), 2);
  assert_false(problems[0].refuses_start || problems[1].refuses_start);
}

void PasswordsThatEverybodyCanReadAreTold(void** state) {
  config::Config config;
  config.files = {FileOfMode(In(state) + "/ntp.conf", 0600),
                  FileOfMode(In(state) + "/included", 0644)};
  config.authentication.crypto.password_where = {1, 1, 1};
  config.authentication.crypto.password_file.value = FileOfMode(In(state) + "/pw", 0604);
  const auto problems = FindFileProblems(config, {});
  assert_int_equal(problems.size(), 2);
  assert_true(problems[0].text.starts_with(In(state) + "/included: everybody can read it"));
  assert_true(problems[1].text.starts_with(In(state) + "/pw: everybody can read it"));
}

}  // namespace
}  // namespace ntpward::supervisor

#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, SetUp, TearDown)

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
