// Where the log goes, and how much of it: nothing unbounded, no FIFO waited for.
#include "ntpd/supervisor/log_sink.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "tests/support/cmocka_cc.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;
using namespace ntpward::test;

std::string NameOf(int fd) {
  struct stat file {};
  assert_int_equal(fstat(fd, &file), 0);
  return std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
}

void KnowsTheJournalByDeviceAndInode(void**) {
  std::FILE* const file = std::tmpfile();
  std::FILE* const other = std::tmpfile();
  assert_non_null(file);
  assert_non_null(other);
  const std::string name = NameOf(fileno(file));
  assert_true(IsJournal(fileno(file), name.c_str()));
  assert_false(IsJournal(fileno(other), name.c_str()));
  std::fclose(file);
  std::fclose(other);
}

void TakesNothingForTheJournalUnlessToldSo(void**) {
  assert_false(IsJournal(0, nullptr));
  assert_false(IsJournal(0, ""));
  assert_false(IsJournal(-1, "0:0"));
}

void LogMakesLinesPrintableAndBoundsEachRole(void** state) {
  const std::string path = In(state).At("log");
  LogSink log(/*terminal=*/false, /*debug=*/false);
  assert_true(log.UseFile(path).ok());
  const std::string long_line(1000, 'x');
  for (int i = 0; i < 1000; ++i)
    log.LogFromRole(msg::Role::kNet, LogLevel::kInfo, long_line, MonoTime());
  assert_true(fs::file_size(path) < 140000);
  log.LogFromRole(msg::Role::kClock, LogLevel::kWarning, "a\x1b[2J\nb", MonoTime());
  assert_true(Get(path).ends_with(": a?[2J?b\n"));
  log.LogFromRole(msg::Role::kNet, LogLevel::kInfo, "again", MonoTime::FromSeconds(60));
  assert_true(Get(path).find("lines of ntpd-net suppressed\n") != std::string::npos);
  log.Log(LogLevel::kDebug, "hidden");
  assert_true(Get(path).find("hidden") == std::string::npos);
  log.KeepDebug(true);
  log.LogFromRole(msg::Role::kNet, LogLevel::kDebug, "shown", MonoTime::FromSeconds(60));
  assert_true(Get(path).ends_with(": shown\n"));
}

// The log grows by the date and the name before each line, too, and by what is said of the rest.
void EmptyLinesAreBoundedAsOthersAre(void** state) {
  const std::string path = In(state).At("log");
  LogSink log(/*terminal=*/false, /*debug=*/false);
  CHECK(log.UseFile(path).ok());
  const auto flood = [&](int from, int to) {
    for (int i = from * 1000; i < to * 1000; ++i)
      log.LogFromRole(msg::Role::kNet, LogLevel::kNotice, "", MonoTime::FromSeconds(i / 1000.0));
    return fs::file_size(path);
  };
  const size_t burst = flood(1, 61);
  assert_true(flood(61, 121) - burst <= 60 * 4096 + 100);
  assert_true(Get(path).find(" log lines of ntpd-net suppressed\n") != std::string::npos);
}

// What ntpd-net's own bound lets through is written whole, however long each line and whatever else
// the role had to say, and no more than that.
void AuditTrailIsWrittenAsFarAsItsSenderMaySend(void** state) {
  const std::string path = In(state).At("log");
  LogSink log(/*terminal=*/false, /*debug=*/false);
  CHECK(log.UseFile(path).ok());
  const auto say = [&](msg::LogKind kind, size_t length, double seconds) {
    log.LogFromRole(msg::Role::kNet, LogLevel::kNotice, std::string(length, 'x'),
                    MonoTime::FromSeconds(seconds), kind);
  };
  const auto lines = [&](size_t length) {
    const std::string text = Get(path), line = " " + std::string(length, 'x') + "\n";
    int count = 0;
    for (size_t at = text.find(line); at != text.npos; at = text.find(line, at + 1)) ++count;
    return count;
  };
  for (int i = 0; i < 1000; ++i) say(msg::LogKind::kOrdinary, 1000, 0);
  for (int i = 0; i < 500; ++i) say(msg::LogKind::kAudit, msg::kLongestAudit, 0);
  assert_int_equal(lines(msg::kLongestAudit), 500);
  for (int i = 1; i <= 600; ++i) say(msg::LogKind::kAudit, msg::kLongestAudit, i / 10.0);
  assert_int_equal(lines(msg::kLongestAudit), 1100);
  for (int i = 0; i < 10000; ++i) say(msg::LogKind::kAudit, msg::kLongestAudit, 60);
  assert_true(lines(msg::kLongestAudit) <= 1200);
  say(msg::LogKind::kAudit, 1, 61);
  assert_true(Get(path).find(" lines under the control key of ntpd-net suppressed\n") !=
              std::string::npos);
}

void LogFileIsReopenedAndNeverADirectory(void** state) {
  const std::string path = In(state).At("log");
  LogSink log(/*terminal=*/false, /*debug=*/false);
  assert_true(log.UseFile(path).ok());
  log.Log(LogLevel::kInfo, "one");
  fs::rename(path, path + ".1");
  assert_true(log.Reopen().ok());
  log.Log(LogLevel::kInfo, "two");
  assert_true(Get(path).find("one") == std::string::npos);
  assert_true(Get(path).ends_with("two\n"));
  assert_string_equal(log.UseFile(In(state).path).error().text.c_str(),
                      ("log file " + In(state).path + ": Is a directory").c_str());
  CHECK(mkfifo(In(state).At("fifo").c_str(), 0600) == 0);
  assert_false(log.UseFile(In(state).At("fifo")).ok());
}

void LogconfigLeavesOutInformation(void** state) {
  const std::string path = In(state).At("log");
  LogSink log(/*terminal=*/false, /*debug=*/true);
  CHECK(log.UseFile(path).ok());
  log.KeepInfo(false);
  log.Log(LogLevel::kInfo, "own information");
  log.LogFromRole(msg::Role::kKeys, LogLevel::kInfo, "keys information", MonoTime());
  log.LogFromRole(msg::Role::kNet, LogLevel::kInfo, "net has chosen", MonoTime());
  log.Log(LogLevel::kNotice, "a notice");
  const std::string text = Get(path);
  assert_true(text.find("information") == std::string::npos);
  assert_true(text.find("net has chosen") != std::string::npos);
  assert_true(text.find("a notice") != std::string::npos);
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(KnowsTheJournalByDeviceAndInode),
      cmocka_unit_test(TakesNothingForTheJournalUnlessToldSo),
      IN_A_DIRECTORY(LogMakesLinesPrintableAndBoundsEachRole),
      IN_A_DIRECTORY(EmptyLinesAreBoundedAsOthersAre),
      IN_A_DIRECTORY(AuditTrailIsWrittenAsFarAsItsSenderMaySend),
      IN_A_DIRECTORY(LogFileIsReopenedAndNeverADirectory),
      IN_A_DIRECTORY(LogconfigLeavesOutInformation),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
