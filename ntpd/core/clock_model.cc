#include "ntpd/core/clock_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ntpward::core {
namespace {

constexpr double kQuietest = 1e-10;  // restlessness of the first filter; each next is sqrt(10) more
constexpr double kScoreDecay = 0.985;    // remembers some 70 measurements
constexpr double kScoreFloor = -60;      // a single absurd measurement must not decide for ever
constexpr double kSurprise = 6;          // deviations
constexpr int kJumpSurprises = 3;        // in a row: followed, whatever they say
constexpr double kMostBent = 20e-6;      // s/s, of a frequency at once
constexpr double kAgreement = 4;         // surprises that differ by a factor below it agree,
constexpr double kMostDrifted = 150e-6;  // s/s, as do those that grow by no more than that
constexpr double kSwitchMargin = 1;      // log likelihood: no flutter between equals
constexpr double kUnlikely = 6;          // log likelihood: against a frequency beyond the likely
constexpr size_t kOrdinary = 4;          // restlessness 1e-8: an ordinary computer

}  // namespace

void ClockModel::Start(double phase, double phase_deviation, double frequency,
                       FrequencyPrior prior) {
  for (size_t i = 0; i < filters_.size(); ++i) {
    const size_t restlessness = i % kRestlessness;
    const size_t noise = i / kRestlessness % kNoiseScales;
    const bool likely = i < kAssumptions;
    Filter& filter = filters_[i];
    filter = Filter();
    filter.restlessness = kQuietest * std::pow(10, 0.5 * static_cast<double>(restlessness));
    filter.noise_scale = std::pow(2, static_cast<double>(noise));
    filter.u = phase;
    filter.f = frequency;
    filter.uu = std::pow(phase_deviation * filter.noise_scale, 2);
    filter.ff = std::pow(likely ? prior.likely : prior.possible, 2);
    filter.score = likely ? 0 : -kUnlikely;
  }
  best_ = kOrdinary;
  started_ = true;
  surprises_ = 0;
  gain_ = 1;
}

void ClockModel::Predict(Filter* filter, double interval) {
  const double q = filter->restlessness * filter->restlessness;
  filter->u += filter->f * interval;
  filter->uu += interval * (2 * filter->uf + interval * (filter->ff + q * interval / 3));
  filter->uf += interval * (filter->ff + q * interval / 2);
  filter->ff += q * interval;
}

// Returns the phase gain.
double ClockModel::Correct(Filter* filter, double offset, double variance) {
  const double r = variance * filter->noise_scale * filter->noise_scale;
  const double total = filter->uu + r;
  const double innovation = offset - filter->u;
  const double phase_gain = filter->uu / total, frequency_gain = filter->uf / total;
  filter->u += phase_gain * innovation;
  filter->f += frequency_gain * innovation;
  filter->ff -= frequency_gain * filter->uf;
  filter->uf -= phase_gain * filter->uf;
  filter->uu -= phase_gain * filter->uu;
  const double likelihood = -0.5 * (innovation * innovation / total + std::log(total));
  filter->score = kScoreDecay * filter->score + std::max(kScoreFloor, likelihood);
  return phase_gain;
}

ClockModel::Outcome ClockModel::Measure(double interval, double corrected, double offset,
                                        double deviation, bool suspicious) {
  const double variance = deviation * deviation;
  for (Filter& filter : filters_) {
    Predict(&filter, std::max(0.0, interval));
    filter.u -= corrected;
  }
  innovation_ = offset - best().u;
  surprised_for_ += std::max(0.0, interval);
  if (IsSurprising(offset, variance)) {
    if (suspicious || IsStray(interval)) return Outcome::kOutlier;
    FollowJump(offset, deviation);
    return Outcome::kTaken;
  }
  surprises_ = 0;
  surprised_for_ = 0;
  for (size_t i = 0; i < filters_.size(); ++i) {
    const double gain = Correct(&filters_[i], offset, variance);
    if (i == best_) gain_ = gain;
  }
  ChooseBest();
  return Outcome::kTaken;
}

bool ClockModel::IsSurprising(double offset, double variance) const {
  const auto foresaw = [&](const Filter& filter) {
    const double expected =
        std::sqrt(filter.uu + variance * filter.noise_scale * filter.noise_scale);
    return std::abs(offset - filter.u) <= kSurprise * expected;
  };
  return !foresaw(best()) && !foresaw(twin());
}

void ClockModel::ChooseBest() {
  size_t candidate = best_;
  for (size_t i = 0; i < filters_.size(); ++i)
    if (filters_[i].score > filters_[candidate].score) candidate = i;
  if (filters_[candidate].score > filters_[best_].score + kSwitchMargin) best_ = candidate;
}

// One alone is the source's or its path's, and moves nothing; nor does a second that contradicts
// it, or is of another size.
bool ClockModel::IsStray(double interval) {
  const double before = std::exchange(surprise_, innovation_);
  ++surprises_;
  const double ratio = innovation_ / before;
  const bool drifts = std::abs(innovation_ - before) < kMostDrifted * std::max(1.0, interval);
  const bool agrees = ratio > 1 / kAgreement && (ratio < kAgreement || drifts);
  return surprises_ == 1 || (surprises_ < kJumpSurprises && !agrees);
}

// What was seen as a jump may be a new frequency as well: the next measurement tells them apart.
void ClockModel::FollowJump(double offset, double deviation) {
  const double bent = std::abs(innovation_) / std::max(1.0, surprised_for_);
  ForgetPhase(offset, deviation);
  for (Filter& filter : filters_)
    filter.ff = std::max(filter.ff, std::pow(std::min(bent, kMostBent), 2));
}

void ClockModel::ForgetPhase(double phase, double deviation) {
  for (Filter& filter : filters_) {
    filter.u = phase;
    filter.uu = deviation * deviation * filter.noise_scale * filter.noise_scale;
    filter.uf = 0;
    // What made the phase jump may have bent the frequency as well.
    filter.ff = std::max(filter.ff, 1e-14);
  }
  surprises_ = 0;
  surprised_for_ = 0;
}

double ClockModel::ExpectDeviation(double interval) const {
  const auto variance = [interval](const Filter& filter) {
    return filter.uu + interval * (2 * filter.uf + interval * filter.ff);
  };
  return std::sqrt(std::max(variance(best()), variance(twin())));
}

double ClockModel::settled_frequency() const {
  const size_t distrusting = (kNoiseScales - 1) * kRestlessness + kOrdinary;
  return filters_[best_ < kAssumptions ? distrusting : kAssumptions + distrusting].f;
}

double ClockModel::frequency_deviation() const { return std::sqrt(best().ff); }

}  // namespace ntpward::core
