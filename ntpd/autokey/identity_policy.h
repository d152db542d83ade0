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

// `root` is the subject of the trusted certificate that ended the trail, `server_word` the status
// word that the server sent in ASSOC.
IdentityDemand DecideIdentity(const DancePolicy& policy,
                              const InlineVector<msg::GroupParameters, msg::kMaxGroups>& groups,
                              std::string_view root, uint32_t server_word);

// "IFF", "GQ", "MV", "PC"; "TC" for none: the certificate trail.
std::string_view SchemeLabel(msg::IdentityScheme scheme);
// The scheme's bit in a status word; 0 for none.
uint32_t SchemeBit(msg::IdentityScheme scheme);

}  // namespace ntpward::autokey
