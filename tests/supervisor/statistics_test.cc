// The statistics files: named by date, bounded, no link of a stranger followed.
#include "ntpd/supervisor/statistics.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "ntpd/supervisor/append_file.h"
#include "tests/support/cmocka_cc.h"
#include "tests/support/kept_lines.h"
#include "tests/support/scratch_directory.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;
using namespace ntpward::test;

// 2026-11-22 00:00:01.5 UTC.
constexpr NtpTimestamp kWhen =
    NtpTimestamp::FromRaw(((uint64_t{1795305601} + kUnixToNtpSeconds) << 32) | 0x80000000U);

void NamesGenerationsAsNtpdDoes(void**) {
  const auto name = [](config::FilegenType type) {
    config::Filegen filegen;
    filegen.type = type;
    return GenerationName(filegen, "/s/loopstats", kWhen, 42);
  };
  using enum config::FilegenType;
  assert_string_equal(name(kNone).c_str(), "/s/loopstats");
  assert_string_equal(name(kPid).c_str(), "/s/loopstats.#42");
  assert_string_equal(name(kDay).c_str(), "/s/loopstats.20261122");
  assert_string_equal(name(kWeek).c_str(), "/s/loopstats.2026w47");
  assert_string_equal(name(kMonth).c_str(), "/s/loopstats.202611");
  assert_string_equal(name(kYear).c_str(), "/s/loopstats.2026");
  assert_string_equal(name(kAge).c_str(), "/s/loopstats.a1795305600");
}

config::Config StatisticsConfig(const ScratchDirectory& directory) {
  config::Config config;
  config.output.statsdir.value = directory.path + "/";
  config.output.statistics[static_cast<size_t>(config::Statistic::kLoop)].enabled = true;
  return config;
}

void WritesLinesWithTheDateAndLinksTheNewest(void** state) {
  const ScratchDirectory& at = In(state);
  KeptLines log;
  Statistics statistics(&log);
  statistics.Configure(StatisticsConfig(at));
  statistics.Write(msg::StatisticsFile::kLoop, kWhen, "0.1 \x1b[2J 6", MonoTime());
  statistics.Write(msg::StatisticsFile::kPeer, kWhen, "not enabled", MonoTime());
  assert_string_equal(Get(at.At("loopstats.20261122")).c_str(), "61366 1.500 0.1 ?[2J 6\n");
  assert_string_equal(Get(at.At("loopstats")).c_str(), "61366 1.500 0.1 ?[2J 6\n");
  assert_false(fs::exists(at.At("peerstats")));
  const NtpTimestamp next = kWhen + NtpDuration::FromSeconds(86400);
  statistics.Write(msg::StatisticsFile::kLoop, next, "b", MonoTime());
  assert_string_equal(Get(at.At("loopstats")).c_str(), "61367 1.500 b\n");
  assert_true(log.all.empty());
}

// Logs may lie on another disk; but who can write to the directory must not choose the file.
void FollowsLinksOfRootAndOurselvesOnly(void**) {
  assert_true(MayFollowLinkOf(0));
  assert_true(MayFollowLinkOf(geteuid()));
  assert_false(MayFollowLinkOf(geteuid() + 1));
}

void FollowsOurOwnLinkOutOfStatsdir(void** state) {
  const ScratchDirectory& at = In(state);
  fs::create_symlink(at.At("elsewhere"), at.At("loopstats.20261122"));
  KeptLines log;
  Statistics statistics(&log);
  statistics.Configure(StatisticsConfig(at));
  statistics.Write(msg::StatisticsFile::kLoop, kWhen, "x", MonoTime());
  assert_string_equal(Get(at.At("elsewhere")).c_str(), "61366 1.500 x\n");
  assert_true(log.all.empty());
}

// Only root can make a stranger's link.
void DoesNotFollowAStrangersLink(void** state) {
  const ScratchDirectory& at = In(state);
  Put(at.At("victim"), "precious");
  fs::create_symlink(at.At("victim"), at.At("loopstats.20261122"));
  const bool strange = lchown(at.At("loopstats.20261122").c_str(), 65534, 65534) == 0;
  assert_true(strange == (geteuid() == 0));
  KeptLines log;
  Statistics statistics(&log);
  statistics.Configure(StatisticsConfig(at));
  for (int i = 0; i < 3; ++i) statistics.Write(msg::StatisticsFile::kLoop, kWhen, "x", MonoTime());
  assert_true((Get(at.At("victim")) == "precious") == strange);
  assert_int_equal(log.all.size(), strange ? 1 : 0);
}

