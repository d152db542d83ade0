#include "ntpd/core/manycast.h"

#include <algorithm>
#include <utility>

#include "ntpd/core/parameters.h"

namespace ntpward::core {

bool AnswersManycast(const wire::Header& request, const SystemState& system, bool cohort,
                     uint32_t own_refid) {
  if (!system.synchronised()) return false;
  const int asker = request.stratum == 0 ? wire::kStratumUnsynchronised : request.stratum;
  if (system.stratum >= asker) return false;
  if (!cohort && system.stratum + 1 == asker) return false;
  return asker < 2 || request.refid != own_refid || request.stratum == 0;
}

ManycastSearch::ManycastSearch(ManycastConfig config, MonoTime now)
    : config_(std::move(config)), next_(now), started_(now) {
  if (config_.ttls.empty()) config_.ttls.push_back(1);
}

std::optional<uint8_t> ManycastSearch::OnPoll(size_t servers, size_t survivors, MonoTime now) {
  next_ = now + Log2Seconds(config_.poll);
  if (now - started_ > config_.beacon) {
    started_ = now;
    circle_ = 0;
  } else if (survivors >= config_.minclock || servers >= config_.maxclock) {
    return std::nullopt;
  }
  const uint8_t ttl = config_.ttls[circle_];
  circle_ = std::min(circle_ + 1, config_.ttls.size() - 1);
  return ttl;
}

void ManycastSearch::OnSent(NtpTimestamp nonce, MonoTime now) {
  nonce_ = nonce;
  sent_ = now;
}

bool ManycastSearch::Matches(const wire::Header& reply, MonoTime now) const {
  return nonce_ && !nonce_->is_zero() && reply.mode == wire::Mode::kServer &&
         reply.origin == *nonce_ && now - sent_ <= kAnswerTime;
}

}  // namespace ntpward::core
