#include "privsep/capabilities.h"

#include <errno.h>
#include <sys/prctl.h>

#include <algorithm>
#include <memory>

#include "privsep/base/system_error.h"

namespace ntpward {
namespace {

struct FreeCaps {
  void operator()(void* caps) const { cap_free(caps); }
};
using Caps = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCaps>;

bool Has(cap_t caps, cap_flag_t set, cap_value_t capability) {
  cap_flag_value_t value = CAP_CLEAR;
  return cap_get_flag(caps, capability, set, &value) == 0 && value == CAP_SET;
}

}  // namespace

bool HasCapability(cap_value_t capability) {
  Caps caps(cap_get_proc());
  return caps != nullptr && Has(caps.get(), CAP_EFFECTIVE, capability);
}

Status KeepOnlyCapabilities(std::span<const cap_value_t> keep) {
  Caps held(cap_get_proc());
  Caps wanted(cap_init());
  if (held == nullptr || wanted == nullptr) return FailErrno("capabilities");
  for (const cap_value_t capability : keep) {
    if (!Has(held.get(), CAP_PERMITTED, capability)) continue;
    if (cap_set_flag(wanted.get(), CAP_PERMITTED, 1, &capability, CAP_SET) != 0 ||
        cap_set_flag(wanted.get(), CAP_EFFECTIVE, 1, &capability, CAP_SET) != 0)
      return FailErrno("capabilities");
  }
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (cap_set_proc(wanted.get()) != 0) return FailErrno("capset");
  return {};
}

Status LimitBoundingSet(std::span<const cap_value_t> keep) {
  if (!HasCapability(CAP_SETPCAP)) return {};
  for (cap_value_t capability = 0; cap_get_bound(capability) >= 0; ++capability) {
    if (std::find(keep.begin(), keep.end(), capability) != keep.end()) continue;
    if (cap_drop_bound(capability) != 0) return FailErrno("bounding set");
  }
  return {};
}

}  // namespace ntpward
