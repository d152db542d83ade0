// Capabilities of this process: dropped to a stated list, everywhere at once.
#pragma once

#include <sys/capability.h>

#include <span>
#include <string>

#include "privsep/base/result.h"

namespace ntpward {

// True when `capability` is in the effective set.
bool HasCapability(cap_value_t capability);

// Keeps `keep` in the permitted and effective sets and drops all others; inheritable and ambient
// end empty. What is asked for but not held is left out silently: HasCapability tells.
Status KeepOnlyCapabilities(std::span<const cap_value_t> keep);

// Drops everything but `keep` from the bounding set; needs CAP_SETPCAP, without which it does
// nothing.
Status LimitBoundingSet(std::span<const cap_value_t> keep);

}  // namespace ntpward
