#include "ntpd/supervisor/listen_sockets.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "privsep/base/system_error.h"

namespace ntpward::supervisor {
namespace {

constexpr const char* kAbsent = "no such interface or address now";

struct FreeInterfaces {
  void operator()(ifaddrs* list) const { freeifaddrs(list); }
};

// What ntpq's ifstats shows of an interface (the numbers of ntpd 4.2.8).
enum ShownFlag : uint16_t {
  kUp = 0x01,
  kPointToPoint = 0x02,
  kLoopback = 0x04,
  kBroadcast = 0x08,
  kMulticast = 0x10,
  kHearsBroadcast = 0x20,
  kHearsMulticast = 0x40,
  kWildcard = 0x80,
};

uint16_t ShownFlags(unsigned flags) {
  unsigned shown = 0;
  if ((flags & IFF_UP) != 0) shown |= kUp;
  if ((flags & IFF_POINTOPOINT) != 0) shown |= kPointToPoint;
  if ((flags & IFF_LOOPBACK) != 0) shown |= kLoopback;
  if ((flags & IFF_BROADCAST) != 0) shown |= kBroadcast;
  if ((flags & IFF_MULTICAST) != 0) shown |= kMulticast;
  return static_cast<uint16_t>(shown);
}

bool InNetwork(const IpAddress& address, const IpAddress& network, uint8_t prefix) {
  if (address.family != network.family) return false;
  for (unsigned bit = 0; bit < prefix; ++bit) {
    const uint8_t mask = static_cast<uint8_t>(0x80 >> (bit % 8));
    if ((address.octets[bit / 8] & mask) != (network.octets[bit / 8] & mask)) return false;
  }
  return true;
}

// `all` leaves loopback out, as ntpd 4.2.8 does: it is named by `lo`, an address or a family. What
// comes to an address without a socket of its own reaches the wildcard's, so that to listen there
// is to listen on every address that is not named.
bool Matches(const config::InterfaceRule& rule, const InterfaceAddress& candidate) {
  switch (rule.match) {
    case config::InterfaceMatch::kAll:
      return !candidate.address.is_loopback();
    case config::InterfaceMatch::kIpv4:
      return candidate.address.family == Family::kIpv4;
    case config::InterfaceMatch::kIpv6:
      return candidate.address.family == Family::kIpv6;
    case config::InterfaceMatch::kWildcard:
      return rule.action == config::InterfaceAction::kListen && !candidate.address.is_loopback();
    case config::InterfaceMatch::kName:
      return candidate.interface == rule.name;
    case config::InterfaceMatch::kAddress:
      return InNetwork(candidate.address, rule.address, rule.prefix);
  }
  return false;
}

// Whether it is about a name or addresses, which `wildcard` does not take back.
bool IsSpecific(const config::InterfaceRule& rule) {
  return rule.match == config::InterfaceMatch::kName ||
         rule.match == config::InterfaceMatch::kAddress;
}

// The last line about it decides.
bool WildcardListens(const std::vector<config::InterfaceRule>& rules) {
  bool listens = false;
  for (const config::InterfaceRule& rule : rules)
    if (rule.match == config::InterfaceMatch::kWildcard)
      listens = rule.action == config::InterfaceAction::kListen;
  return listens;
}

// Whether that is what -I says: a name, or an address in any of its forms.
bool IsWhatOptionSays(const std::string& interface, const IpAddress& address,
                      const std::string& option) {
  return option == interface || IpAddress::ParseWithInterface(option) == address;
}

// A group of interface- or link-local scope (RFC 4291 section 2.7) means something on one link
// alone.
bool IsOfOneLink(const IpAddress& group) {
  const int scope = group.octets[1] & 0x0f;
  return group.family == Family::kIpv6 && (scope == 1 || scope == 2);
}

bool Set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// The field is the six upper bits.
void Mark(int fd, Family family, uint8_t dscp) {
  if (family == Family::kIpv4) {
    (void)Set(fd, IPPROTO_IP, IP_TOS, dscp << 2);
  } else {
    (void)Set(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
  }
}

// "1 eth0 10.0.0.1:123", as ntpd 4.2.8 names them.
std::string Name(const ListenSocket& socket) {
  return std::to_string(socket.index) + " " + socket.interface + " " + socket.local.ToString();
}

// What replies from the right address, and receive times, need.
Status Prepare(int fd, Family family, uint8_t dscp) {
  bool ok = Set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
  Mark(fd, family, dscp);
  if (family == Family::kIpv4) {
    ok = ok && Set(fd, IPPROTO_IP, IP_PKTINFO, 1) && Set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    // What we broadcast to a group is not for ourselves.
    (void)Set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    (void)Set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
  } else {
    ok = ok && Set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) && Set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    (void)Set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    (void)Set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
  }
  (void)Set(fd, SOL_SOCKET, SO_RCVBUF, 1 << 20);
  if (!ok) return FailErrno("setsockopt");
  return {};
}

// An address may have a label ("eth0:1", "eth0x"), which begins with its device's name and stands
// in that one's place.
std::string DeviceOf(std::string_view label, const ifaddrs* list) {
  std::string device;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const std::string_view name = entry->ifa_name;
    const bool is_device = entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_PACKET;
    if (is_device && label.starts_with(name) && name.size() > device.size()) device = name;
  }
  return device == label ? "" : device;
}

}  // namespace

