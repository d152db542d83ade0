// From measured offsets to corrections of the clock: when to slew, step or refuse, and what
// frequency to run at (RFC 5905 section 11.3, with the limits of ntpd 4.2.8).
//
// Outputs are values. OnOffset() says what kind of correction an offset calls for; Tick(), called
// about once a second, says at which frequency the clock should run and how much phase to slew out
// until the next tick. A slew that is not renewed ends by itself.
//
// Departures from RFC 5905:
// - The first offset is slewed out at once and the clock counts as disciplined from then on. While the
//   frequency is unknown, it is estimated from all offsets so far, freed of our own corrections, and
//   corrected as soon as the estimate is better than what is known; the RFC leaves the clock alone
//   for 15 minutes.
// - An offset that may not be stepped (`tinker step 0`, -x) is slewed at the full rate without
//   touching the frequency: the RFC's loop would wind up.
#pragma once

#include <cstdint>
#include <optional>

#include "ntpd/core/frequency_estimate.h"
#include "ntpd/core/parameters.h"
#include "privsep/base/types.h"

namespace ntpward::core {

// RFC 5905 figure 24.
enum class DisciplineState : uint8_t {
  kNoFrequency,       // NSET: nothing known yet
  kFrequencySet,      // FSET: the frequency came from the drift file
  kSpike,             // SPIK: an offset above the step threshold, not yet believed
  kMeasureFrequency,  // FREQ: slewing, frequency being estimated
  kSynchronised,      // SYNC
};

struct DisciplineConfig {
  std::optional<Ppm> drift;      // of the drift file
  bool panic_gate_open = false;  // -g: the first correction may exceed the panic threshold
  bool slew_only = false;        // -x: the step threshold becomes 600 s
};

// One combined offset, as selection delivers it.
struct OffsetUpdate {
  double offset = 0;  // s; positive: our clock is behind
  double jitter = 0;  // s
  MonoTime time;      // when it was measured
  int minpoll = 6;    // of the system peer
  int maxpoll = 10;
};

// What an offset calls for.
struct ClockAction {
  enum class Kind : uint8_t {
    kNone,    // nothing new
    kIgnore,  // above the step threshold, not for long enough: wait
    kSlew,    // `offset` will be slewed out by the ticks that follow
    kStep,    // step the clock by `offset` now; all samples are void then
    kPanic,   // `offset` is above the panic threshold: nothing was done, the daemon should end
  };
  Kind kind = Kind::kNone;
  double offset = 0;  // s
};

// How the clock should run until the next tick.
struct ClockTick {
  Ppm frequency;    // -500..500, positive: run faster
  double slew = 0;  // s, to be slewed out by then on top of the frequency; replaces what is left of
                    // the slew before
};

class Discipline {
 public:
  // `precision`: of our clock, s. `parameters` must outlive the object.
  Discipline(const Parameters& parameters, const DisciplineConfig& config, double precision);

  // `now` must not run backwards.
  // Accounts for what the clock did since the call before; returns the phase slewed out meanwhile, s,
  // by which every older offset has shrunk. To be called before each sample is taken and before
  // OnOffset() and Tick() of the same `now`.
  double Advance(MonoTime now);
  // The offset must be as seen at `now`, that is, less what was slewed since it was measured.
  ClockAction OnOffset(const OffsetUpdate& update, MonoTime now);
  ClockTick Tick(MonoTime now);
  // False when every tick until the next offset would be the same.
  bool needs_ticks() const { return residual_ != 0; }

  DisciplineState state() const { return state_; }
  Ppm frequency() const { return Ppm{frequency_ * 1e6}; }
  Ppm wander() const { return Ppm{wander_ * 1e6}; }
  double jitter() const { return jitter_; }
  double residual() const { return residual_; }  // s, still to be slewed
  int poll() const { return poll_; }             // log2 of the time constant; the poll of all sources
  // Worth writing to the drift file: the frequency is measured, not assumed.
  bool frequency_known() const;
  bool panic_gate_open() const { return panic_gate_open_; }

 private:
  bool BeyondStep(double offset) const;
  ClockAction OnLargeOffset(const OffsetUpdate& update, MonoTime now);
  ClockAction StepBy(const OffsetUpdate& update, MonoTime now);
  void Steer(const OffsetUpdate& update, MonoTime now);
  void SetFrequency(double frequency);
  void AdaptPoll(const OffsetUpdate& update);
  void Enter(DisciplineState state, double offset, MonoTime time);

  const Parameters& parameters_;
  double precision_;
  double step_forward_, step_backward_;
  bool panic_gate_open_;

  DisciplineState state_ = DisciplineState::kNoFrequency;
  double frequency_ = 0;  // s/s
  double wander_ = 0;     // s/s
  double jitter_ = 0;     // s
  double residual_ = 0;   // s
  double last_offset_ = 0;
  MonoTime state_time_;   // of the last offset that was used
  int poll_ = 6;
  int poll_count_ = 0;    // hysteresis of the poll adaptation
  bool started_ = false;  // an offset was used
  bool fast_slew_ = true;  // slew the residual at the full rate
  double pending_ = 0;     // s: the part of the residual that the last tick handed out
  std::optional<MonoTime> advanced_;
  double corrected_ = 0;   // s: what slews and frequency have added to the clock since the start
  FrequencyEstimate estimate_;
};

}  // namespace ntpward::core
