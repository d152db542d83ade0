// Whether two messages say the same, octet for octet.
#pragma once

#include "privsep/msg/codec.h"

namespace ntpward::msg {

// Fatal when either is not valid, as Encode() is.
template <Message M>
bool Same(const M& a, const M& b) {
  Encoded first, second;
  Encode(a, &first);
  Encode(b, &second);
  return first == second;
}

}  // namespace ntpward::msg
