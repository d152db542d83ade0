// What single-valued lines (tos, tinker, enable, discard, mru, logconfig, setvar, ttl ...) change
// in what ntpd-net was started with.
#pragma once

#include <optional>

#include "ntpd/settings/lines.h"

namespace ntpward::settings {

// Puts what `config` sets in place of what `start` has. An error for what is not ntpd-net's to
// decide; `start` is then of no use.
std::optional<LineError> Overlay(const config::Config& config, msg::NetStart* start);

// A mask that leaves on just these bits of msg::LogClassBit.
config::LogMask MaskOf(uint8_t log_classes);

}  // namespace ntpward::settings
