// From measured offsets to corrections of the clock: when to slew, step or refuse, and what
// frequency to run at.
//
// The states, thresholds and the spike detector are those of RFC 5905 section 11.3 with the limits
// of ntpd 4.2.8. The loop filter is not: instead of the RFC's hybrid of phase and frequency lock,
// whose time constant grows with the poll interval and which sees one sample in eight, a bank of
// Kalman filters (clock_model.h) weighs every sample by what its delay says of it. So the frequency
// is known after one volley, nothing waits for 15 minutes, and the first accepted offset already is
// served as synchronised time.
//
// Outputs are values. OnOffset() says what kind of correction an offset calls for; Tick(), called
// about once a second, says at which frequency the clock should run and how much phase to slew out
// until the next tick. A slew that is not renewed ends by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "ntpd/core/clock_model.h"
#include "ntpd/core/parameters.h"
#include "privsep/base/types.h"

namespace ntpward::core {

// RFC 5905 figure 24.
enum class DisciplineState : uint8_t {
  kNoFrequency,       // NSET: nothing known yet
  kFrequencySet,      // FSET: the frequency came from the drift file
  kSpike,             // SPIK: an offset above the step threshold, not yet believed
  kMeasureFrequency,  // FREQ: corrected already, but the frequency is not known well yet
  kSynchronised,      // SYNC
};

struct DisciplineConfig {
  std::optional<Ppm> drift;      // of the drift file
  bool panic_gate_open = false;  // -g: the first correction may exceed the panic threshold
  bool slew_only = false;        // -x: the step threshold becomes 600 s
  // What the clock runs at already, if that is known and there is no drift file: kept until
  // something better is measured, so that a restart does not jolt the clock.
  std::optional<Ppm> running;
};

// One sample of a source that selection believes, as the loop filter takes it.
struct Measurement {
  MonoTime time;
  double corrected = 0;  // Discipline::corrected() at that time
  double offset = 0;     // s, as measured then, less the source's own bias
  double deviation = 0;  // s, > 0
  bool suspicious = false;
};

// What selection concludes, and the samples that are new since the last conclusion (oldest first).
struct OffsetUpdate {
  double offset = 0;  // s, combined; positive: our clock is behind
  std::span<const Measurement> measurements;
  int sources = 1;  // that contribute measurements, each once in a poll interval
  int minpoll = 6;  // of the system peer
  int maxpoll = 10;
};

// What an offset calls for.
struct ClockAction {
  enum class Kind : uint8_t {
    kNone,    // nothing new
    kIgnore,  // above the step threshold, not for long enough: wait
    kSlew,    // `offset` will be slewed out by the ticks that follow
    kStep,   // step the clock by `offset` now, and say what became of it: OnStepMade, OnStepRefused
    kPanic,  // `offset` is above the panic threshold: nothing was done, the daemon should end
  };
  Kind kind = Kind::kNone;
  double offset = 0;  // s
};

// How the clock should run until the next tick.
struct ClockTick {
  Ppm frequency;    // -500..500, positive: run faster
  double slew = 0;  // s, to be slewed out by then on top of the frequency, at 500 ppm at most;
                    // replaces what is left of the slew before
};

class Discipline {
 public:
  // `precision`: of our clock, s. `parameters` must outlive the object.
  Discipline(const Parameters& parameters, const DisciplineConfig& config, double precision);

  // Accounts for what the clock did since the call before; returns the phase slewed out meanwhile,
  // s, by which every older offset has shrunk. To be called before each sample is taken and before
  // OnOffset() and Tick() of the same `now`, which must not run backwards.
  double Advance(MonoTime now);
  ClockAction OnOffset(const OffsetUpdate& update, MonoTime now);
  // The last kStep was made: all samples are void.
  void OnStepMade(MonoTime now);
  // It was refused, and nothing has changed: offsets as large are ignored for a while, longer each
  // time.
  void OnStepRefused(MonoTime now);
  // The slew of the last tick was refused: nothing of it was done. The ticks that follow keep the
  // frequency and slew nothing for a while.
  void OnSlewRefused(MonoTime now);
  ClockTick Tick(MonoTime now);
  // There is nobody to follow any more: the clock goes on at a frequency that was not bent by what
  // the last minutes said.
  void OnSourcesLost();
  // The parameters that it was made with say something else now.
  void OnParametersChanged();
  // `disable ntp`: offsets are measured and shown, and nothing is asked of the clock. OnOffset()
  // then says kSlew for every offset, and the ticks keep the frequency and slew nothing.
  void SetMeasureOnly(bool measure_only) { measure_only_ = measure_only; }

  // False when every tick until the next offset would be the same.
  bool needs_ticks() const { return residual_ != 0; }

  DisciplineState state() const { return state_; }
  Ppm frequency() const { return Ppm{frequency_ * 1e6}; }
  Ppm wander() const { return Ppm{wander_ * 1e6}; }  // RMS change of the frequency
  double jitter() const { return jitter_; }          // s, RMS surprise
  double residual() const { return residual_; }      // s, still to be slewed
  // By how much slews and frequency have moved the clock since the start, as of the last Advance.
  double corrected() const { return corrected_; }
  // What a measurement taken now would be expected to say; none before an offset was used.
  std::optional<double> Expect(const Measurement& measurement) const;
  // The standard deviation of that, s, as far as it comes of a frequency that is not known yet: 0
  // once it is, and after the first minutes.
  double ExpectDeviation(const Measurement& measurement) const;
  // Whether an offset, s, is stepped and not slewed out.
  bool BeyondStep(double offset) const;
  int poll() const { return poll_; }         // log2 s; the poll of all sources
  bool started() const { return started_; }  // an offset was used
  // Worth writing to the drift file: the frequency is measured, not assumed.
  bool frequency_known() const { return frequency_measured_; }
  bool panic_gate_open() const { return panic_gate_open_; }

 private:
  ClockAction OnLargeOffset(const OffsetUpdate& update, MonoTime now);
  ClockAction ProposeStep(const OffsetUpdate& update, MonoTime now);
  void ForgetRefusals();
  void Take(const Measurement& measurement);
  void SetFrequency(double frequency);
  bool MayRaisePoll() const;
  void AdaptPoll(const OffsetUpdate& update);

  const Parameters& parameters_;
  double precision_;
  bool slew_only_;
  double step_forward_ = 0, step_backward_ = 0;
  bool panic_gate_open_;

  DisciplineState state_ = DisciplineState::kNoFrequency;
  ClockModel model_;
  MonoTime measured_;  // when the model last took a measurement
  double corrected_at_measurement_ = 0;
  double corrected_ = 0;   // s
  double frequency_ = 0;   // s/s, applied
  double wander_ = 0;      // s/s
  double jitter_ = 0;      // s
  double residual_ = 0;    // s
  double pending_ = 0;     // s: what is left of the part of the residual that the last tick gave
  double handed_out_ = 0;  // s: all of that part
  std::optional<MonoTime> advanced_;
  std::optional<MonoTime> spike_since_;
  double proposed_ = 0;  // s: the step that was asked for last
  int proposed_minpoll_ = 6;
  std::optional<MonoTime> refused_until_;
  double refusal_wait_;  // s, after the next refusal
  std::optional<MonoTime> no_slew_until_;
  MonoTime began_;  // when the model took its first measurement
  int poll_ = 6;
  int poll_count_ = 0;                   // hysteresis of the poll adaptation
  std::optional<MonoTime> poll_raised_;  // when it last counted upwards
  bool started_ = false;                 // an offset was used
  bool frequency_measured_ = false;
  bool measure_only_ = false;
};

}  // namespace ntpward::core
