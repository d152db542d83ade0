// A role's side of its channel to the supervisor: log lines, readiness, accusations.
#pragma once

#include <string_view>

#include "privsep/base/log.h"
#include "privsep/channel.h"
#include "privsep/msg/role.h"

namespace ntpward {

class SupervisorLink : public Logger {
 public:
  // `channel` must outlive this object.
  explicit SupervisorLink(Channel* channel) : channel_(channel) {}

  // Longer lines are cut to what a LogLine holds.
  void Log(LogLevel level, std::string_view line) override;
  // The same for a line of the audit trail: longer ones are cut to msg::kLongestAudit.
  void Audit(LogLevel level, std::string_view line);
  void Ready(std::string_view sandbox);
  void Failed(std::string_view text);
  // `bytes` came from `culprit` and could not be accepted; nothing of it was applied.
  void Accuse(msg::Role culprit, Bytes bytes);
  // True when `bytes` is the supervisor's question whether we live, which is then answered.
  bool AnswersLiveness(Bytes bytes);

  Channel& channel() { return *channel_; }

 private:
  Channel* channel_;
};

// CLOCK_MONOTONIC, as every role measures intervals.
MonoTime MonotonicNow();
// CLOCK_REALTIME.
NtpTimestamp SystemTimeNow();

}  // namespace ntpward
