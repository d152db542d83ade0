#include "ntpd/core/discipline.h"

#include <algorithm>
#include <cmath>

namespace ntpward::core {
namespace {

using Kind = ClockAction::Kind;

constexpr double kPll = 16;        // RFC 5905 PLL: loop gain
constexpr double kFll = 18;        // RFC 5905 FLL: MAXPOLL + 1
constexpr double kAverage = 4;     // RFC 5905 AVG
constexpr double kPollGate = 4;    // RFC 5905 PGATE
constexpr int kPollLimit = 30;     // RFC 5905 LIMIT
constexpr double kSlewOnlyStep = 600;
// Frequency errors below it need no special state: the loop pulls them in.
constexpr double kGoodFrequency = 1e-6;
constexpr double kMeasureSpan = 10;   // s of offsets before a line through them means anything
constexpr double kNegligible = 1e-9;  // s

double Smooth(double average, double value) {
  const double square = average * average;
  return std::sqrt(square + (value * value - square) / kAverage);
}

}  // namespace

Discipline::Discipline(const Parameters& parameters, const DisciplineConfig& config,
                       double precision)
    : parameters_(parameters),
      precision_(precision),
      step_forward_(parameters.step_forward),
      step_backward_(parameters.step_backward),
      panic_gate_open_(config.panic_gate_open),
      jitter_(precision) {
  if (config.slew_only) {
    step_forward_ = step_forward_ > 0 ? std::max(step_forward_, kSlewOnlyStep) : 0;
    step_backward_ = step_backward_ > 0 ? std::max(step_backward_, kSlewOnlyStep) : 0;
  }
  if (config.drift && std::abs(config.drift->value) <= kMaxFrequency * 1e6) {
    frequency_ = config.drift->value * 1e-6;
    state_ = DisciplineState::kFrequencySet;
  }
}

bool Discipline::frequency_known() const {
  return started_ && state_ != DisciplineState::kNoFrequency &&
         state_ != DisciplineState::kMeasureFrequency;
}

bool Discipline::BeyondStep(double offset) const {
  const double threshold = offset > 0 ? step_forward_ : step_backward_;
  return threshold > 0 && std::abs(offset) > threshold;
}

void Discipline::Enter(DisciplineState state, double offset, MonoTime time) {
  state_ = state;
  last_offset_ = offset;
  state_time_ = time;
}

ClockAction Discipline::OnOffset(const OffsetUpdate& update, MonoTime now) {
  if (!std::isfinite(update.offset)) return {};
  if (parameters_.panic > 0 && std::abs(update.offset) > parameters_.panic && !panic_gate_open_)
    return {Kind::kPanic, update.offset};
  poll_ = std::clamp(poll_, update.minpoll, std::max(update.minpoll, update.maxpoll));
  if (BeyondStep(update.offset)) return OnLargeOffset(update, now);
  Steer(update, now);
  // The gate is for the first correction only (CVE-2015-5300).
  panic_gate_open_ = false;
  started_ = true;
  return {Kind::kSlew, update.offset};
}

// RFC 5905 section 11.3: a large offset must last for `stepout` before it is believed, unless it is
// the first that we see.
ClockAction Discipline::OnLargeOffset(const OffsetUpdate& update, MonoTime now) {
  if (!started_) return StepBy(update, now);
  if (state_ == DisciplineState::kSynchronised || state_ == DisciplineState::kMeasureFrequency) {
    state_ = DisciplineState::kSpike;
    state_time_ = now;
    return {Kind::kIgnore, update.offset};
  }
  if (now - state_time_ < parameters_.stepout) return {Kind::kIgnore, update.offset};
  return StepBy(update, now);
}

ClockAction Discipline::StepBy(const OffsetUpdate& update, MonoTime now) {
  const bool knew = state_ != DisciplineState::kNoFrequency;
  residual_ = pending_ = 0;
  fast_slew_ = true;
  started_ = true;
  panic_gate_open_ = false;
  poll_ = update.minpoll;
  poll_count_ = 0;
  jitter_ = precision_;
  estimate_.Reset(now);
  Enter(knew ? DisciplineState::kFrequencySet : DisciplineState::kMeasureFrequency, 0, now);
  return {Kind::kStep, update.offset};
}

void Discipline::SetFrequency(double frequency) {
  const double bounded = std::clamp(frequency, -kMaxFrequency, kMaxFrequency);
  wander_ = Smooth(wander_, bounded - frequency_);
  frequency_ = bounded;
}

// RFC 5905 appendix A.5.5.6, by state.
void Discipline::Steer(const OffsetUpdate& update, MonoTime now) {
  const double offset = update.offset;
  const double since = std::max(0.0, now - state_time_);
  if (started_)
    jitter_ = Smooth(jitter_, std::max(std::abs(offset - last_offset_), precision_));
  const double deviation = std::max({update.jitter, precision_, 1e-7});
  switch (state_) {
    case DisciplineState::kNoFrequency:
      estimate_.Reset(update.time);
      estimate_.Add(update.time, offset + corrected_, deviation);
      Enter(DisciplineState::kMeasureFrequency, offset, now);
      break;
    case DisciplineState::kMeasureFrequency: {
      estimate_.Add(update.time, offset + corrected_, deviation);
      if (const auto line = estimate_.Fit(kMeasureSpan)) {
        if (line->slope_deviation < 100e-6) SetFrequency(line->slope);
        if (line->slope_deviation < kGoodFrequency) state_ = DisciplineState::kSynchronised;
      }
      Enter(state_, offset, now);
      break;
    }
    case DisciplineState::kFrequencySet:
      Enter(DisciplineState::kSynchronised, offset, now);
      break;
    case DisciplineState::kSpike:
    case DisciplineState::kSynchronised: {
      fast_slew_ = std::abs(offset) > 0.128;
      if (!fast_slew_) {
        const double constant = Log2Seconds(poll_);
        double change = 0;
        if (constant > parameters_.allan / 2) {
          const double divisor = std::max(kFll - poll_, kAverage);
          change += (offset - residual_) / (std::max(since, parameters_.allan) * divisor);
        }
        const double interval = std::min(since, constant);
        change += offset * interval / (16 * kPll * kPll * constant * constant);
        SetFrequency(frequency_ + change);
      }
      Enter(DisciplineState::kSynchronised, offset, now);
      AdaptPoll(update);
    }
  }
  residual_ = offset;
}

void Discipline::AdaptPoll(const OffsetUpdate& update) {
  if (std::abs(update.offset) < kPollGate * jitter_) {
    poll_count_ += poll_;
    if (poll_count_ <= kPollLimit) return;
    poll_count_ = kPollLimit;
    if (poll_ >= update.maxpoll) return;
    poll_count_ = 0;
    ++poll_;
    return;
  }
  poll_count_ -= 2 * poll_;
  if (poll_count_ >= -kPollLimit) return;
  poll_count_ = -kPollLimit;
  if (poll_ <= update.minpoll) return;
  poll_count_ = 0;
  --poll_;
}

double Discipline::Advance(MonoTime now) {
  const double interval = advanced_ ? std::max(0.0, now - *advanced_) : 0.0;
  advanced_ = now;
  const double slewed =
      std::clamp(pending_, -kMaxSlewRate * interval, kMaxSlewRate * interval);
  pending_ -= slewed;
  residual_ -= slewed;
  if (std::abs(residual_) < kNegligible) residual_ = 0;
  corrected_ += slewed + frequency_ * interval;
  return slewed;
}

ClockTick Discipline::Tick(MonoTime now) {
  (void)Advance(now);
  double slew = residual_;
  if (!fast_slew_) slew /= kPll * std::min(Log2Seconds(poll_), parameters_.allan);
  pending_ = std::clamp(slew, -kMaxSlewRate, kMaxSlewRate);
  return {Ppm{frequency_ * 1e6}, pending_};
}

}  // namespace ntpward::core
