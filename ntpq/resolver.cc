#include "ntpq/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "privsep/base/text.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kMaxAddresses = 16;

int AddressFamily(Family family) {
  switch (family) {
    case Family::kIpv4:
      return AF_INET;
    case Family::kIpv6:
      return AF_INET6;
    case Family::kNone:
      break;
  }
  return AF_UNSPEC;
}

struct FreeAddressInfo {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddressInfo>;

Result<AddressList> Lookup(const std::string& name, Family family, int flags) {
  addrinfo hints{};
  hints.ai_family = AddressFamily(family);
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (failed != 0) return Fail(std::string(gai_strerror(failed)));
  return AddressList(list);
}

ResolvedHost Collect(const std::string& name, const addrinfo* list) {
  ResolvedHost host{name, {}};
  if (list->ai_canonname != nullptr) host.name = list->ai_canonname;
  for (; list != nullptr && host.addresses.size() < kMaxAddresses; list = list->ai_next) {
    const auto address = SocketAddress::FromSockaddr(list->ai_addr, list->ai_addrlen);
    if (address) host.addresses.push_back(address->ip);
  }
  return host;
}

}  // namespace

Result<ResolvedHost> ResolveHost(const std::string& typed, Family family) {
  const std::string name(WithoutBrackets(typed));
  if (auto numeric = Lookup(name, family, AI_NUMERICHOST); numeric.ok())
    return Collect(name, numeric->get());
  const AddressList list = TRY(Lookup(name, family, AI_CANONNAME));
  ResolvedHost host = Collect(name, list.get());
  if (host.addresses.empty()) return Fail("Address family for hostname not supported");
  return host;
}

std::string ResolveAddress(const IpAddress& address) {
  sockaddr_storage storage;
  const socklen_t length = SocketAddress{address, 0}.ToSockaddr(&storage);
  std::array<char, NI_MAXHOST> name;
  const int failed = getnameinfo(reinterpret_cast<const sockaddr*>(&storage), length, name.data(),
                                 name.size(), nullptr, 0, NI_NAMEREQD | NI_DGRAM);
  return failed == 0 ? name.data() : address.ToString();
}

}  // namespace ntpward::ntpq
