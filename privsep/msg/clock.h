// net <-> clock and supervisor <-> clock: requests to move the clock, and what became of them.
#pragma once

#include "privsep/msg/codec.h"

namespace ntpward::msg {

// net -> clock. Everything optional is left as it is when absent. The clock process checks each
// part against its own limits and applies all of it or nothing.
struct ClockAdjust {
  static constexpr Type kType = Type::kClockAdjust;
  uint32_t request = 0;
  std::optional<Ppm> frequency;  // base frequency, -500..500 ppm; stays until changed
  std::optional<double> slew;    // seconds to add gradually at 500 ppm; replaces what is pending
  std::optional<double> step;    // seconds to add at once
  std::optional<uint8_t> leap;   // 0 none, 1 insert, 2 delete at the end of this UTC month
  std::optional<int16_t> tai;    // TAI - UTC in seconds
  bool synchronised = false;     // clears STA_UNSYNC for others on this machine
  double maximum_error = 16;     // seconds, for adjtimex readers
  double estimated_error = 16;   // seconds

  bool Valid() const { return maximum_error >= 0 && estimated_error >= 0 && (!leap || *leap <= 2); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.frequency, m.slew, m.step, m.leap, m.tai, m.synchronised,
                    m.maximum_error, m.estimated_error);
  }
};

enum class ClockRefusal : uint8_t {
  kNone = 0,
  kFrequencyLimit,
  kSlewLimit,
  kStepLimit,
  kStepBudget,
  kSlewBudget,
  kBeforeBuildDate,
  kLeapDay,
  kTaiJump,
  kSystemError,
  kStepDistance,
  kUnheard,
  kLast = kUnheard,
};

// clock -> net, once at its own start and at each start of a new net (request 0), and once for each
// ClockAdjust.
//
// In virtual mode served time = CLOCK_REALTIME + Correction(t), with
//   Correction(t) = correction + frequency * (t - since) + the part of `slew` done by t + the leap
//                   second once t has come to `leap_at`,
// where the slew runs at 500 ppm from `since` and then stops by itself. In real mode all are zero
// but `frequency`, which is the kernel's: it takes leap seconds itself.
struct ClockState {
  static constexpr Type kType = Type::kClockState;
  uint32_t request = 0;
  ClockRefusal refusal = ClockRefusal::kNone;
  bool is_virtual = false;
  MonoTime since;         // CLOCK_MONOTONIC at which the figures hold
  double correction = 0;  // seconds
  Ppm frequency;          // base frequency as set, ppm
  Ppm simulated_error;    // virtual mode in tests: how wrong the oscillator is said to be, ppm
  double slew = 0;        // seconds still to be slewed at `since`
  uint8_t leap = 0;       // virtual mode, as in ClockAdjust: what takes place at `leap_at`
  MonoTime leap_at;

  bool Valid() const { return leap <= 2; }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.refusal, m.is_virtual, m.since, m.correction, m.frequency,
                    m.simulated_error, m.slew, m.leap, m.leap_at);
  }
};

// How fast a slew runs: what the kernel's adjtime does, and the virtual clock after it.
inline constexpr double kSlewRate = 500e-6;  // seconds per second

// Seconds of `state.slew` that are done by `now`, with its sign.
inline double SlewDone(const ClockState& state, MonoTime now) {
  const double elapsed = now - state.since;
  if (elapsed <= 0) return 0;
  const double most = kSlewRate * elapsed;
  return state.slew > most ? most : state.slew < -most ? -most : state.slew;
}

// Seconds that a leap second has changed the clock by at `now`: an inserted one puts it back.
inline double LeapDone(const ClockState& state, MonoTime now) {
  if (state.leap == 0 || now < state.leap_at) return 0;
  return state.leap == 1 ? -1 : 1;
}

// Served time minus system time at `now`, in seconds; 0 with a real clock.
inline double CorrectionAt(const ClockState& state, MonoTime now) {
  if (!state.is_virtual) return 0;
  const double ppm = state.frequency.value + state.simulated_error.value;
  return state.correction + ppm * 1e-6 * (now - state.since) + SlewDone(state, now) +
         LeapDone(state, now);
}

// One step that counts.
struct ClockStep {
  MonoTime at;
  double distance = 0;  // seconds, absolute

  static auto Fields(auto& m) { return std::tie(m.at, m.distance); }
};

// What was spent, carried over a restart of the clock process: leaky buckets, and the steps of a
// day.
struct ClockBudget {
  double steps = 0;         // number of steps, leaks kStepsPerDay a day
  double seconds_hour = 0;  // seconds slewed, leaks one hour's allowance an hour
  double seconds_day = 0;
  MonoTime as_of;
  // Oldest first. A full bucket of 8 and the 8 that leak in a day are the most that there can be.
  InlineVector<ClockStep, 17> day;

  static auto Fields(auto& m) {
    return std::tie(m.steps, m.seconds_hour, m.seconds_day, m.as_of, m.day);
  }
};

// supervisor -> clock, first message: the limits that hold until it dies.
struct ClockStart {
  static constexpr Type kType = Type::kClockStart;
  bool is_virtual = false;
  double step_limit = 0;         // seconds: one step may not exceed it (tinker panic; 0 = no limit)
  bool first_step_free = false;  // -g: the first correction of the daemon's life may be of any size
  bool slew_only = false;        // tinker step 0: steps are refused, -g or not
  // -q: the first correction of the daemon's life may be a slew of so many seconds; 0: of no more
  // than any other.
  double first_slew_limit = 0;
  double initial_correction = 0;  // virtual mode: --no-clock=OFFSET, or what a dead clock had
  Ppm simulated_error;
  Ppm frequency;                        // base frequency to start from
  std::optional<int16_t> tai;           // TAI - UTC that a dead clock had announced
  std::optional<MonoTime> tai_changed;  // ... and when it last became another
  ClockBudget budget;

  bool Valid() const { return step_limit >= 0 && first_slew_limit >= 0; }
  static auto Fields(auto& m) {
    return std::tie(m.is_virtual, m.step_limit, m.first_step_free, m.slew_only, m.first_slew_limit,
                    m.initial_correction, m.simulated_error, m.frequency, m.tai, m.tai_changed,
                    m.budget);
  }
};

// clock -> supervisor, before each change with what it will have spent, and after it: what a
// successor must know.
struct ClockMirror {
  static constexpr Type kType = Type::kClockMirror;
  Ppm frequency;
  double correction = 0;  // virtual mode, seconds, as of `as_of`
  double slew = 0;        // virtual mode, seconds still to be slewed at `as_of`
  MonoTime as_of;
  bool gate_shut = false;  // -g is used up: by a step of any size or by a first slew
  std::optional<int16_t> tai;
  std::optional<MonoTime> tai_changed;  // as in ClockStart
  ClockBudget budget;

  static auto Fields(auto& m) {
    return std::tie(m.frequency, m.correction, m.slew, m.as_of, m.gate_shut, m.tai, m.tai_changed,
                    m.budget);
  }
};

}  // namespace ntpward::msg
