// The figures of ntpq's monstats, iostats, timerstats, authinfo and kerninfo.
#pragma once

#include "ntpd/control/reset.h"
#include "ntpd/control/view.h"
#include "ntpd/core/rate_limit.h"
#include "ntpd/net/node.h"

namespace ntpward::net {

// All count since the process started, or since a `reset` of theirs.
void FillSystemCounters(const Node& node, const core::RateLimiter* recent,
                        control::SystemView* view);

// Begins anew with what the groups name of the node's counters.
void ResetCounters(const control::ResetGroups& groups, Node* node);

}  // namespace ntpward::net
