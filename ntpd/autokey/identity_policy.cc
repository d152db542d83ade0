#include "ntpd/autokey/identity_policy.h"

#include <algorithm>

#include "ntpd/autokey/status_bits.h"

namespace ntpward::autokey {
namespace {

using Groups = InlineVector<msg::GroupParameters, msg::kMaxGroups>;

struct Installed {
  bool any = false;                              // a parameter file for the group
  bool verifiable = false;                       // at least one with a public value
  const msg::GroupParameters* usable = nullptr;  // ... whose scheme the server shows
};

Installed LookUp(const Groups& groups, std::string_view group, uint32_t server_word) {
  Installed found;
  for (const msg::GroupParameters& parameters : groups) {
    if (parameters.group.text() != group) continue;
    found.any = true;
    if (!parameters.has_public) continue;
    found.verifiable = true;
    const bool shown = (server_word & SchemeBit(parameters.scheme)) != 0;
    // Lower numbers first: IFF, GQ, MV, as the reference orders them.
    if (shown && (found.usable == nullptr || parameters.scheme < found.usable->scheme))
      found.usable = &parameters;
  }
  return found;
}

IdentityDemand Refusal(std::string group, std::string reason) {
  IdentityDemand demand;
  demand.group = std::move(group);
  demand.reason = std::move(reason);
  return demand;
}

// Names come out of certificates (printable) or from ntp.conf.
std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace

IdentityDemand DecideIdentity(const DancePolicy& policy, const Groups& groups,
                              std::string_view root, uint32_t server_word) {
  const bool pinned = !policy.group.empty();
  const std::string group = pinned ? policy.group : std::string(root);
  const Installed installed = LookUp(groups, group, server_word);

  if (installed.usable != nullptr) {
    IdentityDemand demand;
    demand.demand = Demand::kProof;
    demand.scheme = installed.usable->scheme;
    demand.group = group;
    demand.filestamp = installed.usable->filestamp;
    return demand;
  }
  if (installed.verifiable)
    return Refusal(group, "server shows no identity scheme that our group key for " +
                              Quoted(group) + " can check");
  // A file without public value can prove nothing, so while a site moves over it counts as none.
  if (!pinned && (policy.optional_here || policy.optional_everywhere)) {
    IdentityDemand demand;
    demand.demand = Demand::kTrail;
    demand.group = group;
    return demand;
  }
  if (installed.any)
    return Refusal(group, "group key for " + Quoted(group) +
                              " has no public value and proves nothing: export it again at the "
                              "server with ntp-keygen -e");
  return Refusal(group, "no group key for " + Quoted(group) + ": install ntpkey_iffpar_" + group +
                            (pinned ? "" : " or say `identity optional`"));
}

std::string_view SchemeLabel(msg::IdentityScheme scheme) {
  switch (scheme) {
    case msg::IdentityScheme::kNone:
      return "TC";
    case msg::IdentityScheme::kPc:
      return "PC";
    case msg::IdentityScheme::kIff:
      return "IFF";
    case msg::IdentityScheme::kGq:
      return "GQ";
    case msg::IdentityScheme::kMv:
      return "MV";
  }
  return "TC";
}

uint32_t SchemeBit(msg::IdentityScheme scheme) {
  switch (scheme) {
    case msg::IdentityScheme::kNone:
      return 0;
    case msg::IdentityScheme::kPc:
      return kPrivate;
    case msg::IdentityScheme::kIff:
      return kIff;
    case msg::IdentityScheme::kGq:
      return kGq;
    case msg::IdentityScheme::kMv:
      return kMv;
  }
  return 0;
}

}  // namespace ntpward::autokey
