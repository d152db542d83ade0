// A configuration whose files would be written over one another is refused.
#include "ntpd/supervisor/file_conflicts.h"

#include <unistd.h>

#include "tests/support/cmocka_cc.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::supervisor {
namespace {

using namespace ntpward::test;

void FilesOfTheirOwnDoNotConflict(void** state) {
  config::Config config;
  config.authentication.keys_dir.value = In(state).path;
  config.files = {In(state).At("ntp.conf")};
  config.output.logfile.value = In(state).At("log");
  config.output.driftfile.value = In(state).At("drift");
  config.output.pidfile.value = In(state).At("pid");
  config.output.statsdir.value = In(state).path + "/";
  for (config::Filegen& filegen : config.output.statistics) {
    filegen.enabled = true;
    filegen.file = "statistics";
  }
  assert_int_equal(FindFileConflicts(config, {}).size(), 0);
  // Nothing is lost there.
  config.output.logfile.value = config.output.driftfile.value = "/dev/null";
  assert_int_equal(FindFileConflicts(config, {}).size(), 0);
}

void NoKeyIsWrittenOver(void** state) {
  config::Config config;
  config.authentication.keys_dir.value = In(state).path;
  Put(In(state).At("ntpkey_RSAhost_h.4000000000"), "key");
  CHECK(symlink("ntpkey_RSAhost_h.4000000000", In(state).At("link").c_str()) == 0);
  for (const char* name : {"ntpkey_RSAhost_h.4000000000", "ntpkey_cert_h", "link", "./link"}) {
    config.output.pidfile.Set(In(state).At(name), {0, 5, 9});
    const auto problems = FindFileConflicts(config, {});
    assert_int_equal(problems.size(), 1);
    assert_true(problems[0].refuses_start && problems[0].where.line == 5);
  }
  config.authentication.keys_dir.value = In(state).At("others");
  assert_int_equal(FindFileConflicts(config, {}).size(), 0);
}

void WhatIsReadIsNotWritten(void** state) {
  Put(In(state).At("file"), "");
  const std::string file = In(state).At("file");
  config::Config config;
  config.output.driftfile.value = file;
  const auto refused = [&config] { return FindFileConflicts(config, {}).size() == 1; };
  assert_false(refused());
  config.authentication.keys_file.value = file;
  assert_true(refused());
  config.authentication.keys_file.value.clear();
  config.files = {file};
  assert_true(refused());
  config.files.clear();
  config.output.leapfile.value = file;
  assert_true(refused());
  config.output.leapfile.value.clear();
  config.authentication.crypto.where = {0, 1, 1};
  config.authentication.crypto.seedfile.value = file;
  assert_true(refused());
}

void NoTwoAreTheSame(void** state) {
  const std::string file = In(state).At("file");
  config::Config config;
  config.output.logfile.value = file;
  config.output.pidfile.value = In(state).At("./file");
  assert_int_equal(FindFileConflicts(config, {}).size(), 1);
  Options options;
  options.pid_file = In(state).At("pid");
  assert_int_equal(FindFileConflicts(config, options).size(), 0);
  options.drift_file = file;
  const auto problems = FindFileConflicts(config, options);
  assert_int_equal(problems.size(), 1);
  assert_false(problems[0].where.known());
  assert_true(problems[0].text.starts_with("drift file " + file + ": is the file of the log file"));
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      IN_A_DIRECTORY(FilesOfTheirOwnDoNotConflict),
      IN_A_DIRECTORY(NoKeyIsWrittenOver),
      IN_A_DIRECTORY(WhatIsReadIsNotWritten),
      IN_A_DIRECTORY(NoTwoAreTheSame),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
