// Which proof of identity a server owes us, decided from what the operator wrote and installed.
//
// What the server says of itself is unsigned, so it can never weaken what is asked for: a server
// that shows no identity scheme, while the operator installed a group key that can check one, is
// refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "privsep/base/inline_vector.h"
#include "privsep/msg/keys.h"

namespace ntpward::autokey {

// What ntp.conf says of identity, for one association.
struct DancePolicy {
  std::string group;                 // `ident G`: pinned, never optional; empty: the trusted root's
  bool optional_here = false;        // `identity optional` on the association
  bool optional_everywhere = false;  // `crypto identity optional`
  bool chosen = true;                // the association is on a line; else a packet made it

  // A trail alone will do for who can give no proof.
  bool excuses() const { return group.empty() && (optional_here || optional_everywhere); }
  friend bool operator==(const DancePolicy&, const DancePolicy&) = default;
};

enum class Demand : uint8_t {
  kProof,   // run the exchange of `scheme` for `group`
  kTrail,   // the certificate trail alone will do: the operator said so
  kRefuse,  // `reason` says what is missing and how to mend it
};

struct IdentityDemand {
  Demand demand = Demand::kRefuse;
  msg::IdentityScheme scheme = msg::IdentityScheme::kNone;  // kProof
  std::string group;                                        // whose parameters count
  NtpSeconds filestamp;                                     // kProof: of the parameter file
  std::string reason;                                       // kRefuse: one line for the operator
};

// `root` is the subject of the trusted certificate that ended the trail, `own` our own subject,
// `server_word` the status word that the server sent in ASSOC. The group is the one that was
// pinned, else that of our own name (host@group, as ntpd 4.2.8 has it), else that of the root's
// name, else the root's name itself. Of several schemes that both sides have the first of IFF, GQ
// and MV counts, as ntpd 4.2.6 chooses.
IdentityDemand DecideIdentity(const DancePolicy& policy,
                              const InlineVector<msg::GroupParameters, msg::kMaxGroups>& groups,
                              std::string_view root, std::string_view own, uint32_t server_word);

// ntpd 4.2.8's rule for names: a host of a group, `own` = host@group, follows hosts of that group
// only. Names are no proof; this refuses early what was configured by mistake. A pinned group,
// which will have to be proved, is taken in place of ours.
bool NamesAgree(const DancePolicy& policy, std::string_view own, std::string_view server);

// Scheme PC: our own certificate, `subject`, is private, and whoever signs with its key belongs to
// us. Refused when the operator pinned another group than that certificate's: its subject, or what
// stands behind the '@' in it.
IdentityDemand DecidePrivate(const DancePolicy& policy, std::string_view subject);

// Why `server`, whose trail ended at `root`, has proved nothing by a group key that is not dated as
// ours for `group` is: one line for the operator. It tells to install what the server exports only
// where names say that it is of that group: else a foreign group would pass for ours from then on.
std::string OtherKeyReason(std::string_view server, std::string_view root, std::string_view group);

// Scheme PC: why a server of our own certificate's `subject` is refused that does not take our key,
// or does not sign by it.
std::string PrivateKeyReason(std::string_view subject);

// What stands behind the '@' of a host's name (ntpd 4.2.8: host@group); empty when there is none.
std::string_view GroupOf(std::string_view subject);

// "IFF", "GQ", "MV", "PC"; "TC" for none: the certificate trail.
std::string_view SchemeLabel(msg::IdentityScheme scheme);
// The scheme's bit in a status word; 0 for none.
uint32_t SchemeBit(msg::IdentityScheme scheme);

}  // namespace ntpward::autokey
