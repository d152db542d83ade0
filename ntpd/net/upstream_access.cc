// What the restrict list says of those that are asked, or that packets made associations of.
#include <string>
#include <utility>

#include "ntpd/core/source_access.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {

bool Upstreams::Refuses(AssocId id, core::AccessFlags flags, uint8_t version) {
  const core::Association* association = node_->engine->Find(id);
  const auto found = upstreams_.find(id);
  if (association == nullptr || found == upstreams_.end()) return false;
  Upstream& upstream = *found->second;
  const auto flag = core::RefusedBy(flags, version, association->keyed());
  if (!flag) {
    upstream.refused_by = {};
    return false;
  }
  ++node_->packets.restricted;
  SayRefused(&upstream, *flag);
  return true;
}

void Upstreams::OnAccessChanged() {
  for (const auto& [id, upstream] : upstreams_) {
    upstream->refused_by = {};
    upstream->said_refused = false;
  }
}

// Once for an access list: who forges packets of it that the entry refuses, and such that it does
// not, must not fill the log.
void Upstreams::SayRefused(Upstream* upstream, std::string_view flag) {
  upstream->refused_by = flag;
  if (std::exchange(upstream->said_refused, true)) return;
  node_->reporter.Log(LogLevel::kWarning, upstream->label() +
                                              ": what it sends is dropped, for its restrict entry "
                                              "has " +
                                              std::string(flag));
}

// Packets of a peer come to a listening socket, which drops those of an ignored address unseen.
void Upstreams::SayIfIgnored(Upstream* upstream) {
  const core::AccessFlags flags = node_->access.Peek(upstream->remote).flags;
  if (flags.has(core::Access::kIgnore)) SayRefused(upstream, "ignore");
}

}  // namespace ntpward::net
