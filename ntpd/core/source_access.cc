#include "ntpd/core/source_access.h"

#include "ntpd/wire/packet.h"

namespace ntpward::core {

std::optional<std::string_view> RefusedBy(AccessFlags flags, uint8_t version, bool keyed) {
  if (flags.has(Access::kIgnore)) return "ignore";
  if (flags.has(Access::kNoServe)) return "noserve";
  if (flags.has(Access::kVersion) && version != wire::kMaxVersion) return "version";
  if (flags.has(Access::kNoTrust) && !keyed) return "notrust";
  return std::nullopt;
}

}  // namespace ntpward::core