// A site that comes from `type none`, or another daemon, has a file where the link is to be.
void KeepsAFileThatIsInTheWayOfTheLink(void** state) {
  const ScratchDirectory& at = In(state);
  Put(at.At("loopstats"), "OLD HISTORY\n");
  KeptLines log;
  Statistics statistics(&log);
  statistics.Configure(StatisticsConfig(at));
  statistics.Write(msg::StatisticsFile::kLoop, kWhen, "new", MonoTime());
  assert_string_equal(Get(at.At("loopstats")).c_str(), Get(at.At("loopstats.20261122")).c_str());
  const std::string kept = at.At("loopstats." + std::to_string(getpid()) + "C0");
  assert_string_equal(Get(kept).c_str(), "OLD HISTORY\n");
  assert_int_equal(log.all.size(), 1);
}

void BoundsWhatNetWrites(void** state) {
  const ScratchDirectory& at = In(state);
  KeptLines log;
  Statistics statistics(&log);
  statistics.Configure(StatisticsConfig(at));
  for (int i = 0; i < 20000; ++i)
    statistics.Write(msg::StatisticsFile::kLoop, kWhen, std::string(500, 'x'), MonoTime());
  assert_true(fs::file_size(at.At("loopstats.20261122")) <= (1 << 20));
  assert_int_equal(log.all.size(), 1);
  statistics.Write(msg::StatisticsFile::kLoop, kWhen, "later", MonoTime::FromSeconds(10));
  assert_true(Get(at.At("loopstats.20261122")).ends_with("later\n"));
}

// Here by a limit of the process, which is told as a full disk is.
void SaysOnceThatLinesAreLost(void** state) {
  const ScratchDirectory& at = In(state);
  KeptLines log;
  Statistics statistics(&log);
  statistics.Configure(StatisticsConfig(at));
  statistics.Write(msg::StatisticsFile::kLoop, kWhen, "first", MonoTime());
  rlimit usual{};
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
  const rlimit full{18, usual.rlim_max};
  const auto before = signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
  for (int i = 0; i < 3; ++i)
    statistics.Write(msg::StatisticsFile::kLoop, kWhen, "lost", MonoTime());
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
  signal(SIGXFSZ, before);
  assert_int_equal(log.all.size(), 1);
  statistics.Write(msg::StatisticsFile::kLoop, kWhen, "room again", MonoTime());
  assert_int_equal(log.all.size(), 1);
  const std::string text = Get(at.At("loopstats.20261122"));
  assert_string_equal(text.c_str(), "61366 1.500 first\n61366 1.500 room again\n");
}

// What strangers can fill takes nothing from what the operator measures.
void AFloodOfOneFileCostsTheOthersNothing(void** state) {
  const ScratchDirectory& at = In(state);
  KeptLines log;
  Statistics statistics(&log);
  config::Config config = StatisticsConfig(at);
  config.output.statistics[static_cast<size_t>(config::Statistic::kCrypto)].enabled = true;
  statistics.Configure(config);
  for (int i = 0; i < 2000; ++i)
    statistics.Write(msg::StatisticsFile::kCrypto, kWhen, std::string(500, 'x'), MonoTime());
  statistics.Write(msg::StatisticsFile::kLoop, kWhen, "measured", MonoTime());
  assert_true(Get(at.At("loopstats.20261122")).ends_with("measured\n"));
}

// Net names the day: a taken-over one must not fill the directory with files.
void BoundsTheFilesThatNetMakes(void** state) {
  const ScratchDirectory& at = In(state);
  KeptLines log;
  Statistics statistics(&log);
  statistics.Configure(StatisticsConfig(at));
  for (int day = 0; day < 1000; ++day)
    statistics.Write(msg::StatisticsFile::kLoop, kWhen + NtpDuration::FromSeconds(86400.0 * day),
                     "x", MonoTime());
  const auto files = std::distance(fs::directory_iterator(at.path), fs::directory_iterator());
  assert_true(files <= 65);
  assert_int_equal(log.all.size(), 1);
}

}  // namespace
}  // namespace ntpward::supervisor

int main() {
  using namespace ntpward::supervisor;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NamesGenerationsAsNtpdDoes),
      IN_A_DIRECTORY(WritesLinesWithTheDateAndLinksTheNewest),
      cmocka_unit_test(FollowsLinksOfRootAndOurselvesOnly),
      IN_A_DIRECTORY(FollowsOurOwnLinkOutOfStatsdir),
      IN_A_DIRECTORY(DoesNotFollowAStrangersLink),
      IN_A_DIRECTORY(KeepsAFileThatIsInTheWayOfTheLink),
      IN_A_DIRECTORY(BoundsWhatNetWrites),
      IN_A_DIRECTORY(SaysOnceThatLinesAreLost),
      IN_A_DIRECTORY(AFloodOfOneFileCostsTheOthersNothing),
      IN_A_DIRECTORY(BoundsTheFilesThatNetMakes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
