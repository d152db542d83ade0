#include "ntpd/core/measurement_noise.h"

#include <algorithm>
#include <cmath>

namespace ntpward::core {
namespace {

const double kUniform = std::sqrt(12.0);  // width of a uniform distribution over its deviation
// The shortest delay seen is still above the shortest possible one; so is the asymmetry of the path
// never quite constant. Both scale with the usual excess.
constexpr double kFloor = 0.25;
constexpr double kSmoothing = 1.0 / 16;
// Of a young source: the mean over the median, and some more since its least delay will fall yet.
constexpr double kMeanOverMedian = 2;
constexpr double kSuspicious = 4;  // times the mean excess
constexpr double kPathChange = 3;

}  // namespace

double MeasurementNoise::LeastOfLast(size_t count) const {
  double least = delays_[(next_ + kRemembered - 1) % kRemembered];
  for (size_t i = 2; i <= std::min(count, count_); ++i)
    least = std::min(least, delays_[(next_ + kRemembered - i) % kRemembered]);
  return least;
}

// The median of the last `count`, of which there are as many.
double MeasurementNoise::UsualOf(size_t count) const {
  std::array<double, kRemembered> sorted{};
  for (size_t i = 0; i < count; ++i)
    sorted[i] = delays_[(next_ + kRemembered - 1 - i) % kRemembered];
  std::sort(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(count));
  return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

// Six delays in a row that are all far above the minimum and close to each other: the old minimum
// would make every sample look bad for an hour. Congestion also lifts them all, but scatters them.
bool MeasurementNoise::PathGotLonger(double least, double precision) const {
  if (count_ <= kRecent) return false;
  std::array<double, kRecent> recent{};
  for (size_t i = 0; i < kRecent; ++i)
    recent[i] = delays_[(next_ + kRemembered - 1 - i) % kRemembered];
  std::sort(recent.begin(), recent.end());
  const double rise = recent[0] - least;
  const double scatter = recent[kRecent / 2] - recent[0];
  return rise > kPathChange * mean_excess_ + precision && scatter < rise / 4;
}

MeasurementNoise::Estimate MeasurementNoise::Add(double delay, double precision) {
  delays_[next_] = delay;
  next_ = (next_ + 1) % kRemembered;
  count_ = std::min(count_ + 1, kRemembered);
  double least = LeastOfLast(kRemembered);
  if (PathGotLonger(least, precision)) {
    least = LeastOfLast(kRecent);
    count_ = kRecent;
  }
  const double excess = delay - least;
  const bool suspicious = count_ > kRecent && excess > kSuspicious * mean_excess_;
  const double weight = std::max(kSmoothing, 1.0 / static_cast<double>(count_));
  // One absurd delay must not spoil the scale for long.
  const double bounded = suspicious ? kSuspicious * mean_excess_ : excess;
  mean_excess_ += weight * (bounded - mean_excess_);
  // Each excess was told from the minimum of its time: those of the first samples were too small.
  if (count_ <= kYoung) mean_excess_ = kMeanOverMedian * (UsualOf(count_) - least);
  // A young minimum is not worth much, and the first delay says nothing of its own excess.
  const double count = static_cast<double>(count_);
  const double floor =
      std::max(mean_excess_ * std::max(kFloor, 2 / count), delay / (4 * count * count));
  return {std::hypot(std::max(excess, floor) / kUniform, precision), suspicious};
}

}  // namespace ntpward::core
