#include "ntpd/core/poll_schedule.h"

#include <algorithm>

namespace ntpward::core {
namespace {

constexpr int kUnreachLimit = 12;  // RFC 5905 UNREACH: then the interval grows
constexpr double kJitter = 1.0 / 32;

// A server with `restrict limited` and the default `discard` refuses when more than 64 s of headway
// are owed (ntpd 4.2.8). We stay below, so that a volley is never the cause of a kiss of death.
constexpr double kMaxDebt = 58;

}  // namespace

PollSchedule::PollSchedule(const PollConfig& config, uint64_t seed, MonoTime start)
    : config_(config), random_(seed), next_(start), last_sent_(start) {
  config_.minpoll = std::clamp(config_.minpoll, kMinPollLimit, kMaxPollLimit);
  config_.maxpoll = std::clamp(config_.maxpoll, config_.minpoll, kMaxPollLimit);
  poll_ = floor_ = config_.minpoll;
  ceiling_ = config_.maxpoll;
  debt_ = std::clamp(config_.owed, 0.0, kMaxDebt);
  // The first request must still fit under what the server allows, and keep the distance that it
  // wants between any two.
  if (debt_ > 0) next_ = start + std::max(kBurstSpacing, debt_ + kHeadway - kMaxDebt);
}

void PollSchedule::Restart(MonoTime now) {
  reach_ = 0;
  unreach_ = burst_left_ = volley_packets_ = 0;
  fresh_ = true;
  stopped_ = false;
  poll_ = floor_;
  // Headway already owed still counts: a server that makes us restart over and over must not turn
  // us into a flood.
  resume_ = now + pause_;
  next_ = std::max(resume_, last_sent_ + (debt_ > 0 ? BurstSpacing() : 0));
  pause_ = pause_ == 0 ? kFirstPause : std::min(2 * pause_, kLongestPause);
  samples_ = 0;
}

void PollSchedule::OnSample() {
  if (samples_ < kSamplesToForget && ++samples_ == kSamplesToForget) pause_ = 0;
}

double PollSchedule::headway(MonoTime now) const {
  return std::max(0.0, debt_ - std::max(0.0, now - last_sent_));
}

double PollSchedule::BurstSpacing() const {
  return debt_ - kBurstSpacing + kHeadway <= kMaxDebt ? kBurstSpacing : kHeadway;
}

void PollSchedule::StartVolley(int packets) {
  burst_left_ = packets;
  volley_packets_ = std::max(1, volley_packets_);
}

void PollSchedule::Plan(MonoTime now) {
  if (burst_left_ > 0) {
    next_ = now + BurstSpacing();
    return;
  }
  const double interval = Log2Seconds(poll_);
  next_ = now + interval * random_.Uniform(1 - kJitter, 1 + kJitter);
}

PollSchedule::PollEffect PollSchedule::OnPoll(MonoTime now) {
  PollEffect effect;
  if (burst_left_ > 0) {
    --burst_left_;
    ++volley_packets_;
  } else {
    volley_packets_ = 0;
    const bool was_reachable = reach_ != 0;
    reach_ = static_cast<uint8_t>(reach_ << 1);
    effect.regular = true;
    effect.lost = (reach_ & 7) == 0;
    effect.unreachable = was_reachable && reach_ == 0;
    ++unreach_;
    if (unreach_ > kUnreachLimit && !hastened_) poll_ = std::min(poll_ + 1, maxpoll());
    if ((fresh_ && config_.iburst) || (reach_ != 0 && config_.burst))
      StartVolley(kBurstPackets - 1);
  }
  fresh_ = hastened_ = false;
  debt_ = std::min(headway(now), kMaxDebt) + kHeadway;
  last_sent_ = now;
  Plan(now);
  return effect;
}

void PollSchedule::Forgive() {
  if (floor_ == config_.minpoll || ++served_ < penance_) return;
  served_ = 0;
  --floor_;
}

bool PollSchedule::OnAnswer(MonoTime now) {
  const bool was_unreachable = reach_ == 0;
  const bool answered = (reach_ & 1) != 0;
  reach_ |= 1;
  if (!answered) Forgive();
  unreach_ = 0;
  // The first answer after a silence starts the volley: a dead server is never sent one over and
  // over, and a server that is back is used at once.
  if (was_unreachable) OnFirstSample(now);
  return was_unreachable;
}

void PollSchedule::OnFirstSample(MonoTime now) {
  if (!config_.iburst || volley_packets_ > 0) return;
  StartVolley(kBurstPackets - 1);
  next_ = std::max(now, last_sent_ + BurstSpacing());
}

void PollSchedule::OnRate(int8_t suggested, MonoTime now) {
  const int ceiling = std::max(kRateCeiling, config_.maxpoll);
  floor_ = std::min(std::max({floor_ + 1, poll_ + 1, static_cast<int>(suggested)}), ceiling);
  poll_ = floor_;
  penance_ = penance_ == 0 ? kPenance : std::min(2 * penance_, kMostPenance);
  served_ = 0;
  burst_left_ = volley_packets_ = 0;
  Plan(now);
}

bool PollSchedule::ExtendBurst(MonoTime now) {
  constexpr int kMore = 3;
  if (volley_packets_ == 0 || stopped_) return false;
  const int left = std::min(kMore, kMaxVolley - volley_packets_);
  if (left <= burst_left_) return burst_left_ > 0;
  const bool was_over = burst_left_ == 0;
  burst_left_ = left;
  if (was_over) next_ = std::max(now, last_sent_ + BurstSpacing());
  return true;
}

void PollSchedule::Hasten(MonoTime now, Haste haste) {
  if (floor_ > config_.minpoll) return;  // RATE
  const double spacing = haste == Haste::kCrowded ? kBurstSpacing : BurstSpacing();
  const MonoTime soonest = std::max({now, resume_, last_sent_ + spacing});
  if (soonest >= next_) return;
  next_ = soonest;
  hastened_ = true;
}

void PollSchedule::SetPeerPoll(int8_t poll) {
  ceiling_ = std::clamp(static_cast<int>(poll), config_.minpoll, config_.maxpoll);
  poll_ = std::min(poll_, maxpoll());
}

void PollSchedule::SetSystemPoll(int poll) {
  if (unreach_ > kUnreachLimit) return;  // backing off
  poll_ = std::clamp(poll, floor_, maxpoll());
}

}  // namespace ntpward::core
