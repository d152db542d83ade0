// What the restrict list says of packets that come to an association of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ntpd/core/access.h"

namespace ntpward::core {

// The flag, by its name in ntp.conf, for which such a packet is dropped; none: it is let through.
// As ntpd 4.2.8 does, `ignore`, `noserve` and `version` hold for those whom we ask, too, and
// `notrust` demands an association with a key or Autokey (`keyed`), whose packets are
// authenticated then or dropped for that. `flags`: of the sender's entry; `version`: the packet's.
std::optional<std::string_view> RefusedBy(AccessFlags flags, uint8_t version, bool keyed);

}  // namespace ntpward::core