std::vector<InterfaceAddress> LocalAddresses() {
  std::vector<InterfaceAddress> addresses;
  ifaddrs* raw = nullptr;
  if (getifaddrs(&raw) != 0) return addresses;
  const std::unique_ptr<ifaddrs, FreeInterfaces> list(raw);
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const auto address = SocketAddress::FromSockaddr(entry->ifa_addr, sizeof(sockaddr_storage));
    if (!address) continue;
    InterfaceAddress found{entry->ifa_name,
                           address->ip,
                           ShownFlags(entry->ifa_flags),
                           {},
                           DeviceOf(entry->ifa_name, list.get())};
    if (found.address.family == Family::kIpv4 && (entry->ifa_flags & IFF_BROADCAST) != 0) {
      const auto broadcast =
          SocketAddress::FromSockaddr(entry->ifa_broadaddr, sizeof(sockaddr_storage));
      if (entry->ifa_broadaddr != nullptr && broadcast) found.broadcast = broadcast->ip;
    }
    addresses.push_back(found);
  }
  return addresses;
}

unsigned InterfaceIndex(const InterfaceAddress& address) {
  const std::string& name = address.device.empty() ? address.interface : address.device;
  return if_nametoindex(name.c_str());
}

SentToMany WantedOfMany(const config::Config& config) {
  SentToMany many;
  many.broadcasts = config.broadcastclient.value || config.system.switches.bclient.value;
  for (const auto* lines : {&config.multicast_groups, &config.manycast_groups})
    for (const config::Group& group : *lines)
      if (std::find(many.groups.begin(), many.groups.end(), group.address) == many.groups.end())
        many.groups.push_back(group.address);
  return many;
}

config::InterfaceAction ActionFor(const InterfaceAddress& candidate, const config::System& system,
                                  const Options& options) {
  const Family family = candidate.address.family;
  if ((options.family == 4 && family != Family::kIpv4) ||
      (options.family == 6 && family != Family::kIpv6))
    return config::InterfaceAction::kIgnore;
  if (!options.interfaces.empty()) {
    const bool named =
        std::any_of(options.interfaces.begin(), options.interfaces.end(), [&](const auto& name) {
          return IsWhatOptionSays(candidate.interface, candidate.address, name);
        });
    // Loopback stays, so that ntpq works.
    return named || candidate.address.is_loopback() ? config::InterfaceAction::kListen
                                                    : config::InterfaceAction::kIgnore;
  }
  // As ntpd 4.2.8: one line is enough, and what no line fits is not listened on. Loopback stays.
  config::InterfaceAction action = system.interfaces.empty() || candidate.address.is_loopback()
                                       ? config::InterfaceAction::kListen
                                       : config::InterfaceAction::kIgnore;
  const bool wildcard = WildcardListens(system.interfaces);
  bool named = false;
  for (const config::InterfaceRule& rule : system.interfaces) {
    if (rule.match == config::InterfaceMatch::kWildcard && (!wildcard || named)) continue;
    if (!Matches(rule, candidate)) continue;
    action = rule.action;
    named |= IsSpecific(rule);
  }
  return action;
}

bool LeavesNoAddress(const config::System& system, const Options& options) {
  if (system.interfaces.empty() && options.interfaces.empty()) return false;
  const std::vector<InterfaceAddress> present = LocalAddresses();
  // Nothing at all: the kernel could not say.
  return !present.empty() &&
         std::all_of(present.begin(), present.end(), [&](const InterfaceAddress& address) {
           return ActionFor(address, system, options) == config::InterfaceAction::kIgnore;
         });
}

