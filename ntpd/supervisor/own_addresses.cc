#include "ntpd/supervisor/own_addresses.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

namespace ntpward::supervisor {
namespace {

// A label is no interface.
std::string_view InterfaceOf(const InterfaceAddress& entry) {
  return entry.device.empty() ? entry.interface : entry.device;
}

}  // namespace

std::vector<msg::OwnAddress> OwnAddresses(const std::vector<InterfaceAddress>& present) {
  std::set<std::string_view> names;
  for (const InterfaceAddress& entry : present) names.insert(InterfaceOf(entry));
  std::vector<msg::OwnAddress> addresses;
  for (const InterfaceAddress& entry : present) {
    if (entry.address.is_loopback()) continue;
    const auto number = std::distance(names.begin(), names.find(InterfaceOf(entry)));
    addresses.push_back({static_cast<uint16_t>(number), entry.address});
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses.size() > kMostOwnAddresses) addresses.resize(kMostOwnAddresses);
  return addresses;
}

std::vector<msg::NetAddresses> AddressMessages(const std::vector<msg::OwnAddress>& addresses) {
  std::vector<msg::NetAddresses> messages(1);
  for (const msg::OwnAddress& address : addresses) {
    if (messages.back().addresses.Push(address)) continue;
    messages.back().more = true;
    CHECK(messages.emplace_back().addresses.Push(address));
  }
  return messages;
}

}  // namespace ntpward::supervisor
