// What --check-config and the start say of the files that a configuration names.
#include "ntpd/supervisor/file_problems.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

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
  // What is no file at all is not mended by its mode.
  config.authentication.crypto.password_file.value = In(state).At("fifo");
  assert_int_equal(mkfifo(In(state).At("fifo").c_str(), 0644), 0);
  assert_int_equal(FindFileProblems(config, {}).size(), 1);
}

config::Config Naming(const std::string& log, const std::string& drift, const std::string& pid) {
  config::Config config;
  config.output.logfile.Set(log, {0, 3, 9});
  config.output.driftfile.Set(drift, {0, 4, 11});
  config.output.pidfile.Set(pid, {0, 5, 9});
  return config;
}

void EachProblemHasThePlaceOfItsLine(void** state) {
  const std::string lost = In(state).At("none/log");
  const auto problems = FindFileProblems(Naming(lost, "", ""), {});
  assert_int_equal(problems.size(), 1);
  assert_int_equal(problems[0].where.line, 3);
  assert_int_equal(problems[0].where.column, 9);
  Options options;
  options.log_file = lost;
  assert_false(FindFileProblems({}, options)[0].where.known());
}

void FilesThatCanBeWrittenAreUsable(void** state) {
  const std::string log = In(state).At("log");
  const std::string link = In(state).At("link");
  CHECK(symlink(log.c_str(), link.c_str()) == 0);
  // A link that leads to no file yet is followed, and the file is made.
  for (const std::string& path : {log, link, std::string("/dev/null")})
    assert_int_equal(FindUnusableFiles(Naming(path, log, log), {}).size(), 0);
  struct stat status {};
  assert_int_not_equal(lstat(log.c_str(), &status), 0);
  Put(log, "0.000\n");
  assert_int_equal(FindUnusableFiles(Naming(link, log, log), {}).size(), 0);
  assert_string_equal(Get(log).c_str(), "0.000\n");
}

std::string TextOfLog(const std::string& path) {
  const auto problems = FindUnusableFiles(Naming(path, "", ""), {});
  assert_int_equal(problems.size(), 1);
  assert_true(problems[0].refuses_start);
  assert_int_equal(problems[0].where.line, 3);
  return problems[0].text;
}

void ALogThatCannotBeOpenedRefusesTheStart(void** state) {
  const std::string expected = "expected a log file that can be appended to: ";
  const std::string end = "; ntpd would not start";
  const std::string directory = In(state).path;
  assert_string_equal(TextOfLog(directory).c_str(),
                      (expected + directory + ": Is a directory" + end).c_str());
  const std::string fifo = In(state).At("fifo");
  CHECK(mkfifo(fifo.c_str(), 0600) == 0);
  assert_string_equal(TextOfLog(fifo).c_str(),
                      (expected + fifo + ": is no regular file" + end).c_str());
  const std::string link = In(state).At("link");
  CHECK(symlink("none/log", link.c_str()) == 0);
  assert_string_equal(TextOfLog(link).c_str(),
                      (expected + link + ": is a link to " + In(state).At("none/log") +
                       ", and there is no directory " + In(state).At("none") + end)
                          .c_str());
  const std::string loop = In(state).At("loop");
  CHECK(symlink("loop", loop.c_str()) == 0);
  assert_true(TextOfLog(loop).starts_with(expected + loop));
}

void ALogDeviceWithoutDriverRefusesTheStart(void** state) {
  const std::string device = In(state).At("device");
  // Numbers of character devices end at 511.
  if (mknod(device.c_str(), S_IFCHR | 0600, makedev(4000, 0)) != 0) skip();
  assert_string_equal(TextOfLog(device).c_str(),
                      ("expected a log file that can be appended to: " + device +
                       ": No such device or address; ntpd would not start")
                          .c_str());
}

void OtherFilesThatCannotBeWrittenAreWarnings(void** state) {
  const std::string directory = In(state).path;
  const std::string fifo = In(state).At("fifo");
  CHECK(mkfifo(fifo.c_str(), 0600) == 0);
  Put(In(state).At("words"), "many words");
  for (const std::string& path : {directory, fifo}) {
    const auto problems = FindUnusableFiles(Naming("", path, path), {});
    assert_int_equal(problems.size(), 2);
    assert_false(problems[0].refuses_start || problems[1].refuses_start);
    assert_string_equal(problems[0].text.c_str(),
                        ("expected a drift file: " + path + ": is no regular file").c_str());
    assert_int_equal(problems[0].where.line, 4);
    assert_string_equal(
        problems[1].text.c_str(),
        ("expected a pid file: " + path + ": is no regular file; not overwritten").c_str());
    assert_int_equal(problems[1].where.line, 5);
  }
  assert_int_equal(FindUnusableFiles(Naming("", In(state).At("words"), ""), {}).size(), 1);
}

