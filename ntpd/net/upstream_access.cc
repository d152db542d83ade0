// What the restrict list says of those that are asked, or that packets made associations of.
#include <string>

#include "ntpd/core/source_access.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {

bool Upstreams::Refuses(AssocId id, core::AccessFlags flags, uint8_t version) {
  const core::Association* association = node_->engine->Find(id);
  const auto found = upstreams_.find(id);
  if (association == nullptr || found == upstreams_.end()) return false;
  Upstream& upstream = *found->second;
  const auto flag = core::RefusedBy(flags, version, association->keyed());
  if (flag) ++node_->packets.restricted;
  if (flag && !upstream.said_refused)
    node_->reporter.Log(LogLevel::kWarning, upstream.label() +
                                                ": what it sends is dropped, for its restrict "
                                                "entry has " +
                                                std::string(*flag));
  upstream.said_refused = flag.has_value();
  return flag.has_value();
}

}  // namespace ntpward::net
