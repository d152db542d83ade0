#include "privsep/base/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <charconv>

#include "privsep/base/text.h"

namespace ntpward {
namespace {

// The part after '%', when it is a number.
std::optional<uint32_t> ParseScope(std::string_view text) {
  uint32_t index = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return index;
}

}  // namespace

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  IpAddress address;
  in_addr v4{};
  if (inet_pton(AF_INET, std::string(text).c_str(), &v4) == 1) {
    address.family = Family::kIpv4;
    std::memcpy(address.octets.data(), &v4, sizeof v4);
    return address;
  }
  if (const size_t percent = text.find('%'); percent != std::string_view::npos) {
    const auto scope = ParseScope(text.substr(percent + 1));
    if (!scope) return std::nullopt;
    address.scope = *scope;
    text = text.substr(0, percent);
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, std::string(text).c_str(), &v6) != 1) return std::nullopt;
  address.family = Family::kIpv6;
  std::memcpy(address.octets.data(), &v6, sizeof v6);
  return address;
}

std::optional<IpAddress> IpAddress::ParseWithInterface(std::string_view text) {
  if (auto address = Parse(text)) return address;
  text = WithoutBrackets(text);
  const size_t percent = text.find('%');
  if (percent == std::string_view::npos) return std::nullopt;
  auto address = Parse(text.substr(0, percent));
  if (!address || address->family != Family::kIpv6) return std::nullopt;
  address->scope = if_nametoindex(std::string(text.substr(percent + 1)).c_str());
  if (address->scope == 0) return std::nullopt;
  return address;
}

bool IpAddress::is_loopback() const {
  if (family == Family::kIpv4) return octets[0] == 127;
  static constexpr std::array<uint8_t, 16> kLoopback = {0, 0, 0, 0, 0, 0, 0, 0,
                                                        0, 0, 0, 0, 0, 0, 0, 1};
  return family == Family::kIpv6 && octets == kLoopback;
}

bool IpAddress::is_multicast() const {
  if (family == Family::kIpv4) return (octets[0] & 0xf0) == 0xe0;
  return family == Family::kIpv6 && octets[0] == 0xff;
}

bool IpAddress::is_wildcard() const {
  return family != Family::kNone && octets == std::array<uint8_t, 16>{};
}

bool IpAddress::is_refclock() const {
  return family == Family::kIpv4 && octets[0] == 127 && octets[1] == 127;
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family == Family::kIpv4) {
    // inet_ntop goes through printf; an address is in every answer of mode 6.
    return std::to_string(octets[0]) + '.' + std::to_string(octets[1]) + '.' +
           std::to_string(octets[2]) + '.' + std::to_string(octets[3]);
  }
  if (family == Family::kIpv6) {
    inet_ntop(AF_INET6, octets.data(), text, sizeof text);
    if (scope != 0) return std::string(text) + "%" + std::to_string(scope);
  }
  return text;
}

std::optional<SocketAddress> SocketAddress::FromSockaddr(const sockaddr* address,
                                                         socklen_t length) {
  SocketAddress result;
  if (length >= sizeof(sockaddr_in) && address->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof in);
    result.ip.family = Family::kIpv4;
    std::memcpy(result.ip.octets.data(), &in.sin_addr, sizeof in.sin_addr);
    result.port = ntohs(in.sin_port);
    return result;
  }
  if (length >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof in);
    result.ip.family = Family::kIpv6;
    std::memcpy(result.ip.octets.data(), &in.sin6_addr, sizeof in.sin6_addr);
    result.ip.scope = in.sin6_scope_id;
    result.port = ntohs(in.sin6_port);
    return result;
  }
  return std::nullopt;
}

socklen_t SocketAddress::ToSockaddr(sockaddr_storage* storage) const {
  std::memset(storage, 0, sizeof *storage);
  if (ip.family == Family::kIpv4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, ip.octets.data(), sizeof in.sin_addr);
    std::memcpy(storage, &in, sizeof in);
    return sizeof in;
  }
  if (ip.family == Family::kIpv6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    in.sin6_scope_id = ip.scope;
    std::memcpy(&in.sin6_addr, ip.octets.data(), sizeof in.sin6_addr);
    std::memcpy(storage, &in, sizeof in);
    return sizeof in;
  }
  return 0;
}

std::string SocketAddress::ToString() const {
  const std::string text = ip.ToString();
  if (ip.family == Family::kIpv6) return "[" + text + "]:" + std::to_string(port);
  return text + ":" + std::to_string(port);
}

}  // namespace ntpward
