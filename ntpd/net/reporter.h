// What the operator reads: events in the log and protostats, and the statistics lines.
//
// Formats are those of ntpd 4.2.8, because scripts parse them. Strangers can cause lines, so that
// lines are bounded in number over time: the same pipe carries accusations and the drift. What they
// cause is bounded apart from what is ours, so that a flood of theirs hides none of ours.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ntpd/control/view.h"
#include "ntpd/core/engine.h"
#include "ntpd/net/timebase.h"
#include "ntpd/wire/packet.h"
#include "privsep/msg/control.h"
#include "privsep/supervisor_link.h"

namespace ntpward::net {

// How many lines may still be written: so many a second, with a burst.
class LineBudget {
 public:
  LineBudget(double per_second, double burst)
      : per_second_(per_second), burst_(burst), left_(burst) {}
  // True when a line may be written at `now`; it is then counted. Else it counts as lost.
  bool Take(MonoTime now);
  // Lines lost since the last call.
  uint64_t TakeLost() { return std::exchange(lost_, 0); }

 private:
  double per_second_;
  double burst_;
  double left_;
  MonoTime as_of_;
  uint64_t lost_ = 0;
};

// Who made us say it: ourselves and whom we follow, or somebody who has proved nothing.
enum class Cause : uint8_t { kOurs, kStranger };

// What may still be written of one kind, by its cause.
struct LineBudgets {
  LineBudget ours;
  LineBudget strangers;
  LineBudget& Of(Cause cause) { return cause == Cause::kOurs ? ours : strangers; }
};

// One reply for rawstats.
struct RawReply {
  IpAddress source;
  IpAddress ours;
  NtpTimestamp t1, t4;  // our own readings; a client's packet carries a nonce in place of t1
  const wire::Header& header;
};

class Reporter {
 public:
  // All must outlive this object.
  Reporter(SupervisorLink* link, const Timebase* time) : link_(link), time_(time) {}

  // Which lines of those that can be turned off are wanted: msg::LogClassBit.
  void SetLogClasses(uint8_t classes) { classes_ = classes; }
  // Dropped and counted over the budget; the next line that fits says how many.
  void Log(LogLevel level, std::string_view line, Cause cause = Cause::kOurs);
  // The same for what somebody with the control key asked for, which has a bound of its own: no
  // flood of other lines hides who changed what, and only he can fill it.
  void Audit(LogLevel level, std::string_view line);
  // A line of LogLevel::kInfo, if its class is wanted.
  void Info(msg::LogClassBit which, std::string_view line, Cause cause = Cause::kOurs);

  // "0.0.0.0 c016 06 restart"; for associations the address and the code with 0x80 added.
  void Event(const core::EngineEvent& event, const std::string& address,
             Cause cause = Cause::kOurs);
  // "OFFSET FREQUENCY JITTER WANDER POLL".
  void LoopStatistics(const core::Engine& engine);
  // "ADDRESS STATUS OFFSET DELAY DISPERSION JITTER".
  void PeerStatistics(const core::PeerSnapshot& peer, const std::string& address,
                      Cause cause = Cause::kOurs);
  // What a reply said, one whose sender had proved itself where that was asked for.
  // "SOURCE OURS T1 T2 T3 T4 LEAP VERSION MODE STRATUM POLL PRECISION DELAY DISPERSION REFID".
  void RawStatistics(const RawReply& reply, Cause cause = Cause::kOurs);
  // To be called often; once an hour it writes what was counted since the line before:
  // "SECONDS RECEIVED PROCESSED CURRENT OLD RESTRICTED BADFORMAT BADAUTH DECLINED LIMITED KOD".
  void SystemStatistics(MonoTime now, const control::PacketCounters& packets);
  // "ADDRESS TEXT"; 0.0.0.0 for the host itself. Of strangers' lines, the next one that fits
  // follows "0.0.0.0 (NUMBER lines of strangers left out)".
  void CryptoStatistics(const std::string& address, std::string_view text,
                        Cause cause = Cause::kOurs);

 private:
  static constexpr double kStrangersPerSecond = 10.0 / 60, kStrangersBurst = 100;

  void LogWithin(LineBudget* budget, LogLevel level, std::string_view line, std::string_view whose);
  // False when the line was over the budget.
  bool Write(msg::StatisticsFile file, std::string_view line, Cause cause = Cause::kOurs);
  void Send(msg::StatisticsFile file, std::string_view line);

  SupervisorLink* link_;
  uint8_t classes_ = msg::kLogEverything;
  const Timebase* time_;
  control::PacketCounters told_;  // at the last line of sysstats
  std::optional<MonoTime> told_at_;
  // A start with a dozen Autokey servers stays below these.
  LineBudgets log_{{10, 200}, {kStrangersPerSecond, kStrangersBurst}};
  LineBudget audit_{msg::kAuditPerSecond, msg::kAuditBurst};
  LineBudget debug_{10, 100};  // what nobody may be reading must not cost a warning
  // Each file has its own: a busy one costs the others nothing.
  struct FileBudgets : LineBudgets {
    FileBudgets() : LineBudgets{{50, 500}, {kStrangersPerSecond, kStrangersBurst}} {}
  };
  std::array<FileBudgets, static_cast<size_t>(msg::StatisticsFile::kLast) + 1> statistics_;
};

}  // namespace ntpward::net
