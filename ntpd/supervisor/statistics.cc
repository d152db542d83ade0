#include "ntpd/supervisor/statistics.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "ntpd/supervisor/append_file.h"

namespace ntpward::supervisor {
namespace {

constexpr int kMjdOfUnixEpoch = 40587;
constexpr int kMostConflicts = 100;  // files set aside by one process

config::Statistic ToConfig(msg::StatisticsFile file) {
  switch (file) {
    case msg::StatisticsFile::kLoop:
      return config::Statistic::kLoop;
    case msg::StatisticsFile::kPeer:
      return config::Statistic::kPeer;
    case msg::StatisticsFile::kClock:
      return config::Statistic::kClock;
    case msg::StatisticsFile::kRaw:
      return config::Statistic::kRaw;
    case msg::StatisticsFile::kSys:
      return config::Statistic::kSys;
    case msg::StatisticsFile::kProto:
      return config::Statistic::kProto;
    case msg::StatisticsFile::kCrypto:
      return config::Statistic::kCrypto;
  }
  return config::Statistic::kLoop;
}

// In era 0 after 1970 or era 1: the daemon does not run before it was built.
time_t UnixSeconds(NtpTimestamp when) {
  const auto seconds = static_cast<int64_t>(when.seconds()) - kUnixToNtpSeconds;
  return static_cast<time_t>(seconds < 0 ? seconds + (int64_t{1} << 32) : seconds);
}

std::string Formatted(const char* format, const tm& date) {
  char text[40];
  return std::string(text, strftime(text, sizeof text, format, &date));
}

}  // namespace

std::string GenerationName(const config::Filegen& filegen, std::string_view base, NtpTimestamp when,
                           pid_t pid) {
  const time_t seconds = UnixSeconds(when);
  tm date{};
  gmtime_r(&seconds, &date);
  std::string name(base);
  switch (filegen.type) {
    case config::FilegenType::kNone:
      return name;
    case config::FilegenType::kPid:
      return name + ".#" + std::to_string(pid);
    case config::FilegenType::kDay:
      return name + Formatted(".%Y%m%d", date);
    case config::FilegenType::kWeek:  // of ISO 8601
      return name + Formatted(".%Gw%V", date);
    case config::FilegenType::kMonth:
      return name + Formatted(".%Y%m", date);
    case config::FilegenType::kYear:
      return name + Formatted(".%Y", date);
    case config::FilegenType::kAge: {
      char age[24];
      std::snprintf(age, sizeof age, ".a%08ld", static_cast<long>(seconds / 86400 * 86400));
      return name + age;
    }
  }
  return name;
}

std::string StatisticsPath(const config::Config& config, config::Statistic which) {
  const std::string& file = config.output.statistics[static_cast<size_t>(which)].file;
  return config.output.statsdir.value + (file.empty() ? std::string(StatisticName(which)) : file);
}

void Statistics::Configure(const config::Config& config) {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const config::Statistic which = ToConfig(static_cast<msg::StatisticsFile>(i));
    Output& output = outputs_[i];
    output = Output();
    output.filegen = config.output.statistic(which);
    output.base = StatisticsPath(config, which);
    output.enabled = output.filegen.enabled && config.system.switches.stats.value;
  }
}

bool Statistics::Open(Output& output, NtpTimestamp when) {
  const std::string name = GenerationName(output.filegen, output.base, when, getpid());
  if (output.fd.valid() && name == output.current) return true;
  output.current = name;
  output.fd.Close();
  auto opened = OpenForAppending(name);
  if (!opened.ok()) {
    if (!output.failed)
      log_->Log(LogLevel::kError, "statistics: " + name + ": " + opened.error().text);
    output.failed = true;
    return false;
  }
  output.fd = std::move(opened).value();
  output.failed = false;
  if (output.filegen.link && name != output.base) Relink(output);
  return true;
}

// `base` becomes a hard link to the current generation. A link of an earlier generation goes; a
// file of its own, which somebody else has filled, is kept under another name, as ntpd 4.2.8 does.
void Statistics::Relink(const Output& output) {
  struct stat status {};
  if (lstat(output.base.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode)) return;
    if (status.st_nlink == 1 && !SetAside(output.base)) return;
    (void)unlink(output.base.c_str());
  }
  (void)!link(output.current.c_str(), output.base.c_str());
}

// True when `name` has a second name, FILE.PIDCn, that nothing had before.
bool Statistics::SetAside(const std::string& name) {
  for (int i = 0; i < kMostConflicts; ++i) {
    const std::string kept = name + "." + std::to_string(getpid()) + "C" + std::to_string(i);
    if (link(name.c_str(), kept.c_str()) == 0) {
      log_->Log(LogLevel::kNotice, "statistics: " + name + " was there: kept as " + kept);
      return true;
    }
    if (errno != EEXIST) break;
  }
  log_->Log(LogLevel::kError,
            "statistics: " + name + " was there and is left: no link to the newest");
  return false;
}

void Statistics::Write(msg::StatisticsFile file, NtpTimestamp when, std::string_view line,
                       MonoTime now) {
  Output& output = outputs_[static_cast<size_t>(file)];
  if (!output.enabled) return;
  // The date before each line counts too.
  const bool rotates =
      GenerationName(output.filegen, output.base, when, getpid()) != output.current;
  if (!output.allowance.Take(line.size() + 20, now) || (rotates && !new_files_.Take(1, now))) {
    if (!output.flooded)
      log_->Log(LogLevel::kWarning, "statistics: too many at once; some are left out");
    output.flooded = true;
    return;
  }
  output.flooded = false;
  if (!Open(output, when)) return;
  const time_t seconds = UnixSeconds(when);
  const auto milliseconds = static_cast<unsigned>((uint64_t{when.fraction()} * 1000) >> 32);
  char date[64];
  std::snprintf(date, sizeof date, "%ld %ld.%03u ",
                static_cast<long>(kMjdOfUnixEpoch + seconds / 86400),
                static_cast<long>(seconds % 86400), milliseconds);
  std::string text = date;
  for (const char c : line) text += c >= 0x20 && c < 0x7f ? c : '?';
  text += '\n';
  const ssize_t written = write(output.fd.get(), text.data(), text.size());
  const bool lost = written != static_cast<ssize_t>(text.size());
  if (lost && !output.losing)
    log_->Log(LogLevel::kError, "statistics: " + output.current + ": " +
                                    std::strerror(written < 0 ? errno : ENOSPC) +
                                    ": lines are lost until there is room");
  output.losing = lost;
}

}  // namespace ntpward::supervisor
