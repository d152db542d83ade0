#include "ntpd/control/proven_addresses.h"

#include <algorithm>
#include <span>

#include "privsep/base/bytes.h"

namespace ntpward::control {
namespace {

constexpr size_t kSets = 256;
constexpr size_t kPlaces = 4;  // of a set
// Octets. A site has a /48 at most, and can take any address in it.
constexpr size_t kIpv6Prefix = 6;

}  // namespace

ProvenAddresses::ProvenAddresses(const SipKey& key) : key_(key), entries_(kSets * kPlaces) {}

size_t ProvenAddresses::FirstPlace(const IpAddress& address) const {
  const Bytes octets = address.bytes();
  return SipHash(key_, octets.first(std::min(octets.size(), kIpv6Prefix))) % kSets * kPlaces;
}

void ProvenAddresses::Add(const IpAddress& address, MonoTime now) {
  const std::span<Entry> set = std::span(entries_).subspan(FirstPlace(address), kPlaces);
  auto place = std::find_if(set.begin(), set.end(),
                            [&](const Entry& entry) { return entry.address == address; });
  if (place == set.end())
    place = std::min_element(set.begin(), set.end(), [](const Entry& a, const Entry& b) {
      return a.address.is_none() != b.address.is_none() ? a.address.is_none() : a.proved < b.proved;
    });
  *place = {address, now};
}

bool ProvenAddresses::Has(const IpAddress& address, MonoTime now) const {
  if (address.is_none()) return false;
  const auto set = std::span(entries_).subspan(FirstPlace(address), kPlaces);
  return std::any_of(set.begin(), set.end(), [&](const Entry& entry) {
    return entry.address == address && now - entry.proved <= kLifetime;
  });
}

}  // namespace ntpward::control
