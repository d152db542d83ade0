#include "ntpd/supervisor/clock_start.h"

#include <algorithm>

namespace ntpward::supervisor {
namespace {

constexpr double kSlewWithoutSteps = 600;  // seconds; -x steps beyond, as ntpd-net knows too

// What -q may have to slew in one go: offsets below the step threshold.
double FirstSlewLimit(const config::Tinker& tinker, const Options& options) {
  if (!options.quit) return 0;
  const double forward = tinker.stepfwd.value;
  const double backward = tinker.stepback.value;
  if (options.slew_only || forward == 0 || backward == 0) return kSlewWithoutSteps;
  return std::min(kSlewWithoutSteps, std::max(forward, backward));
}

}  // namespace

msg::ClockStart FirstClockStart(const config::Config& config, const Options& options,
                                bool virtual_clock, std::optional<Ppm> drift) {
  msg::ClockStart start;
  start.is_virtual = virtual_clock;
  start.step_limit = config.system.tinker.panic.value;
  start.first_step_free = options.allow_panic;
  const config::Tinker& tinker = config.system.tinker;
  start.slew_only = tinker.stepfwd.value == 0 && tinker.stepback.value == 0;
  start.first_slew_limit = FirstSlewLimit(tinker, options);
  start.initial_correction = options.clock_offset;
  start.simulated_error = Ppm{options.clock_error_ppm};
  start.frequency = drift.value_or(Ppm{0});
  return start;
}

msg::ClockStart NextClockStart(const msg::ClockStart& first, const msg::ClockMirror& mirror,
                               MonoTime now) {
  msg::ClockStart start = first;
  msg::ClockState course;
  course.is_virtual = first.is_virtual;
  course.since = mirror.as_of;
  course.correction = mirror.correction;
  course.frequency = mirror.frequency;
  course.simulated_error = first.simulated_error;
  course.slew = mirror.slew;
  start.initial_correction = msg::CorrectionAt(course, now);
  start.frequency = mirror.frequency;
  start.first_step_free = first.first_step_free && !mirror.gate_shut;
  // Whether the first correction was made nobody knows for sure.
  start.first_slew_limit = 0;
  start.tai = mirror.tai;
  start.tai_changed = mirror.tai_changed;
  start.budget = mirror.budget;
  return start;
}

}  // namespace ntpward::supervisor
