// Whether a role still does its work: it is asked every few seconds, and must answer.
//
// A death is noticed by itself; a process that hangs (stopped, or in an endless loop) is not.
// Questions are counted and not timed, so that a supervisor that was itself held up accuses nobody:
// the answers lie there when it wakes.
#pragma once

#include <cstdint>
#include <optional>

#include "privsep/msg/role.h"

namespace ntpward::supervisor {

class Liveness {
 public:
  static constexpr double kInterval = 5;  // seconds between questions
  // So many unanswered ones mean that it hangs: half a minute.
  static constexpr uint32_t kMost = 6;
  // ntpd-resolve waits for name servers as long as glibc does, which resolv.conf may make minutes.
  static constexpr uint32_t kMostOfResolve = 120;

  explicit Liveness(msg::Role role) : most_(role == msg::Role::kResolve ? kMostOfResolve : kMost) {}

  // The next question; none when too many are unanswered.
  std::optional<msg::LivenessQuestion> Ask();
  // False for an answer to nothing that was asked and is unanswered.
  [[nodiscard]] bool OnAnswer(const msg::LivenessAnswer& answer);
  // Of a new process nothing was asked yet.
  void Reset() { asked_ = answered_ = 0; }
  uint32_t unanswered() const { return asked_ - answered_; }

 private:
  uint32_t most_;
  uint32_t asked_ = 0;  // the number of the last question
  uint32_t answered_ = 0;
};

}  // namespace ntpward::supervisor