std::string OnlyText(const std::vector<FileProblem>& problems) {
  assert_int_equal(problems.size(), 1);
  assert_false(problems[0].refuses_start);
  return problems[0].text;
}

void ADirectoryInTheWayOfAReplacementIsTold(void** state) {
  const std::string drift = In(state).At("drift");
  CHECK(mkdir((drift + ".new").c_str(), 0700) == 0);
  for (const auto& config : {Naming("", drift, ""), Naming("", "", drift)})
    assert_true(OnlyText(FindUnusableFiles(config, {})).ends_with("drift.new: Is a directory"));
}

void AMissingSaveDirectoryIsTold(void** state) {
  config::Config config;
  for (const char* name : {"none", "file"}) {
    Put(In(state).At("file"), "");
    config.output.saveconfigdir.value = In(state).At(name);
    assert_true(OnlyText(FindFileProblems(config, {})).find("no such directory") !=
                std::string::npos);
  }
  config.output.saveconfigdir.value = In(state).path;
  assert_int_equal(FindFileProblems(config, {}).size(), 0);
}

void KeysThatOthersMayReplaceAreTold(void** state) {
  config::Config config;
  config.authentication.keys_dir.value = In(state).path;
  CHECK(chmod(In(state).path.c_str(), 0777) == 0);
  assert_int_equal(FindFileProblems(config, {}).size(), 0);
  config.authentication.crypto.where = {0, 1, 1};
  assert_true(OnlyText(FindFileProblems(config, {})).find("chmod o-w") != std::string::npos);
  CHECK(chmod(In(state).path.c_str(), 0755) == 0);
  assert_int_equal(FindFileProblems(config, {}).size(), 0);
  if (geteuid() != 0 || chown(In(state).path.c_str(), 65534, 0) != 0) return;
  assert_true(OnlyText(FindFileProblems(config, {})).find("uid 65534") != std::string::npos);
}

void StatisticsThatCannotBeWrittenAreTold(void** state) {
  config::Config config;
  config.output.statsdir.value = In(state).path + "/";
  config::Filegen& filegen = config.output.statistics[0];
  filegen.enabled = true;
  filegen.type = config::FilegenType::kNone;
  filegen.file = "stats";
  assert_int_equal(FindUnusableFiles(config, {}).size(), 0);
  CHECK(mkfifo(In(state).At("stats").c_str(), 0600) == 0);
  assert_true(OnlyText(FindUnusableFiles(config, {})).ends_with("is no regular file"));
}

void ASeedThatCannotBeKeptIsTold(void** state) {
  config::Config config;
  config.authentication.crypto.where = {0, 1, 1};
  const auto text = [&](const std::string& path) {
    config.authentication.crypto.seedfile.value = path;
    return OnlyText(FindUnusableFiles(config, {}));
  };
  const std::string link = In(state).At("link");
  const std::string fifo = In(state).At("fifo");
  CHECK(symlink("seed", link.c_str()) == 0 && mkfifo(fifo.c_str(), 0600) == 0);
  assert_true(text(In(state).path).ends_with("Is a directory"));
  assert_true(text(link).ends_with("is a symbolic link"));
  assert_true(text(fifo).ends_with("is no regular file"));
  assert_true(text("/dev/null").ends_with("is no regular file"));
  assert_true(text(In(state).At("none/seed")).ends_with("No such file or directory"));
  config.authentication.crypto.seedfile.value = In(state).At("seed");
  assert_int_equal(FindUnusableFiles(config, {}).size(), 0);
  assert_true(access(In(state).At("seed").c_str(), F_OK) != 0);
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
      IN_A_DIRECTORY(EachProblemHasThePlaceOfItsLine),
      IN_A_DIRECTORY(FilesThatCanBeWrittenAreUsable),
      IN_A_DIRECTORY(ALogThatCannotBeOpenedRefusesTheStart),
      IN_A_DIRECTORY(ALogDeviceWithoutDriverRefusesTheStart),
      IN_A_DIRECTORY(OtherFilesThatCannotBeWrittenAreWarnings),
      IN_A_DIRECTORY(ADirectoryInTheWayOfAReplacementIsTold),
      IN_A_DIRECTORY(AMissingSaveDirectoryIsTold),
      IN_A_DIRECTORY(KeysThatOthersMayReplaceAreTold),
      IN_A_DIRECTORY(StatisticsThatCannotBeWrittenAreTold),
      IN_A_DIRECTORY(ASeedThatCannotBeKeptIsTold),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
