// What a pipe message decodes to encodes to the same octets: there is one form of each, and all of
// it is read.
#pragma once

#include <algorithm>

#include "privsep/msg/codec.h"

namespace ntpward {

template <msg::Message M>
void RoundTrip(Bytes bytes) {
  M message;
  if (bytes.size() > msg::kMaxMessage || !msg::Decode(bytes, &message)) return;
  msg::Encoded again;
  msg::Encode(message, &again);
  CHECK(std::equal(bytes.begin(), bytes.end(), again.span().begin(), again.span().end()));
}

}  // namespace ntpward
