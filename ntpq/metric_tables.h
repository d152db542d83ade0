// Which variable becomes which metric.
#pragma once

#include <time.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ntpq/metrics_writer.h"

namespace ntpward::ntpq {

// From the unit of the protocol to a base unit.
enum class MetricScale : uint8_t {
  kPlain,
  kMilliseconds,
  kPpm,
  kLog2,  // an exponent, of seconds
  kKilobytes,
  kRegister,   // eight polls, one bit each: the part that was answered
  kTimestamp,  // an NTP timestamp as Unix time; none for 0, which means never
  kMinute,     // YYYYMMDDhhmm as Unix time
};

struct VariableMetric {
  std::string_view variable;
  MetricScale scale = MetricScale::kPlain;
  MetricFamily family;
};

// Variables of the system, by the set in which they are asked for: the default answer, and those
// that are sent by name alone.
std::span<const VariableMetric> SystemMetrics();
std::span<const std::span<const VariableMetric>> NamedSystemMetrics();
// The same of an association.
std::span<const VariableMetric> AssociationMetrics();
std::span<const VariableMetric> NamedAssociationMetrics();

// Whether only a server of ntpward has the variable.
bool IsOurs(std::string_view variable);

// The value in the metric's unit; none for text that is no such value. `now`: see ToUnix.
std::optional<double> MetricValue(std::string_view text, MetricScale scale, const timespec& now);

}  // namespace ntpward::ntpq
