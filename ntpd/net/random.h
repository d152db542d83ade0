// Random numbers for nonces and key identifiers, from the kernel's generator.
#pragma once

#include <sys/random.h>

#include <cstdint>

#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::net {

inline uint64_t RandomNumber() {
  uint64_t value = 0;
  // Small requests are never interrupted or short once the generator is seeded (getrandom(2)).
  CHECK(getrandom(&value, sizeof value, 0) == sizeof value);
  return value;
}

// 64 bits that an off-path sender would have to guess; never zero, which means "unknown".
inline NtpTimestamp RandomNonce() {
  for (;;)
    if (const uint64_t value = RandomNumber(); value != 0) return NtpTimestamp::FromRaw(value);
}

// A session key identifier: above 65535.
inline KeyId RandomSessionKeyId() {
  for (;;)
    if (const auto value = static_cast<uint32_t>(RandomNumber()); value > 65535) return {value};
}

}  // namespace ntpward::net
