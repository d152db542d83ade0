// Logs, statistics and state files: what is written where.
//
// Sources: ntp.conf of ntpd 4.2.8 ("logconfig", "statistics", "filegen", ...).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ntpd/config/diagnostic.h"

namespace ntpward::config {

enum class Statistic : uint8_t {
  kLoop,
  kPeer,
  kClock,
  kRaw,
  kSys,
  kProto,
  kCrypto,
  kTiming,
};
inline constexpr size_t kStatisticCount = 8;
// "loopstats", "peerstats", ...
std::string_view StatisticName(Statistic statistic);
std::optional<Statistic> FindStatistic(std::string_view name);

// How a statistics file's name changes with time.
enum class FilegenType : uint8_t { kNone, kPid, kDay, kWeek, kMonth, kYear, kAge };
std::string_view FilegenTypeName(FilegenType type);

// One set of statistics; written only when `enabled`.
struct Filegen {
  Location where;    // of the last line that named it
  std::string file;  // appended to statsdir as text; empty: the statistic's own name
  FilegenType type = FilegenType::kDay;
  bool link = true;  // keep a link from `file` to the current file
  bool enabled = false;
};

enum class LogClass : uint8_t { kSys, kPeer, kClock, kSync };
enum class LogKind : uint8_t { kInfo, kEvents, kStatus, kStatistics };

// Which kinds of which classes are logged.
class LogMask {
 public:
  constexpr LogMask() = default;
  explicit constexpr LogMask(uint16_t bits) : bits_(bits) {}
  static constexpr uint16_t Bit(LogClass c, LogKind k) {
    return static_cast<uint16_t>(1U << (static_cast<unsigned>(c) * 4 + static_cast<unsigned>(k)));
  }
  // The bits that a word such as "syncall" ("allsync"), "allevents", "all" or "none" stands for.
  static std::optional<uint16_t> Parse(std::string_view word);
  constexpr bool Has(LogClass c, LogKind k) const { return (bits_ & Bit(c, k)) != 0; }
  constexpr uint16_t bits() const { return bits_; }
  // As one `logconfig` argument list, e.g. "=syncall +sysevents".
  std::string ToString() const;

 private:
  uint16_t bits_ = 0xf000;  // syncall, as ntpd 4.2.8
};

// Paths are as written; empty means none. statsdir and saveconfigdir are text prefixes:
// "/var/log/ntp/" needs its last slash.
struct Files {
  Setting<std::string> driftfile;
  Setting<double> nonvolatile{1e-7};  // least change of frequency that is written
  Setting<std::string> leapfile;
  Setting<bool> leapfile_check_hash{true};
  Setting<std::string> logfile;
  Setting<LogMask> logconfig;
  Setting<std::string> statsdir;
  Setting<std::string> pidfile;
  Setting<std::string> saveconfigdir;
  std::array<Filegen, kStatisticCount> statistics;  // by Statistic

  const Filegen& statistic(Statistic s) const { return statistics[static_cast<size_t>(s)]; }
};

}  // namespace ntpward::config
