// Internet addresses as plain values: no sockaddr outside the shells.
#pragma once

#include <netinet/in.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "privsep/base/bytes.h"

namespace ntpward {

enum class Family : uint8_t { kNone = 0, kIpv4 = 4, kIpv6 = 6 };

// An IPv4 or IPv6 address, network byte order; an IPv4 address uses the first four octets and the
// rest is zero. `scope` is the interface index of a link-local IPv6 address, else 0.
struct IpAddress {
  Family family = Family::kNone;
  std::array<uint8_t, 16> octets{};
  uint32_t scope = 0;

  static IpAddress V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    return {Family::kIpv4, {a, b, c, d}, 0};
  }
  // Numeric text only ("10.0.0.1", "fe80::1%2", "[::1]"): no name is looked up, an interface's
  // neither, so that nothing but the text decides and a caged process may call it.
  static std::optional<IpAddress> Parse(std::string_view text);
  // The same, and "fe80::1%eth0" while there is an interface of that name. Asks the kernel, for
  // which it makes a socket: no call for a process in its cage.
  static std::optional<IpAddress> ParseWithInterface(std::string_view text);

  bool is_none() const { return family == Family::kNone; }
  bool is_loopback() const;
  bool is_multicast() const;
  bool is_wildcard() const;
  // 127.127.0.0/16, which ntp.conf uses to name reference clocks.
  bool is_refclock() const;
  // 4 or 16 octets, or none.
  Bytes bytes() const {
    return Bytes(octets).first(family == Family::kIpv4 ? 4 : family == Family::kIpv6 ? 16 : 0);
  }
  // RFC 5952 text, without brackets; "%N" appended for a scope.
  std::string ToString() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

// An address and a UDP port (host byte order).
struct SocketAddress {
  IpAddress ip;
  uint16_t port = 0;

  // From the kernel's form; none for any family but AF_INET and AF_INET6.
  static std::optional<SocketAddress> FromSockaddr(const sockaddr* address, socklen_t length);
  // Fills `storage` and returns the length to pass; 0 when there is no address.
  socklen_t ToSockaddr(sockaddr_storage* storage) const;
  // "10.0.0.1:123", "[::1]:123".
  std::string ToString() const;

  friend bool operator==(const SocketAddress&, const SocketAddress&) = default;
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

// Who sent a packet to whom, as Autokey session keys hash it (RFC 5906; ports do not enter).
struct AddressPair {
  IpAddress source;
  IpAddress destination;

  AddressPair Reversed() const { return {destination, source}; }
  friend bool operator==(const AddressPair&, const AddressPair&) = default;
};

}  // namespace ntpward
