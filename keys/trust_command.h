// The one line of configuration that ntpd-keys reads when it comes by mode 6: it trusts symmetric
// keys, or trusts them no longer.
//
//     trustedkey ID...
//     untrustedkey ID...
//
// ID is 1..65535 in decimal; blanks and tabs stand between the words and nowhere else. The octets
// come from whoever asks; their MAC was good.
#pragma once

#include <string_view>

#include "privsep/base/result.h"
#include "privsep/msg/command.h"

namespace ntpward::keys {

struct TrustCommand {
  struct Item {
    KeyId key;
    uint16_t column = 0;  // in the line, from 0
  };

  bool trust = true;
  InlineVector<Item, msg::kMaxCommandKeys> keys;  // at least one
};

// Where in the line it is wrong; 0 when it is another line altogether.
struct CommandError {
  uint16_t column = 0;
};

// Whether a line is about the trust in keys, well-formed or not: such a line is judged and done
// here, and nowhere else.
bool IsTrustCommand(std::string_view line);

Result<TrustCommand, CommandError> ParseTrustCommand(std::string_view line);

}  // namespace ntpward::keys
