// This very host, by whichever of its addresses: it is asked where the operator says so, but its
// time, and that of a server which follows it, is never taken.
#include <algorithm>
#include <set>
#include <utility>

#include "ntpd/net/udp.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {
namespace {

constexpr size_t kMostOwnRefids = 64;  // addresses by which we ask, that are remembered

bool IsIn(const std::vector<msg::OwnAddress>& addresses, const IpAddress& address) {
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const msg::OwnAddress& own) { return own.address == address; });
}

}  // namespace

void Upstreams::SetOwnAddresses(std::vector<msg::OwnAddress> addresses) {
  // What has gone may be another host's from now on.
  for (const msg::OwnAddress& gone : own_addresses_)
    if (!IsIn(addresses, gone.address)) std::erase(own_refids_, RefidOf(gone.address));
  own_addresses_ = std::move(addresses);
  TellOwnRefids();
}

bool Upstreams::IsAskedBy(const msg::OwnAddress& own) const {
  const uint32_t refid = RefidOf(own.address);
  return std::count(own_refids_.begin(), own_refids_.end(), refid) > 0 ||
         std::count(own_loopback_refids_.begin(), own_loopback_refids_.end(), refid) > 0;
}

bool Upstreams::IsAsked(const IpAddress& address) const {
  return std::any_of(upstreams_.begin(), upstreams_.end(),
                     [&](const auto& entry) { return entry.second->remote.ip == address; });
}

// Whoever we ask can know us by what else is on the interface that we ask by. Elsewhere we may have
// what many hosts have, on a bridge to guests of their own, and then it names nobody. Nor does a
// link-local address, which may be another host's on another link.
void Upstreams::TellOwnRefids() {
  if (node_->engine == nullptr) return;
  std::set<uint16_t> asking;
  for (const msg::OwnAddress& own : own_addresses_)
    if (IsAskedBy(own)) asking.insert(own.interface);
  std::vector<uint32_t> others;
  for (const msg::OwnAddress& own : own_addresses_)
    if (own.address.scope == 0 && (asking.contains(own.interface) || IsAsked(own.address)))
      others.push_back(RefidOf(own.address));
  node_->engine->SetOwnRefids(own_refids_, own_loopback_refids_, std::move(others));
}

// A server whose reference is one of our addresses follows us, and must not be followed.
void Upstreams::NoteOwnAddress(const IpAddress& local) {
  std::vector<uint32_t>& refids = local.is_loopback() ? own_loopback_refids_ : own_refids_;
  const uint32_t refid = RefidOf(local);
  if (std::find(refids.begin(), refids.end(), refid) != refids.end()) return;
  if (refids.size() == kMostOwnRefids) refids.erase(refids.begin());
  refids.push_back(refid);
  TellOwnRefids();
}

// 127.0.1.1 is asked by 127.0.0.1.
bool Upstreams::IsOurs(const SocketAddress& remote, const IpAddress& local) const {
  const bool same = remote.ip.family == local.family && remote.ip.octets == local.octets;
  return same || is_listening_(remote) || IsIn(own_addresses_, remote.ip);
}

bool Upstreams::IsThisHost(const IpAddress& address) const {
  const SocketAddress remote{address, port_};
  return IsOurs(remote, LocalAddressTowards(remote));
}

// True when it had something to say: such an address is passed over.
bool Upstreams::SayOwnAmong(const msg::ResolveAnswer& answer) const {
  const auto line = std::find_if(lines_.begin(), lines_.end(), [&](const auto& candidate) {
    return candidate.name == answer.index;
  });
  const auto own = std::find_if(answer.addresses.begin(), answer.addresses.end(),
                                [this](const IpAddress& address) { return IsThisHost(address); });
  if (line == lines_.end() || own == answer.addresses.end()) return false;
  node_->reporter.Log(LogLevel::kWarning,
                      std::string(line->label.text()) + ": " + own->ToString() +
                          " is an address of this host: not followed, and not asked");
  return true;
}

// True when it had something to say: nobody is asked, and a look at the name shows addresses.
bool Upstreams::SayNoneUsable(const msg::ResolveAnswer& answer) const {
  const auto& addresses = answer.addresses;
  const auto line = std::find_if(lines_.begin(), lines_.end(), [&](const auto& candidate) {
    return candidate.name == answer.index;
  });
  if (line == lines_.end() || addresses.empty() ||
      std::any_of(addresses.begin(), addresses.end(),
                  [this](const IpAddress& address) { return IsUsable(address); }))
    return false;
  node_->reporter.Log(LogLevel::kWarning, std::string(line->label.text()) + ": " +
                                              addresses.begin()->ToString() +
                                              " can be no other host's address: not asked");
  return true;
}

// The address by which it is asked, and its own if that is ours.
void Upstreams::NoteOwnAddresses(Upstream* upstream) {
  NoteOwnAddress(upstream->local);
  if (!IsOurs(upstream->remote, upstream->local)) {
    upstream->said_own = false;
    return;
  }
  if (!IsIn(own_addresses_, upstream->remote.ip)) NoteOwnAddress(upstream->remote.ip);
  if (std::exchange(upstream->said_own, true)) return;
  TellOwnRefids();
  // By its own word: it may not be among the others yet.
  node_->reporter.Log(LogLevel::kWarning, upstream->label() +
                                              " is an address of this host: its time is never "
                                              "taken");
}

}  // namespace ntpward::net
