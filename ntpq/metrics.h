// All that one server says of itself, as metrics. docs/ntpq-metrics.md lists them.
//
// Names and units follow Prometheus' conventions: base units, _total for what only grows. Whatever
// the server sends, the text is valid; how many samples there are is bounded.
#pragma once

#include <span>

#include "ntpq/metrics_writer.h"
#include "ntpq/session.h"

namespace ntpward::ntpq {

// Associations that are told of; `ntpward_associations` counts all.
inline constexpr size_t kMaxMetricAssociations = 1024;

// Asks the current host and prints. A server that leaves any question without an answer, or does
// not allow it, has `ntpward_up 0` alone, and is told of on standard error.
void PrintMetrics(Session& session, MetricsFormat format);
// What is printed when there is no host to ask.
void PrintDown(Session& session, MetricsFormat format);

}  // namespace ntpward::ntpq
