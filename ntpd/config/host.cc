#include "ntpd/config/host.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "privsep/base/text.h"

namespace ntpward::config {
namespace {

// What a question to the DNS can hold (RFC 1035 section 2.3.4), without a last dot.
constexpr size_t kMaxHostName = 253;
constexpr size_t kMaxLabel = 63;

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

// A last dot says that the name is whole.
bool HasGoodLabels(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > kMaxHostName) return false;
  for (;;) {
    const size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    if (label.empty() || label.size() > kMaxLabel) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// Names of the DNS; with a scope also link-local addresses such as fe80::1%eth0, which are left to
// the resolver because only it knows interfaces by name.
bool MayBeName(std::string_view text) {
  if (text.empty() || text.size() > kMaxHostName + 1 || text.front() == '-') return false;
  const size_t percent = text.find('%');
  if (percent != std::string_view::npos) {
    const std::string_view scope = text.substr(percent + 1);
    if (scope.empty() || scope.find_first_of("%[]:/") != std::string_view::npos) return false;
    const auto address = IpAddress::Parse(text.substr(0, percent));
    return address && address->family == Family::kIpv6;
  }
  if (!HasGoodLabels(text)) return false;
  bool has_letter = false;
  for (char c : text) {
    if (!IsNameCharacter(c)) return false;
    if (c != '.' && (c < '0' || c > '9')) has_letter = true;
  }
  return has_letter;  // "10.0.0.256" and "10.1" are mistyped addresses
}

// A file is read by a process that may ask the kernel for an interface; what comes by mode 6 is
// read by one that would be killed for it.
std::optional<IpAddress> AddressIn(const Line& line, std::string_view text) {
  return line.remote() ? IpAddress::Parse(text) : IpAddress::ParseWithInterface(text);
}

constexpr std::array<uint8_t, 12> kV4MappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// ::ffff:10.0.0.1 is 10.0.0.1 in another notation: two of them would be one server with two votes.
void Unmap(Line& line, Host& host) {
  const auto& octets = host.address->octets;
  if (host.address->family != Family::kIpv6 ||
      !std::equal(kV4MappedPrefix.begin(), kV4MappedPrefix.end(), octets.begin()))
    return;
  host.address = IpAddress::V4(octets[12], octets[13], octets[14], octets[15]);
  host.name = host.address->ToString();
  line.Warn("an IPv4 address in IPv6 notation: taken as " + host.name);
}

}  // namespace

Family TakeFamily(Line& line) {
  if (line.Accept("-4")) return Family::kIpv4;
  if (line.Accept("-6")) return Family::kIpv6;
  return Family::kNone;
}

Host CheckHost(Line& line, Family family, std::string_view word) {
  Host host{line.where(), family, std::string(WithoutBrackets(word)), std::nullopt};
  host.address = AddressIn(line, host.name);
  if (host.address) Unmap(line, host);
  if (!host.address && !MayBeName(host.name)) {
    line.Fail(line.Cite() + " is neither an address nor a host name");
  } else if (host.address && family != Family::kNone && host.address->family != family) {
    line.Fail(line.Cite() + " is not an IPv" + (family == Family::kIpv4 ? "4" : "6") + " address");
  }
  return host;
}

Host TakeHost(Line& line, std::string_view what) {
  const Family family = TakeFamily(line);
  const std::string word = line.String(what);
  if (line.failed()) return {};
  return CheckHost(line, family, word);
}

uint8_t FullPrefix(Family family) { return family == Family::kIpv4 ? 32 : 128; }

std::optional<uint8_t> PrefixOfMask(const IpAddress& mask) {
  uint8_t prefix = 0;
  bool ended = false;
  for (uint8_t octet : mask.bytes()) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool set = (octet >> bit & 1) != 0;
      if (set && ended) return std::nullopt;
      if (set) ++prefix;
      ended = !set;
    }
  }
  return prefix;
}

IpAddress MaskOfPrefix(Family family, uint8_t prefix) {
  IpAddress mask{family};
  for (size_t bit = 0; bit < prefix; ++bit)
    mask.octets[bit / 8] = static_cast<uint8_t>(mask.octets[bit / 8] | 0x80U >> (bit % 8));
  return mask;
}

bool ClearHostBits(IpAddress& address, const IpAddress& mask) {
  const auto before = address.octets;
  for (size_t i = 0; i < address.bytes().size(); ++i) address.octets[i] &= mask.octets[i];
  return address.octets != before;
}

std::string NetworkText(const IpAddress& address, const IpAddress& mask) {
  const auto prefix = PrefixOfMask(mask);
  return address.ToString() + (prefix ? "/" + std::to_string(*prefix) : " mask " + mask.ToString());
}

std::optional<Network> TakeNetwork(Line& line, std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = AddressIn(line, WithoutBrackets(text.substr(0, slash)));
  if (!address) return std::nullopt;
  Network network{*address, FullPrefix(address->family)};
  if (slash == std::string_view::npos) return network;
  const std::string_view digits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc() || end != digits.data() + digits.size() || prefix > network.prefix) {
    line.Fail(line.Cite() + " has a bad prefix length: expected 0 to " +
              std::to_string(network.prefix));
    return network;
  }
  network.prefix = static_cast<uint8_t>(prefix);
  const IpAddress mask = MaskOfPrefix(address->family, network.prefix);
  if (ClearHostBits(network.address, mask))
    line.Warn("bits past the prefix are ignored: " + NetworkText(network.address, mask) +
              " is meant");
  return network;
}

}  // namespace ntpward::config
