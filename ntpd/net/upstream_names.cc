// Names of servers, pools and restrict lines: when they are looked up, and what their addresses do.
#include <algorithm>
#include <utility>

#include "ntpd/net/upstreams.h"

namespace ntpward::net {
namespace {

constexpr double kMostFirstWait = 64;     // seconds between questions about a name without answer
constexpr double kMostLookupWait = 1024;  // and about one whose addresses are not enough
constexpr double kRefillWait = 64;        // a pool that has addresses, but too few

std::string_view ReasonOf(msg::ResolveOutcome outcome) {
  switch (outcome) {
    case msg::ResolveOutcome::kPermanent:
      return "name or service not known";
    case msg::ResolveOutcome::kTooOften:
      return "it was looked up too often, which is our own limit and no fault of the DNS";
    default:
      return "temporary failure in name resolution";
  }
}

}  // namespace

void Upstreams::ResolveFor(uint16_t name, std::string host, OnAddress on_address) {
  lookups_[name].restricts.push_back({std::move(host), std::move(on_address)});
}

size_t Upstreams::CountOfPool(size_t line) const {
  const auto deferred = std::count_if(deferred_.begin(), deferred_.end(), [&](const auto& entry) {
    return entry.pooled && entry.line == line;
  });
  const auto here = std::count_if(upstreams_.begin(), upstreams_.end(), [&](const auto& entry) {
    return entry.second->pooled && entry.second->line == line;
  });
  return static_cast<size_t>(deferred + here);
}

size_t Upstreams::CountOfAnswering(size_t line) const {
  const auto silent = std::count_if(upstreams_.begin(), upstreams_.end(), [&](const auto& entry) {
    return entry.second->pooled && entry.second->line == line && IsSilent(*entry.second);
  });
  return CountOfPool(line) - static_cast<size_t>(silent);
}

// Names whose addresses are known, but not enough of them answer.
void Upstreams::WantNames(MonoTime now) {
  for (const auto& [id, upstream] : upstreams_) {
    if (upstream->pooled || !upstream->config.name || !IsSilent(*upstream)) continue;
    lookups_[*upstream->config.name].wanted = true;
  }
  for (const auto& [id, prototype] : prototypes_) {
    if (prototype.config.kind != msg::NetAssociationKind::kPool) continue;
    Lookup& lookup = lookups_[*prototype.config.name];
    if (lookup.wanted || CountOfAnswering(prototype.line) >= node_->start.maxclock) continue;
    lookup.wanted = true;
    lookup.wait = std::max(lookup.wait, kRefillWait);
    lookup.next = std::max(lookup.next, now + kRefillWait);
  }
}

void Upstreams::Maintain(MonoTime now) {
  RemoveExpired();
  RemoveUnproven(now);
  for (const auto& [id, upstream] : upstreams_) RenewListened(upstream.get(), now);
  WantNames(now);
  for (auto& [index, lookup] : lookups_) {
    if (!lookup.wanted || now < lookup.next) continue;
    lookup.next = now + lookup.wait;
    lookup.wait = std::min(lookup.wait * 2, lookup.resolved ? kMostLookupWait : kMostFirstWait);
    Ask(index);
  }
}

void Upstreams::Ask(uint16_t name) {
  if (resolve_->Send(msg::ResolveRequest{.index = name}) != SendOutcome::kSent) return;
  if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) asked_.push_back(name);
}

// ntpd-resolve answers in the order in which it was asked.
void Upstreams::NoteAnswered(uint16_t name) {
  const auto found = std::find(asked_.begin(), asked_.end(), name);
  if (found != asked_.end()) asked_.erase(asked_.begin(), found + 1);
}

bool Upstreams::OnResolveReadable() {
  for (int i = 0; i < Suspicion::kMostAtOnce; ++i) {
    const auto bytes = suspicion_.Receive();
    if (!bytes) return !suspicion_.accused();
    msg::ResolveAnswer answer;
    if (!msg::Decode(*bytes, &answer)) return suspicion_.Accuse(*bytes);
    NoteAnswered(answer.index);
    OnAnswer(answer);
  }
  return true;
}

// Can another host's server have it? A name's answers come from strangers.
bool Upstreams::IsUsable(const IpAddress& address) const {
  return !address.is_none() && !address.is_wildcard() && !address.is_multicast() &&
         !address.is_refclock() && !IsV4Mapped(address) && !IsThisHost(address);
}

