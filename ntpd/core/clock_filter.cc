#include "ntpd/core/clock_filter.h"

#include <algorithm>
#include <cmath>

namespace ntpward::core {
namespace {

constexpr double kSpikeGate = 3;  // RFC 5905 SGATE
constexpr int kSettled = 4;       // samples before the jitter means anything

}  // namespace

double ClockFilter::Aged(const Stage& stage, MonoTime now) const {
  if (stage.lost) return kMaxDispersion;
  const double age = std::max(0.0, now - stage.sample.time);
  return std::min(kMaxDispersion, stage.sample.dispersion + phi_ * age);
}

void ClockFilter::Push(const Stage& stage) {
  std::rotate(stages_.begin(), stages_.end() - 1, stages_.end());
  stages_[0] = stage;
  used_ = std::min(used_ + 1, kFilterStages);
}

// RFC 5905 section 10: peer dispersion is the sum over the sorted stages, each half the weight of
// the one before; peer jitter the RMS difference to the best. The weights are scaled to the stages
// in use, except that a single sample still counts the rest as unknown.
void ClockFilter::Recompute(MonoTime now) {
  std::array<size_t, kFilterStages> order{};
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto distance = [&](size_t i) {
    return stages_[i].lost ? kMaxDispersion * 2
                           : std::max(0.0, stages_[i].sample.delay) / 2 + Aged(stages_[i], now);
  };
  const auto used_end = order.begin() + used_;
  std::stable_sort(order.begin(), used_end,
                   [&](size_t a, size_t b) { return distance(a) < distance(b); });
  best_ = order[0];

  double sum = 0, weights = 0, squares = 0, weight = 0.5;
  int good = 0;
  for (auto i = order.begin(); i != used_end; ++i, weight /= 2) {
    sum += weight * Aged(stages_[*i], now);
    weights += weight;
    if (stages_[*i].lost) continue;
    ++good;
    const double difference = stages_[*i].sample.offset - stages_[best_].sample.offset;
    squares += difference * difference;
  }
  if (used_ == 1) sum += kMaxDispersion / 2, weights = 1;
  dispersion_ = std::min(kMaxDispersion, sum / weights);
  jitter_ = std::max(precision_, good > 1 ? std::sqrt(squares / (good - 1)) : 0.0);
}

ClockFilter::Outcome ClockFilter::Add(const Sample& sample, double poll_seconds) {
  const bool first = !has_sample();
  const bool settled = used_ >= kSettled;
  // Of the samples before: the spike itself would widen the gate that it has to pass.
  const double gate = kSpikeGate * jitter_;
  Push({sample, false});
  Recompute(sample.time);
  const Sample& best = stages_[best_].sample;
  if (!first && best.time <= time_) return Outcome::kKept;
  const bool spike =
      settled && std::abs(best.offset - offset_) > gate && best.time - time_ < 2 * poll_seconds;
  if (spike && !popcorn_pending_) {
    popcorn_pending_ = true;
    return Outcome::kPopcorn;
  }
  popcorn_pending_ = false;
  offset_ = best.offset;
  delay_ = best.delay;
  time_ = best.time;
  return Outcome::kBetter;
}

void ClockFilter::AddLost(MonoTime now) {
  if (!has_sample()) return;
  Push({Sample{now, 0, 0, kMaxDispersion}, true});
  Recompute(now);
}

void ClockFilter::OnSlewed(double phase) {
  for (Stage& stage : stages_) stage.sample.offset -= phase;
  offset_ -= phase;
}

void ClockFilter::Reset() { *this = ClockFilter(phi_, precision_); }

std::array<FilterStage, kFilterStages> ClockFilter::Stages(MonoTime now) const {
  std::array<FilterStage, kFilterStages> shown{};
  for (size_t i = 0; i < static_cast<size_t>(used_); ++i) {
    if (stages_[i].lost) continue;
    shown[i] = {stages_[i].sample.offset, stages_[i].sample.delay, Aged(stages_[i], now)};
  }
  return shown;
}

}  // namespace ntpward::core
