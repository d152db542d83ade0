// The one form of mode 6 request that ntpd-keys reads: CONFIGURE (RFC 9327 section 3) with a line
// that trusts symmetric keys, or trusts them no longer.
//
//     trustedkey ID... [nonce=HEX]
//     untrustedkey ID... [nonce=HEX]
//
// ID is 1..65535 in decimal, HEX 32 lower-case digits; blanks and tabs stand between the words and
// nowhere else. The octets come from whoever asks; their MAC was good.
#pragma once

#include "privsep/base/result.h"
#include "privsep/msg/command.h"

namespace ntpward::keys {

struct TrustCommand {
  struct Item {
    KeyId key;
    uint16_t column = 0;  // in the request's data, from 0
  };

  bool trust = true;
  InlineVector<Item, msg::kMaxCommandKeys> keys;  // at least one
  InlineBytes<msg::kCommandNonceOctets> nonce;    // empty: none came along
};

// Where in the request's data it is wrong; 0 when it is another request altogether.
struct CommandError {
  uint16_t column = 0;
};

// `covered`: header, data and padding to a multiple of eight, as the MAC covers them.
Result<TrustCommand, CommandError> ParseTrustCommand(Bytes covered);

}  // namespace ntpward::keys
