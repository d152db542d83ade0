// Addresses and host names as ntp.conf writes them.
#pragma once

#include <optional>
#include <string>

#include "ntpd/config/line.h"
#include "privsep/base/address.h"

namespace ntpward::config {

// A host as one word, after an optional -4 or -6.
struct Host {
  Location where;
  Family family = Family::kNone;     // as asked for by -4 or -6
  std::string name;                  // as written, without brackets
  std::optional<IpAddress> address;  // set when it is numeric
};

// Takes -4 or -6 if it is there.
Family TakeFamily(Line& line);
// Takes [-4|-6] HOST. Fails the line on what can be neither a name nor an address, such as
// "10.0.0.256", and on an address of the other family.
Host TakeHost(Line& line, std::string_view what);
// Checks the last word taken as a host. An IPv4 address in IPv6 notation (::ffff:10.0.0.1) becomes
// the IPv4 address, with a warning.
Host CheckHost(Line& line, Family family, std::string_view word);

// An address with a prefix length: "10.0.0.0/8", "[2001:db8::]/32", "::1" (which is a /128).
struct Network {
  IpAddress address;
  uint8_t prefix = 0;
};
// None when `text` is no numeric address; fails the line when it is one with a bad prefix. Bits
// past the prefix are cleared, with a warning.
std::optional<Network> TakeNetwork(Line& line, std::string_view text);
// 32 or 128.
uint8_t FullPrefix(Family family);
// The length of a contiguous mask, e.g. 24 for 255.255.255.0; none for any other.
std::optional<uint8_t> PrefixOfMask(const IpAddress& mask);
// 255.255.255.0 for 24; `prefix` is at most FullPrefix(family).
IpAddress MaskOfPrefix(Family family, uint8_t prefix);
// Clears the bits outside `mask`; true when any was set.
bool ClearHostBits(IpAddress& address, const IpAddress& mask);
// As a restrict line says it: "10.0.0.0/8", "10.0.3.0 mask 255.0.255.0".
std::string NetworkText(const IpAddress& address, const IpAddress& mask);

}  // namespace ntpward::config
