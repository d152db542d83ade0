#include "ntpd/supervisor/own_addresses.h"

#include <algorithm>

namespace ntpward::supervisor {

std::vector<IpAddress> OwnAddresses(const std::vector<InterfaceAddress>& present) {
  std::vector<IpAddress> addresses;
  for (const InterfaceAddress& entry : present)
    if (!entry.address.is_loopback()) addresses.push_back(entry.address);
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  if (addresses.size() > kMostOwnAddresses) addresses.resize(kMostOwnAddresses);
  return addresses;
}

std::vector<msg::NetAddresses> AddressMessages(const std::vector<IpAddress>& addresses) {
  std::vector<msg::NetAddresses> messages(1);
  for (const IpAddress& address : addresses) {
    if (messages.back().addresses.Push(address)) continue;
    messages.back().more = true;
    CHECK(messages.emplace_back().addresses.Push(address));
  }
  return messages;
}

}  // namespace ntpward::supervisor
