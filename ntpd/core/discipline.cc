#include "ntpd/core/discipline.h"

#include <algorithm>
#include <cmath>

namespace ntpward::core {
namespace {

using Kind = ClockAction::Kind;

constexpr double kAverage = 4;         // RFC 5905 AVG
constexpr double kSlewOnlyStep = 600;  // s
constexpr double kNegligible = 1e-9;   // s
// What is known of the frequency before anything was measured, s/s: computers are off by some tens
// of ppm, and a few by hundreds. A drift file may be another computer's.
constexpr ClockModel::FrequencyPrior kUnknownFrequency{30e-6, 200e-6};
constexpr ClockModel::FrequencyPrior kDriftFileFrequency{2e-6, 100e-6};
constexpr double kKnownFrequency = 1e-6;
// s, by which a frequency is learned or never well: sources that disagree can keep it unknown.
constexpr double kLearning = 600;
// The residual is slewed out over this part of a poll interval: sooner only turns measurement noise
// into frequency noise, later leaves it for the next sample to find.
constexpr double kSlewPart = 0.25;
// Gains between these leave the poll interval as it is (clock_model.h).
constexpr double kLowGain = 0.5;
constexpr double kHighGain = 0.85;
// s between a refused step and the next try; what refuses may have budgets that take hours to fill.
constexpr double kRefusalWait = 64, kMostRefusalWait = 4096;
// s without slews after a refused one.
constexpr double kSlewRefusalWait = 64;
constexpr int kPollPatience = 4;  // measurements that agree before the interval changes

double Smooth(double average, double value) {
  const double square = average * average;
  return std::sqrt(square + (value * value - square) / kAverage);
}

// False for what is not a number, too.
bool WithinBounds(Ppm frequency) { return std::abs(frequency.value) <= kMaxFrequency * 1e6; }

}  // namespace

Discipline::Discipline(const Parameters& parameters, const DisciplineConfig& config,
                       double precision)
    : parameters_(parameters),
      precision_(precision),
      slew_only_(config.slew_only),
      panic_gate_open_(config.panic_gate_open),
      jitter_(precision),
      refusal_wait_(kRefusalWait) {
  OnParametersChanged();
  if (config.drift && WithinBounds(*config.drift)) {
    frequency_ = config.drift->value * 1e-6;
    state_ = DisciplineState::kFrequencySet;
  } else if (config.running && WithinBounds(*config.running)) {
    frequency_ = config.running->value * 1e-6;
  }
}

void Discipline::OnParametersChanged() {
  step_forward_ = parameters_.step_forward;
  step_backward_ = parameters_.step_backward;
  if (!slew_only_) return;
  step_forward_ = step_forward_ > 0 ? std::max(step_forward_, kSlewOnlyStep) : 0;
  step_backward_ = step_backward_ > 0 ? std::max(step_backward_, kSlewOnlyStep) : 0;
}

bool Discipline::BeyondStep(double offset) const {
  const double threshold = offset > 0 ? step_forward_ : step_backward_;
  return threshold > 0 && std::abs(offset) > threshold;
}

double Discipline::Advance(MonoTime now) {
  const double interval = advanced_ ? std::max(0.0, now - *advanced_) : 0.0;
  advanced_ = now;
  const double slewed = std::clamp(pending_, -kMaxSlewRate * interval, kMaxSlewRate * interval);
  pending_ -= slewed;
  residual_ -= slewed;
  if (std::abs(residual_) < kNegligible) residual_ = 0;
  corrected_ += slewed + frequency_ * interval;
  return slewed;
}

ClockAction Discipline::OnOffset(const OffsetUpdate& update, MonoTime now) {
  (void)Advance(now);
  if (!std::isfinite(update.offset)) return {};
  if (measure_only_) {
    for (const Measurement& measurement : update.measurements) Take(measurement);
    residual_ = pending_ = 0;
    started_ = true;
    return {Kind::kSlew, update.offset};
  }
  if (parameters_.panic > 0 && std::abs(update.offset) > parameters_.panic && !panic_gate_open_)
    return {Kind::kPanic, update.offset};
  if (!started_) poll_ = update.minpoll;
  poll_ = std::clamp(poll_, update.minpoll, std::max(update.minpoll, update.maxpoll));
  if (BeyondStep(update.offset)) return OnLargeOffset(update, now);
  spike_since_.reset();
  ForgetRefusals();
  for (const Measurement& measurement : update.measurements) Take(measurement);
  // The gate is for the first correction only (CVE-2015-5300).
  panic_gate_open_ = false;
  started_ = true;
  const double since = now - measured_;
  residual_ = model_.Expect(since, corrected_ - corrected_at_measurement_);
  SetFrequency(model_.frequency());
  // Once known it stays known: what it does afterwards is wander, not ignorance.
  if (model_.frequency_deviation() < kKnownFrequency) frequency_measured_ = true;
  state_ =
      frequency_measured_ ? DisciplineState::kSynchronised : DisciplineState::kMeasureFrequency;
  AdaptPoll(update);
  return {Kind::kSlew, update.offset};
}

// RFC 5905 section 11.3: a large offset must last for `stepout` before it is believed, unless it is
// the first that we see.
ClockAction Discipline::OnLargeOffset(const OffsetUpdate& update, MonoTime now) {
  if (!started_) return ProposeStep(update, now);
  state_ = DisciplineState::kSpike;
  if (!spike_since_) spike_since_ = now;
  if (now - *spike_since_ < parameters_.stepout) return {Kind::kIgnore, update.offset};
  return ProposeStep(update, now);
}

ClockAction Discipline::ProposeStep(const OffsetUpdate& update, MonoTime now) {
  if (refused_until_ && now < *refused_until_) return {Kind::kIgnore, update.offset};
  proposed_ = update.offset;
  proposed_minpoll_ = update.minpoll;
  return {Kind::kStep, update.offset};
}

void Discipline::ForgetRefusals() {
  refused_until_.reset();
  refusal_wait_ = kRefusalWait;
}

void Discipline::OnStepRefused(MonoTime now) {
  refused_until_ = now + refusal_wait_;
  refusal_wait_ = std::min(2 * refusal_wait_, kMostRefusalWait);
}

void Discipline::OnStepMade(MonoTime now) {
  spike_since_.reset();
  ForgetRefusals();
  started_ = true;
  panic_gate_open_ = false;
  residual_ = pending_ = 0;
  poll_ = proposed_minpoll_;
  poll_count_ = 0;
  jitter_ = precision_;
  // How exact the step was, the next sample tells.
  if (model_.started()) model_.ForgetPhase(0, std::abs(proposed_));
  if (state_ != DisciplineState::kFrequencySet) state_ = DisciplineState::kMeasureFrequency;
  measured_ = now;
  corrected_at_measurement_ = corrected_;
}

void Discipline::Take(const Measurement& measurement) {
  if (!model_.started()) {
    began_ = measurement.time;
    const bool from_file = state_ == DisciplineState::kFrequencySet;
    model_.Start(measurement.offset, measurement.deviation, frequency_,
                 from_file ? kDriftFileFrequency : kUnknownFrequency);
  } else {
    const auto outcome = model_.Measure(
        measurement.time - measured_, measurement.corrected - corrected_at_measurement_,
        measurement.offset, measurement.deviation, measurement.suspicious);
    if (outcome == ClockModel::Outcome::kTaken)
      jitter_ = std::max(precision_, Smooth(jitter_, model_.innovation()));
  }
  measured_ = measurement.time;
  corrected_at_measurement_ = measurement.corrected;
}

std::optional<double> Discipline::Expect(const Measurement& measurement) const {
  if (!model_.started()) return std::nullopt;
  return model_.Expect(measurement.time - measured_,
                       measurement.corrected - corrected_at_measurement_);
}

double Discipline::ExpectDeviation(const Measurement& measurement) const {
  if (frequency_measured_ || !model_.started() || measurement.time - began_ > kLearning) return 0;
  return model_.ExpectDeviation(std::max(0.0, measurement.time - measured_));
}

void Discipline::OnSourcesLost() {
  if (model_.started() && !measure_only_) SetFrequency(model_.settled_frequency());
}

void Discipline::SetFrequency(double frequency) {
  const double bounded = std::clamp(frequency, -kMaxFrequency, kMaxFrequency);
  wander_ = Smooth(wander_, bounded - frequency_);
  frequency_ = bounded;
}

// Upwards only once an interval, or a volley would run through all of them, and not while an offset
// well above the noise is still being slewed out (RFC 5905 section 11.3, PGATE).
bool Discipline::MayRaisePoll() const {
  constexpr double kMostOfInterval = 0.75;
  constexpr double kGate = 4;
  const bool rested =
      !poll_raised_ || measured_ - *poll_raised_ >= kMostOfInterval * Log2Seconds(poll_);
  return rested && std::abs(residual_) <= kGate * std::max(jitter_, precision_);
}

void Discipline::AdaptPoll(const OffsetUpdate& update) {
  // Over a whole interval, in which each source is asked once.
  const double gain = 1 - std::pow(1 - model_.gain(), std::max(1, update.sources));
  if (gain < kLowGain) {
    if (!MayRaisePoll()) return;
    poll_raised_ = measured_;
    poll_count_ = std::max(0, poll_count_) + 1;
  } else if (gain > kHighGain) {
    poll_count_ = std::min(0, poll_count_) - 1;
  } else {
    poll_count_ = 0;
  }
  if (poll_count_ >= kPollPatience && poll_ < update.maxpoll) ++poll_, poll_count_ = 0;
  if (poll_count_ <= -kPollPatience && poll_ > update.minpoll) --poll_, poll_count_ = 0;
}

ClockTick Discipline::Tick(MonoTime now) {
  (void)Advance(now);
  const double slew = residual_ / std::max(1.0, kSlewPart * Log2Seconds(poll_));
  if (no_slew_until_ && now >= *no_slew_until_) no_slew_until_.reset();
  pending_ = no_slew_until_ ? 0 : std::clamp(slew, -kMaxSlewRate, kMaxSlewRate);
  handed_out_ = pending_;
  return {Ppm{frequency_ * 1e6}, pending_};
}

void Discipline::OnSlewRefused(MonoTime now) {
  (void)Advance(now);
  const double believed = handed_out_ - pending_;
  corrected_ -= believed;
  residual_ += believed;
  pending_ = handed_out_ = 0;
  no_slew_until_ = now + kSlewRefusalWait;
}

}  // namespace ntpward::core
