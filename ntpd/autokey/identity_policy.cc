#include "ntpd/autokey/identity_policy.h"

#include <algorithm>

#include "ntpd/autokey/status_bits.h"

namespace ntpward::autokey {
namespace {

using Groups = InlineVector<msg::GroupParameters, msg::kMaxGroups>;

constexpr size_t kMostGroup = 64;  // characters: GroupParameters::group

constexpr msg::IdentityScheme kGroupSchemes[] = {
    msg::IdentityScheme::kIff, msg::IdentityScheme::kGq, msg::IdentityScheme::kMv};

// A client's parameter files for one group; the first of each kind, in the reference's order.
struct Installed {
  const msg::GroupParameters* any = nullptr;
  const msg::GroupParameters* verifiable = nullptr;  // with a public value
  const msg::GroupParameters* usable = nullptr;      // ... and of a scheme that the server shows
};

void KeepFirst(const msg::GroupParameters*& kept, const msg::GroupParameters& candidate) {
  if (kept == nullptr || candidate.scheme < kept->scheme) kept = &candidate;
}

Installed LookUp(const Groups& groups, std::string_view group, uint32_t server_word) {
  Installed found;
  for (const msg::GroupParameters& parameters : groups) {
    if (parameters.group.text() != group) continue;
    KeepFirst(found.any, parameters);
    if (!parameters.has_public) continue;
    KeepFirst(found.verifiable, parameters);
    if ((server_word & SchemeBit(parameters.scheme)) != 0) KeepFirst(found.usable, parameters);
  }
  return found;
}

std::string FileName(msg::IdentityScheme scheme, const std::string& group) {
  std::string name = "ntpkey_";
  for (const char c : SchemeLabel(scheme)) name += static_cast<char>(c - 'A' + 'a');
  return name + "par_" + group;
}

// The root's name, which becomes the group's, is whatever somebody wrote into a certificate: an
// operator who does as the log says must not end up in another directory.
bool CanBeAFile(const std::string& group) {
  return group.size() <= kMostGroup && group.find('/') == std::string::npos;
}

// The files that would let us check this server; IFF's when it shows no scheme.
std::string WantedFiles(const std::string& group, uint32_t server_word) {
  std::string names;
  for (const msg::IdentityScheme scheme : kGroupSchemes)
    if ((server_word & SchemeBit(scheme)) != 0)
      names += (names.empty() ? "" : " or ") + FileName(scheme, group);
  return names.empty() ? FileName(msg::IdentityScheme::kIff, group) : names;
}

std::string DefaultGroup(const Groups& groups, std::string_view root, std::string_view own) {
  if (!GroupOf(own).empty()) return std::string(GroupOf(own));
  const bool named_in_full = LookUp(groups, root, 0).any != nullptr;
  return std::string(GroupOf(root).empty() || named_in_full ? root : GroupOf(root));
}

IdentityDemand Refusal(std::string group, std::string reason) {
  IdentityDemand demand;
  demand.group = std::move(group);
  demand.reason = std::move(reason);
  return demand;
}

// Names come out of certificates (printable) or from ntp.conf.
std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

bool IsOfGroup(std::string_view subject, std::string_view group) {
  return subject == group || GroupOf(subject) == group;
}

}  // namespace

std::string_view GroupOf(std::string_view subject) {
  const size_t at = subject.find('@');
  return at == std::string_view::npos ? std::string_view() : subject.substr(at + 1);
}

IdentityDemand DecideIdentity(const DancePolicy& policy, const Groups& groups,
                              std::string_view root, std::string_view own, uint32_t server_word) {
  const bool pinned = !policy.group.empty();
  const std::string group = pinned ? policy.group : DefaultGroup(groups, root, own);
  const Installed installed = LookUp(groups, group, server_word);

  if (installed.usable != nullptr) {
    IdentityDemand demand;
    demand.demand = Demand::kProof;
    demand.scheme = installed.usable->scheme;
    demand.group = group;
    demand.filestamp = installed.usable->filestamp;
    return demand;
  }
  if (installed.verifiable != nullptr)
    return Refusal(group, "server shows no identity scheme that our group key for " +
                              Quoted(group) + " can check (" +
                              FileName(installed.verifiable->scheme, group) + ")");
  // A file without public value can prove nothing, so while a site moves over it counts as none.
  if (policy.excuses()) {
    IdentityDemand demand;
    demand.demand = Demand::kTrail;
    demand.group = group;
    return demand;
  }
  if (installed.any != nullptr)
    return Refusal(group, "group key for " + Quoted(group) + ", " +
                              FileName(installed.any->scheme, group) +
                              ", has no public value and proves nothing: export it again at the "
                              "server with ntp-keygen -e");
  if (!CanBeAFile(group))
    return Refusal(group, "no group key for " + Quoted(group) +
                              ", and no group can have such a name: say `ident` to name its group");
  return Refusal(group, "no group key for " + Quoted(group) + ": install " +
                            WantedFiles(group, server_word) +
                            (pinned ? "" : " or say `identity optional`"));
}

bool NamesAgree(const DancePolicy& policy, std::string_view own, std::string_view server) {
  return GroupOf(own).empty() || !policy.group.empty() || GroupOf(server) == GroupOf(own);
}

IdentityDemand DecidePrivate(const DancePolicy& policy, std::string_view subject) {
  if (!policy.group.empty() && policy.group != subject && policy.group != GroupOf(subject))
    return Refusal(policy.group, "our own certificate is private (scheme PC) and for " +
                                     Quoted(subject) + ", not for the group " +
                                     Quoted(policy.group));
  IdentityDemand demand;
  demand.demand = Demand::kProof;
  demand.scheme = msg::IdentityScheme::kPc;
  demand.group = subject;
  return demand;
}

std::string PrivateKeyReason(std::string_view subject) {
  return "it does not have the key of our private certificate " + Quoted(subject) +
         " (scheme PC): install the same host key and certificate on both, made once by "
         "'ntp-keygen -P'";
}

std::string OtherKeyReason(std::string_view server, std::string_view root, std::string_view group) {
  const std::string name = "server " + std::string(server);
  if (IsOfGroup(server, group) || IsOfGroup(root, group))
    return name + " has another generation of the group key for " + Quoted(group) +
           " than we: install the one that it exports now";
  const std::string_view shown = GroupOf(root).empty() ? root : GroupOf(root);
  return name + " did not prove that it has the group key for " + Quoted(group) +
         ": it is perhaps of group " + Quoted(shown) + ", as its trusted certificate is named" +
         // A host's name says little, as its group need not be called so.
         (GroupOf(root).empty() ? ", or its key is of another generation than ours" : "");
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
