// What ntpd-clock is started with, and how a successor goes on where a dead one stopped.
#pragma once

#include <optional>

#include "ntpd/config/config.h"
#include "ntpd/supervisor/options.h"
#include "privsep/msg/clock.h"

namespace ntpward::supervisor {

// The limits that hold for the daemon's life: a reload does not widen them.
msg::ClockStart FirstClockStart(const config::Config& config, const Options& options,
                                bool virtual_clock, std::optional<Ppm> drift);

// The same for a process that follows one whose last word was `mirror`: frequency, spent budgets
// and TAI offset go on, the panic gate stays shut once it was, no slew may be a large first one,
// and a virtual clock goes on as if it had never stopped, its slew included. `now` is
// CLOCK_MONOTONIC.
msg::ClockStart NextClockStart(const msg::ClockStart& first, const msg::ClockMirror& mirror,
                               MonoTime now);

}  // namespace ntpward::supervisor
