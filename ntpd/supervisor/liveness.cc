#include "ntpd/supervisor/liveness.h"

namespace ntpward::supervisor {

std::optional<msg::LivenessQuestion> Liveness::Ask() {
  if (unanswered() >= most_) return std::nullopt;
  return msg::LivenessQuestion{.number = ++asked_};
}

bool Liveness::OnAnswer(const msg::LivenessAnswer& answer) {
  // Unsigned, so that the numbers may wrap.
  const uint32_t ahead = answer.number - answered_;
  if (ahead == 0 || ahead > unanswered()) return false;
  answered_ = answer.number;
  return true;
}

}  // namespace ntpward::supervisor
