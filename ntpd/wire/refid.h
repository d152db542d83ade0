// The reference identifier: who a clock follows, or, at stratum 0, why a server will not serve.
//
// RFC 5905 section 7.3. The four octets come from the network; the text made here is printable.
#pragma once

#include <cstdint>
#include <string>

#include "privsep/base/address.h"

namespace ntpward::wire {

// Four ASCII characters as the number on the wire: RefidCode("RATE") is 0x52415445.
constexpr uint32_t RefidCode(const char (&text)[5]) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(text[i]);
  return value;
}

// What a stratum 0 reply asks of its receiver (RFC 5905 section 7.4).
enum class Kiss : uint8_t {
  kNone,  // no code of this list: ignore the packet, change nothing
  kDeny,  // access denied: stop
  kRstr,  // access denied by policy: stop
  kRate,  // too fast: slow down
  kCryp,  // authentication or identification failed
  kNkey,  // no key
  kInit,  // not yet synchronised
  kStep,  // its clock was just stepped
};

// The code that `refid` spells; meaningful only at stratum 0.
Kiss KissFromRefid(uint32_t refid);

// As ntpd 4.2.8 shows it: a dotted quad at strata 2 to 15, else up to four characters, ended by the
// first NUL, with blanks, commas and whatever is not printable ASCII as dots.
std::string RefidText(uint32_t refid, uint8_t stratum);

// What a server that follows `upstream` names as its source: the IPv4 address, or the first four
// octets of the MD5 hash of an IPv6 address (RFC 5905 section 7.3). `ipv6_hash` supplies those, so
// that this folder links no cryptography.
uint32_t RefidOfUpstream(const IpAddress& upstream, uint32_t ipv6_hash);

}  // namespace ntpward::wire
