// Where our clock stands and how fast it drifts, as far as noisy measurements tell: a bank of
// two-state Kalman filters (phase, frequency).
//
// How restless the oscillator is and how far the noise of the path can be trusted is not known
// beforehand, so each filter of the bank assumes something else, and the one that foresaw the
// recent measurements best is believed. A restless clock is followed closely, a quiet one is
// averaged long, without a time constant to configure. Each filter is there twice: most oscillators
// are nearly right, and one that is far off is found out all the same. Pure arithmetic; times in
// seconds, frequencies in s/s.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ntpward::core {

class ClockModel {
 public:
  // How far the frequency at the start may be off: standard deviations, `possible` >= `likely` > 0.
  // Beyond the likely one it takes evidence.
  struct FrequencyPrior {
    double likely, possible;
  };
  // `frequency`: how fast the clock has to be made to run to be right, as far as known.
  void Start(double phase, double phase_deviation, double frequency, FrequencyPrior prior);
  bool started() const { return started_; }

  // An outlier moves nothing: one surprise is the source's rather than the clock's. The next one in
  // a row that agrees is a jump, and followed.
  enum class Outcome : uint8_t { kTaken, kOutlier };
  // An offset measured `interval` s after the measurement before; in between the clock was
  // corrected by `corrected` s, by slews, steps and its frequency together. `deviation`: the
  // standard deviation of the offset by what the path tells, > 0; `suspicious`: the round trip was
  // unusually long, so that a surprising offset is rather its fault than the clock's.
  Outcome Measure(double interval, double corrected, double offset, double deviation,
                  bool suspicious);
  // What a measurement would be expected to say.
  double Expect(double interval, double corrected) const {
    return best().u + best().f * interval - corrected;
  }
  // The standard deviation of that, but for the noise of the measurement.
  double ExpectDeviation(double interval) const;
  // The clock or its source jumped: the phase is unknown, the frequency is kept.
  void ForgetPhase(double phase, double deviation);

  // The best filter's view, at the last measurement.
  double phase() const { return best().u; }
  double frequency() const { return best().f; }
  double frequency_deviation() const;
  // What an ordinary oscillator would be thought to do, if every measurement were trusted little:
  // late, but not misled by what some minutes said.
  double settled_frequency() const;
  // How much of a surprise goes into the phase, 0..1: near 1 the clock's own restlessness rules and
  // more measurements would help; near 0 the path's noise rules and fewer would do.
  double gain() const { return gain_; }
  // Of the last measurement against its prediction.
  double innovation() const { return innovation_; }

 private:
  // One assumption about the noise and what follows from it.
  struct Filter {
    double restlessness = 0;        // random walk of the frequency, s/s per square root of a second
    double noise_scale = 1;         // factor on the deviation of each measurement
    double u = 0, f = 0;            // phase and frequency still to be corrected
    double uu = 0, uf = 0, ff = 0;  // covariance
    double score = 0;               // decaying log likelihood
  };
  static constexpr size_t kRestlessness = 9;
  static constexpr size_t kNoiseScales = 3;
  static constexpr size_t kAssumptions = kRestlessness * kNoiseScales;

  static void Predict(Filter* filter, double interval);
  static double Correct(Filter* filter, double offset, double variance);
  bool IsStray(double interval);
  void FollowJump(double offset, double deviation);
  const Filter& best() const { return filters_[best_]; }
  // Assumes the same of the noise, and the other of the frequency at the start.
  const Filter& twin() const { return filters_[(best_ + kAssumptions) % filters_.size()]; }
  bool IsSurprising(double offset, double variance) const;
  void ChooseBest();

  std::array<Filter, 2 * kAssumptions> filters_{};  // likely frequencies, then possible ones
  size_t best_ = 0;
  bool started_ = false;
  double gain_ = 1;
  double innovation_ = 0;
  int surprises_ = 0;         // in a row, not explained by a long round trip
  double surprise_ = 0;       // s, the last of them
  double surprised_for_ = 0;  // s since the last measurement that was none
};

}  // namespace ntpward::core
