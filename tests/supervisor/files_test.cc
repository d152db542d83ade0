// State files and the configuration on disk: nothing half written, no link followed, no FIFO waited
// for.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "ntpd/supervisor/file_source.h"
#include "ntpd/supervisor/state_file.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;
using namespace ntpward::test;

void ReplacesWholeAndLeavesTheOldOnFailure(void** state) {
  const std::string path = In(state).At("file");
  assert_true(ReplaceFile(path, "one\n", 0640).ok());
  assert_string_equal(Get(path).c_str(), "one\n");
  assert_int_equal(ModeOf(path), 0640);
  // What a crash left behind does not stop it.
  Put(path + ".new", "half");
  assert_true(ReplaceFile(path, "two\n", 0644).ok());
  // A directory in the way does, and the old contents stay.
  fs::create_directories(path + ".new/x");
  assert_false(ReplaceFile(path, "three\n", 0644).ok());
  assert_string_equal(Get(path).c_str(), "two\n");
  assert_false(ReplaceFile(In(state).At("none/file"), "x", 0644).ok());
}

void DriftSurvivesARoundAndRefusesNonsense(void** state) {
  const std::string path = In(state).At("drift");
  auto none = ReadDrift(path);
  assert_true(none.ok() && !none->has_value());
  assert_true(WriteDrift(path, Ppm{-12.3456}).ok());
  assert_string_equal(Get(path).c_str(), "-12.346\n");
  assert_true(ReadDrift(path)->value().value == -12.346);
  for (const char* text : {"", "x", "nan", "inf", "501", "-500.1", "1e9", "12 x"}) {
    Put(path, text);
    assert_false(ReadDrift(path).ok());
  }
  fs::remove(path);
  assert_int_equal(mkfifo(path.c_str(), 0600), 0);
  assert_false(ReadDrift(path).ok());
}

void PidFileIsNeverALink(void** state) {
  const std::string path = In(state).At("pid");
  const std::string victim = In(state).At("victim");
  Put(victim, "precious");
  fs::create_symlink(victim, path);
  assert_false(WritePidFile(path).ok());
  assert_string_equal(Get(victim).c_str(), "precious");
  fs::remove(path);
  Put(path, "99999\n");
  assert_true(WritePidFile(path).ok());
  assert_string_equal(Get(path).c_str(), (std::to_string(getpid()) + "\n").c_str());
}

// A FIFO would hold up the start, and a reload for ever.
void AConfigurationIsARegularFile(void** state) {
  const ScratchDirectory& directory = In(state);
  DiskFiles files;
  Put(directory.At("ntp.conf"), "server 192.0.2.1\n");
  const auto text = files.Read(directory.At("ntp.conf"));
  assert_true(text.ok());
  assert_true(AsText(text->bytes()) == "server 192.0.2.1\n");
  CHECK(mkfifo(directory.At("fifo").c_str(), 0600) == 0);
  assert_string_equal(files.Read(directory.At("fifo")).error().text.c_str(), "is no regular file");
  assert_true(files.Read("/dev/null")->empty());
  assert_string_equal(files.Read("/dev/zero").error().text.c_str(), "is no regular file");
  assert_string_equal(files.Read(directory.path).error().text.c_str(), "is a directory");
  assert_false(files.Read(directory.At("absent")).ok());
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      IN_A_DIRECTORY(ReplacesWholeAndLeavesTheOldOnFailure),
      IN_A_DIRECTORY(DriftSurvivesARoundAndRefusesNonsense),
      IN_A_DIRECTORY(PidFileIsNeverALink),
      IN_A_DIRECTORY(AConfigurationIsARegularFile),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
