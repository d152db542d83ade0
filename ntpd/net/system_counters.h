// The figures of ntpq's monstats, iostats, timerstats, authinfo and kerninfo.
#pragma once

#include "ntpd/control/view.h"
#include "ntpd/core/rate_limit.h"
#include "ntpd/net/node.h"

namespace ntpward::net {

// All count since the process started; nothing resets them.
void FillSystemCounters(const Node& node, const core::RateLimiter* recent,
                        control::SystemView* view);

}  // namespace ntpward::net
