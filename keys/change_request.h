// A request by mode 6 that would change something (RFC 9327 section 3: CONFIGURE, SAVECONFIG,
// WRITEVAR), as far as ntpd-keys reads it: enough to tell whether its sender may, and whether it is
// about keys.
//
// The octets come from whoever asks; their MAC was good.
#pragma once

#include <optional>
#include <string_view>

#include "privsep/base/bytes.h"
#include "privsep/base/nonce_word.h"

namespace ntpward::keys {

enum class ChangeOperation : uint8_t { kWriteVariables = 3, kConfigure = 8, kSaveConfig = 9 };

struct ChangeRequest {
  ChangeOperation operation = ChangeOperation::kConfigure;
  std::string_view text;            // the data without the nonce; points into the octets
  InlineBytes<kNonceOctets> nonce;  // empty: none came along
};

// `covered`: header, data and padding to a multiple of eight, as the MAC covers them. None for
// anything but such a request to the daemon itself (association 0).
std::optional<ChangeRequest> ParseChangeRequest(Bytes covered);

}  // namespace ntpward::keys
