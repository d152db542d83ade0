// Why a source is used or not, in an operator's words.
//
// Everything comes from the server's variables and status word; whatever a server sends ends up as
// printable text, and what it leaves out is not spoken of. Meanings: RFC 5905 sections 9 and 11,
// RFC 5906 (Autokey's status bits), ntpd 4.2.8 (status word, `flash`).
#pragma once

#include <optional>
#include <string>

#include "ntpd/wire/status_word.h"
#include "ntpq/values.h"
#include "privsep/base/types.h"

namespace ntpward::ntpq {

// One paragraph in lines of at most 78 columns. `name` is how the user knows the source;
// `system_peer` is the association that the server's clock follows (its variable `peer`), 0 for
// none, empty when it is not known.
std::string Explanation(const std::string& name, wire::PeerStatus status, const Values& variables,
                        std::optional<AssocId> system_peer = std::nullopt);

}  // namespace ntpward::ntpq