void WarnOfAbsent(const config::Config& config, const Options& options, Logger* log) {
  const std::vector<InterfaceAddress> present = LocalAddresses();
  const auto is_absent = [&](const auto& matches) {
    return std::none_of(present.begin(), present.end(), matches);
  };
  for (const std::string& name : options.interfaces)
    if (is_absent([&](const auto& it) { return IsWhatOptionSays(it.interface, it.address, name); }))
      log->Log(LogLevel::kWarning, "-I " + name + ": " + kAbsent);
  for (const config::InterfaceRule& rule : config.system.interfaces) {
    if (!IsSpecific(rule) || !is_absent([&](const auto& it) { return Matches(rule, it); }))
      continue;
    const std::string name = rule.name.empty() ? rule.address.ToString() : rule.name;
    log->Log(LogLevel::kWarning,
             config::ToString(config::At(config, rule.where, config::Severity::kWarning,
                                         name + ": " + kAbsent)));
  }
}

Result<UniqueFd> ListenSockets::Bind(const SocketAddress& local) const {
  const int family = local.ip.family == Family::kIpv4 ? AF_INET : AF_INET6;
  UniqueFd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
  if (!fd.valid()) return FailErrno("socket");
  TRY_VOID(Prepare(fd.get(), local.ip.family, dscp_));
  sockaddr_storage address{};
  const socklen_t length = local.ToSockaddr(&address);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    const bool taken = errno == EADDRINUSE;
    return Fail("unable to bind to " + local.ToString() + ": " + std::strerror(errno) +
                (taken ? " - another process may be running" : ""));
  }
  return fd;
}

void ListenSockets::SayOpened(const ListenSocket& socket) const {
  log_->Log(
      LogLevel::kInfo,
      std::string(socket.drop ? "Listen and drop on " : "Listen normally on ") + Name(socket));
}

void ListenSockets::SayGone(const ListenSocket& socket) const {
  log_->Log(LogLevel::kInfo, "Deleting " + Name(socket));
}

Status ListenSockets::Add(const Wanted& wanted) {
  const InterfaceAddress& where = wanted.where;
  ListenSocket opened;
  opened.local = {where.address, kNtpPort};
  opened.interface = where.interface;
  opened.flags = where.flags;
  opened.broadcast = where.broadcast;
  opened.drop = wanted.drop;
  opened.to_many = wanted.to_many;
  opened.fd = TRY(Bind(opened.local));
  opened.index = next_index_++;
  SayOpened(opened);
  sockets_.push_back(std::move(opened));
  return {};
}

Status ListenSockets::OpenWildcards(const Options& options) {
  if (options.family != 4) {
    IpAddress any6;
    any6.family = Family::kIpv6;
    const Wanted wildcard{{"v6wildcard", any6, kUp | kWildcard, {}, {}}};
    if (const Status opened = Add(wildcard); opened.ok()) {
      wildcards_.push_back(wildcard);
    } else {
      // A host without IPv6 is no error; a port that is taken is.
      if (options.family == 6 || opened.error().text.find("another process") != std::string::npos)
        return opened;
      log_->Log(LogLevel::kNotice, "no IPv6: " + opened.error().text);
    }
  }
  if (options.family == 6) return {};
  wildcards_.push_back({{"v4wildcard", IpAddress::V4(0, 0, 0, 0), kUp | kWildcard, {}, {}}});
  return Add(wildcards_.back());
}

Status ListenSockets::Open(const config::Config& config, const Options& options) {
  system_rules_ = config.system.interfaces;
  many_ = WantedOfMany(config);
  options_ = options;
  if (!has_rules()) return OpenWildcards(options);
  std::vector<uint16_t> gone;
  Refresh(&gone);
  if (sockets_.empty()) return Fail(kNoAddress);
  WarnOfAbsent(config, options, log_);
  return {};
}

bool ListenSockets::SetConfiguration(const config::Config& config) {
  many_ = WantedOfMany(config);
  // -I stands above the file.
  if (!options_.interfaces.empty()) return true;
  const std::vector<config::InterfaceRule>& rules = config.system.interfaces;
  if (rules.empty() != system_rules_.empty()) return false;
  system_rules_ = rules;
  return true;
}

void ListenSockets::SetDscp(uint8_t dscp) {
  dscp_ = dscp;
  for (const ListenSocket& socket : sockets_) Mark(socket.fd.get(), socket.local.ip.family, dscp);
}

