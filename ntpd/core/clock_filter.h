// The last eight samples of one source, and which of them to believe (RFC 5905 section 10).
//
// Departures from RFC 5905, each for a reason:
// - Stages that were never filled do not enter the dispersion once two samples exist. The RFC
//   counts each as 16 s, which makes a fresh source wait for four or more polls; two samples that
//   agree within their jitter bound the error well enough to be selected.
// - Samples are sorted by synchronisation distance (half the delay plus the dispersion, which ages)
//   instead of by delay, so that an old sample loses to a fresh one of like delay.
#pragma once

#include <array>
#include <optional>

#include "ntpd/core/parameters.h"
#include "ntpd/core/sample.h"

namespace ntpward::core {

// One stage as ntpq shows it: seconds; a dispersion of 16 s marks an empty stage.
struct FilterStage {
  double offset = 0;
  double delay = 0;
  double dispersion = kMaxDispersion;

  friend bool operator==(const FilterStage&, const FilterStage&) = default;
};

class ClockFilter {
 public:
  // `phi`: how fast a dispersion grows, s/s. `precision`: of our clock, s; the least jitter.
  ClockFilter(double phi, double precision) : phi_(phi), precision_(precision) {}

  enum class Outcome : uint8_t {
    kBetter,   // offset() changed: a sample newer than any used before is the best one
    kKept,     // an older sample is still the best
    kPopcorn,  // the best sample is a lonely spike: ignored until the next one confirms it
  };

  // Takes a sample. `poll_seconds` is the source's present poll interval (popcorn suppression looks
  // only between neighbours).
  Outcome Add(const Sample& sample, double poll_seconds);
  // A poll that brought nothing: a stage of 16 s takes a place, so that a silent source drifts out
  // of selection. Does nothing while no sample was ever taken.
  void AddLost(MonoTime now);
  // Our clock was slewed forward by `phase` s: every offset shrinks by that.
  void OnSlewed(double phase);
  void Reset();
  // `tinker dispersion` changed.
  void SetPhi(double phi) { phi_ = phi; }

  bool has_sample() const { return used_ > 0; }
  // Stages in use, lost ones included: 0..8.
  int samples() const { return used_; }
  // Of the best sample; meaningless before one was taken.
  double offset() const { return offset_; }
  double delay() const { return delay_; }
  MonoTime time() const { return time_; }
  // Error bound and RMS spread of the stages, as of the last change.
  double dispersion() const { return dispersion_; }
  double jitter() const { return jitter_; }
  // Newest first, dispersions aged to `now`.
  std::array<FilterStage, kFilterStages> Stages(MonoTime now) const;

 private:
  struct Stage {
    Sample sample;
    bool lost = false;
  };
  void Push(const Stage& stage);
  double Aged(const Stage& stage, MonoTime now) const;
  void Recompute(MonoTime now);

  double phi_;
  double precision_;
  std::array<Stage, kFilterStages> stages_{};  // newest first
  int used_ = 0;                               // stages filled since the last reset
  size_t best_ = 0;                            // index into stages_
  double offset_ = 0, delay_ = 0;
  double dispersion_ = kMaxDispersion;
  double jitter_ = 0;
  MonoTime time_;
  bool popcorn_pending_ = false;
};

}  // namespace ntpward::core