void Upstreams::OnAnswer(const msg::ResolveAnswer& answer) {
  const auto found = lookups_.find(answer.index);
  if (found == lookups_.end()) return;
  found->second.died = false;
  if (!found->second.wanted) return;
  if (answer.outcome != msg::ResolveOutcome::kOk) return ComplainOnce(answer);
  Lookup& lookup = found->second;
  lookup.wanted = false;
  lookup.resolved = true;
  lookup.complained = lookup.said_limit = false;
  // Access rules are for the addresses that the name had first: a later answer must not open a
  // door.
  for (const RestrictedHost& host : std::exchange(lookup.restricts, {}))
    for (const IpAddress& address : answer.addresses) host.on_address(address);
  if (!lookup.said_own) lookup.said_own = SayOwnAmong(answer) || SayNoneUsable(answer);
  std::vector<AssocId> done;
  for (const auto& [id, prototype] : prototypes_) {
    if (prototype.config.name != answer.index) continue;
    if (prototype.config.kind == msg::NetAssociationKind::kPool) {
      // A pool stays, to be shown and to be asked again; a server's name has done its work.
      if (FillPool(prototype, answer)) lookup.wait = kRefillWait;
    } else if (AddFirst(prototype, answer)) {
      done.push_back(id);
    } else {
      lookup.wanted = true;
    }
  }
  for (const AssocId id : done) prototypes_.erase(id);
  ReplaceSilent(answer);
  on_update_();
}

// Maintain asks again, for ever: the network may come later than this daemon.
void Upstreams::ComplainOnce(const msg::ResolveAnswer& answer) {
  Lookup& lookup = lookups_.at(answer.index);
  bool& said =
      answer.outcome == msg::ResolveOutcome::kTooOften ? lookup.said_limit : lookup.complained;
  if (std::exchange(said, true)) return;
  const std::string why(ReasonOf(answer.outcome));
  for (const auto& [id, prototype] : prototypes_) {
    if (prototype.config.name != answer.index) continue;
    const bool pool = prototype.config.kind == msg::NetAssociationKind::kPool;
    node_->reporter.Log(LogLevel::kWarning, std::string("error resolving ") +
                                                (pool ? "pool " : "host ") +
                                                std::string(prototype.config.label.text()) + ": " +
                                                why + "; asking again");
  }
  if (!lookup.restricts.empty())
    node_->reporter.Log(LogLevel::kWarning, "error resolving host " + lookup.restricts[0].name +
                                                " of a restrict line: " + why +
                                                "; that line is not in force yet");
}

// True when it found somebody new. Members that do not answer make room.
bool Upstreams::FillPool(const Prototype& prototype, const msg::ResolveAnswer& answer) {
  bool grew = false;
  for (const IpAddress& address : answer.addresses) {
    if (!IsUsable(address) || Has(address)) continue;
    if (CountOfPool(prototype.line) >= node_->start.maxclock) {
      const std::optional<AssocId> silent = SilentOfPool(prototype.line);
      if (!silent) break;
      Remove(*silent);
    }
    node_->reporter.Info(msg::kLogPeerInfo, "Soliciting pool server " + address.ToString());
    AddServer(prototype.line, address, true);
    grew = true;
  }
  return grew;
}

std::optional<AssocId> Upstreams::SilentOfPool(size_t line) const {
  for (const auto& [id, upstream] : upstreams_)
    if (upstream->pooled && upstream->line == line && IsSilent(*upstream)) return id;
  return std::nullopt;
}

bool Upstreams::AddFirst(const Prototype& prototype, const msg::ResolveAnswer& answer) {
  for (const IpAddress& address : answer.addresses) {
    if (!IsUsable(address) || Has(address)) continue;
    AddServer(prototype.line, address, false);
    return true;
  }
  return false;
}

// `server NAME` follows one address at a time: when that one does not answer, the next.
void Upstreams::ReplaceSilent(const msg::ResolveAnswer& answer) {
  std::vector<AssocId> silent;
  for (const auto& [id, upstream] : upstreams_)
    if (!upstream->pooled && upstream->config.name == answer.index && IsSilent(*upstream))
      silent.push_back(id);
  for (const AssocId id : silent) MoveOn(id, answer);
}

void Upstreams::MoveOn(AssocId id, const msg::ResolveAnswer& answer) {
  const Upstream& old = *upstreams_.at(id);
  const auto& list = answer.addresses;
  const auto current = std::find(list.begin(), list.end(), old.remote.ip);
  const size_t start = current == list.end() ? 0 : static_cast<size_t>(current - list.begin()) + 1;
  for (size_t i = 0; i < list.size(); ++i) {
    const IpAddress address = list[(start + i) % list.size()];
    if (!IsUsable(address) || Has(address)) continue;
    node_->reporter.Info(msg::kLogPeerInfo, std::string(old.config.label.text()) + ": " +
                                                old.label() + " does not answer, trying " +
                                                address.ToString());
    const size_t line = old.line;
    Remove(id);
    return AddServer(line, address, false);
  }
}

// All are asked anew, but for the name that was being looked up when the process died: it may be
// the reason, and the others must not die with it each time. It waits for as long as it would
// without.
void Upstreams::OnResolveRestarted(MonoTime now) {
  suspicion_.OnRestarted();
  const auto first = asked_.empty() ? lookups_.end() : lookups_.find(asked_.front());
  if (first != lookups_.end()) first->second.died = true;
  asked_.clear();
  for (auto& [index, lookup] : lookups_) lookup.next = lookup.died ? now + lookup.wait : MonoTime();
}

}  // namespace ntpward::net
