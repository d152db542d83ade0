// What the operator reads: events in the log and protostats, and the statistics lines.
//
// Formats are those of ntpd 4.2.8, because scripts parse them.
#pragma once

#include <string>
#include <string_view>

#include "ntpd/core/engine.h"
#include "ntpd/net/timebase.h"
#include "privsep/msg/control.h"
#include "privsep/supervisor_link.h"

namespace ntpward::net {

class Reporter {
 public:
  // All must outlive this object.
  Reporter(SupervisorLink* link, const Timebase* time) : link_(link), time_(time) {}

  void Log(LogLevel level, std::string_view line) { link_->Log(level, line); }

  // "0.0.0.0 c016 06 restart"; for associations the address and the code with 0x80 added.
  void Event(const core::EngineEvent& event, const std::string& address);
  // "OFFSET FREQUENCY JITTER WANDER POLL".
  void LoopStatistics(const core::Engine& engine);
  // "ADDRESS STATUS OFFSET DELAY DISPERSION JITTER".
  void PeerStatistics(const core::PeerSnapshot& peer, const std::string& address);
  // "ADDRESS TEXT"; 0.0.0.0 for the host itself.
  void CryptoStatistics(const std::string& address, std::string_view text);

 private:
  void Write(msg::StatisticsFile file, std::string_view line);

  SupervisorLink* link_;
  const Timebase* time_;
};

}  // namespace ntpward::net