config::InterfaceAction ListenSockets::ActionFor(const InterfaceAddress& candidate) const {
  config::System system;
  system.interfaces = system_rules_;
  return supervisor::ActionFor(candidate, system, options_);
}

// A socket that is bound to an address hears nothing that was sent to others beside it: each of
// those needs its own.
void ListenSockets::WantOfMany(const InterfaceAddress& listened,
                               std::vector<Wanted>* wanted) const {
  const auto want = [&](const IpAddress& address, ShownFlag hears) {
    const auto flags = static_cast<uint16_t>(listened.flags | hears);
    const bool there = std::any_of(wanted->begin(), wanted->end(), [&](const Wanted& other) {
      return other.where.address == address;
    });
    if (!there)
      wanted->push_back({{listened.interface, address, flags, {}, listened.device}, false, true});
  };
  if (listened.address.is_loopback()) return;
  if (many_.broadcasts && !listened.broadcast.is_none()) want(listened.broadcast, kHearsBroadcast);
  for (IpAddress group : many_.groups) {
    if (group.family != listened.address.family) continue;
    const unsigned here = InterfaceIndex(listened);
    if (group.scope != 0 && group.scope != here) continue;
    if (IsOfOneLink(group)) group.scope = here;
    want(group, kHearsMulticast);
  }
}

std::vector<ListenSockets::Wanted> ListenSockets::WantedNow() const {
  if (!has_rules()) return wildcards_;
  std::vector<Wanted> wanted;
  const std::vector<InterfaceAddress> present = LocalAddresses();
  for (const InterfaceAddress& candidate : present) {
    const config::InterfaceAction action = ActionFor(candidate);
    if (action != config::InterfaceAction::kIgnore)
      wanted.push_back({candidate, action == config::InterfaceAction::kDrop});
  }
  for (const InterfaceAddress& candidate : present)
    if (ActionFor(candidate) == config::InterfaceAction::kListen) WantOfMany(candidate, &wanted);
  return wanted;
}

void ListenSockets::DropUnwanted(const std::vector<Wanted>& wanted, std::vector<uint16_t>* gone) {
  std::erase_if(sockets_, [&](const ListenSocket& socket) {
    const bool stays = std::any_of(wanted.begin(), wanted.end(), [&](const Wanted& one) {
      return one.where.address == socket.local.ip;
    });
    if (stays) return false;
    SayGone(socket);
    gone->push_back(socket.index);
    return true;
  });
}

void ListenSockets::OpenOrTurn(const Wanted& wanted, std::vector<uint16_t>* gone) {
  const auto open = std::find_if(sockets_.begin(), sockets_.end(), [&](const auto& socket) {
    return socket.local.ip == wanted.where.address;
  });
  if (open == sockets_.end()) {
    if (const Status added = Add(wanted); !added.ok())
      log_->Log(LogLevel::kError, added.error().text);
    return;
  }
  if (open->drop == wanted.drop) return;
  SayGone(*open);
  gone->push_back(open->index);
  open->drop = wanted.drop;
  open->index = next_index_++;
  SayOpened(*open);
}

std::vector<const ListenSocket*> ListenSockets::Refresh(std::vector<uint16_t>* gone) {
  std::vector<const ListenSocket*> opened;
  const std::vector<Wanted> wanted = WantedNow();
  DropUnwanted(wanted, gone);
  const uint16_t first_new = next_index_;
  for (const Wanted& one : wanted) OpenOrTurn(one, gone);
  for (const ListenSocket& socket : sockets_)
    if (socket.index >= first_new) opened.push_back(&socket);
  return opened;
}

bool ListenSockets::Renew() {
  for (ListenSocket& socket : sockets_) {
    socket.fd.Close();
    if (auto bound = Bind(socket.local); bound.ok()) {
      socket.fd = std::move(bound).value();
    } else {
      log_->Log(LogLevel::kError, bound.error().text);
    }
  }
  return std::erase_if(sockets_, [](const ListenSocket& it) { return !it.fd.valid(); }) == 0;
}

bool ListenSockets::IsOpen(const Wanted& wanted) const {
  return std::any_of(sockets_.begin(), sockets_.end(), [&](const ListenSocket& socket) {
    return socket.local.ip == wanted.where.address;
  });
}

bool ListenSockets::IsComplete() const {
  const std::vector<Wanted> wanted = WantedNow();
  return std::all_of(wanted.begin(), wanted.end(), [&](const Wanted& one) { return IsOpen(one); });
}

}  // namespace ntpward::supervisor
