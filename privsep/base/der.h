// The little of ASN.1's DER that is taken apart without OpenSSL: a SEQUENCE and the INTEGERs in it.
//
// The octets may come from anyone. What breaks a rule marks the reader as failed.
#pragma once

#include "privsep/base/bytes.h"

namespace ntpward {

inline constexpr uint8_t kDerInteger = 0x02;
inline constexpr uint8_t kDerSequence = 0x30;

// The content of the next element, which is at most 65535 octets; fails when its tag is another, or
// its length is not in the shortest form.
Bytes TakeDerElement(Reader* reader, uint8_t tag);

// The magnitude of the next INTEGER, big-endian, without leading zeros but for zero itself; fails
// for a negative one, for one with needless leading octets and for more than `max_octets`.
Bytes TakeDerMagnitude(Reader* reader, size_t max_octets);

}  // namespace ntpward
