// SHA-1 (RFC 3174), for the check sum of a leap second file and for nothing that must withstand an
// attacker. Its own few lines: the supervisor, which reads that file, links no OpenSSL.
#pragma once

#include <array>
#include <cstdint>

#include "privsep/base/bytes.h"

namespace ntpward::config {

// The five words H0..H4 of the digest of `text`, which is at most 2^32 octets.
std::array<uint32_t, 5> Sha1(Bytes text);

}  // namespace ntpward::config
