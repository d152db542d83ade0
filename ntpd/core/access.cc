#include "ntpd/core/access.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "privsep/base/result.h"

namespace ntpward::core {
namespace {

constexpr uint16_t kNtpPort = 123;

int Width(Family family) { return family == Family::kIpv4 ? 4 : 16; }

// The number of leading ones when nothing but zeros follows them.
std::optional<int> PrefixLength(Family family, const std::array<uint8_t, 16>& mask) {
  int length = 0;
  bool ended = false;
  for (int i = 0; i < Width(family); ++i) {
    const uint8_t octet = mask[static_cast<size_t>(i)];
    const int ones = std::countl_one(octet);
    if (std::popcount(octet) != ones || (ended && ones > 0)) return std::nullopt;
    length += ones;
    ended = ended || ones < 8;
  }
  return length;
}

std::array<uint8_t, 16> Masked(const std::array<uint8_t, 16>& octets,
                               const std::array<uint8_t, 16>& mask) {
  std::array<uint8_t, 16> masked{};
  for (size_t i = 0; i < masked.size(); ++i) masked[i] = octets[i] & mask[i];
  return masked;
}

// A mapped address must not slip past the IPv4 rules (::ffff:a.b.c.d).
IpAddress Unmapped(const IpAddress& address) {
  if (address.family != Family::kIpv6) return address;
  constexpr std::array<uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const auto& o = address.octets;
  if (!std::equal(kPrefix.begin(), kPrefix.end(), o.begin())) return address;
  return IpAddress::V4(o[12], o[13], o[14], o[15]);
}

// Whether a look-up comes to `a` before `b`, of the same family. Where no mask has gaps that is the
// longest prefix first.
bool ComesFirst(const AccessEntry& a, const AccessEntry& b) {
  return std::tie(a.address.octets, a.mask, a.port) > std::tie(b.address.octets, b.mask, b.port);
}

SourcePort PortOf(const SocketAddress& source) {
  return source.port == kNtpPort ? SourcePort::kNtp : SourcePort::kOther;
}

bool DeniesQueries(AccessFlags flags) {
  return flags.has(Access::kNoQuery) || flags.has(Access::kIgnore);
}

bool SameKey(const AccessEntry& entry, const std::array<uint8_t, 16>& address,
             const std::array<uint8_t, 16>& mask, SourcePort port) {
  return entry.port == port && entry.mask == mask && entry.address.octets == address;
}

std::optional<AccessEntry>& At(std::array<std::optional<AccessEntry>, kSourcePorts>& slot,
                               SourcePort port) {
  return slot[static_cast<size_t>(port)];
}

bool IsEmpty(const std::array<std::optional<AccessEntry>, kSourcePorts>& slot) {
  return std::none_of(slot.begin(), slot.end(),
                      [](const std::optional<AccessEntry>& entry) { return entry.has_value(); });
}

void Merge(AccessEntry* old, const AccessEntry& added) {
  if (old->origin == AccessOrigin::kSource && added.origin != AccessOrigin::kSource) {
    const uint64_t hits = old->hits;
    *old = added;
    old->hits = hits;
    return;
  }
  old->flags = old->flags | added.flags;
  if (added.ippeerlimit >= 0) old->ippeerlimit = added.ippeerlimit;
}

}  // namespace

size_t AccessList::OctetsHash::operator()(const Octets& octets) const {
  // The keys come from the operator, not from the network: no secret is needed.
  uint64_t hash = 0xcbf29ce484222325U;
  for (uint8_t octet : octets) hash = (hash ^ octet) * 0x100000001b3U;
  return static_cast<size_t>(hash ^ (hash >> 29));
}

AccessList::AccessList() {
  nobody_.flags = Access::kIgnore;
  for (Family family : {Family::kIpv4, Family::kIpv6}) {
    AccessEntry everyone;
    everyone.address.family = family;
    Add(everyone);
  }
}

std::array<uint8_t, 16> AccessList::Mask(Family family, int length) {
  std::array<uint8_t, 16> mask{};
  const int bits = std::clamp(length, 0, 8 * Width(family));
  for (int i = 0; i < bits; ++i)
    mask[static_cast<size_t>(i / 8)] |= static_cast<uint8_t>(0x80 >> (i % 8));
  return mask;
}

AccessEntry* AccessList::Find(const IpAddress& address, const Octets& mask, SourcePort port) {
  FamilyTables& tables = TablesOf(address.family);
  const Octets key = Masked(address.octets, mask);
  if (const auto length = PrefixLength(address.family, mask)) {
    const auto table = tables.by_length.find(*length);
    if (table == tables.by_length.end()) return nullptr;
    const auto slot = table->second.find(key);
    if (slot == table->second.end()) return nullptr;
    std::optional<AccessEntry>& entry = At(slot->second, port);
    return entry ? &*entry : nullptr;
  }
  for (AccessEntry& entry : tables.irregular)
    if (SameKey(entry, key, mask, port)) return &entry;
  return nullptr;
}

void AccessList::Add(AccessEntry entry) {
  if (entry.address.is_none()) return;
  entry.address.scope = 0;
  if (entry.address.family == Family::kIpv4)
    std::fill(entry.mask.begin() + 4, entry.mask.end(), uint8_t{0});
  entry.address.octets = Masked(entry.address.octets, entry.mask);
  if (AccessEntry* old = Find(entry.address, entry.mask, entry.port)) {
    Merge(old, entry);
    return;
  }
  FamilyTables& tables = TablesOf(entry.address.family);
  if (const auto length = PrefixLength(entry.address.family, entry.mask)) {
    Slot& slot = tables.by_length[*length][entry.address.octets];
    At(slot, entry.port) = entry;
    return;
  }
  const auto place =
      std::upper_bound(tables.irregular.begin(), tables.irregular.end(), entry, ComesFirst);
  tables.irregular.insert(place, entry);
}

void AccessList::SetDefault(Family family, AccessFlags flags) {
  IpAddress any;
  any.family = family;
  AccessEntry* entry = Find(any, Mask(family, 0), SourcePort::kAny);
  CHECK(entry != nullptr);
  entry->flags = flags;
}

bool AccessList::Remove(const IpAddress& address, const Octets& mask, SourcePort port) {
  if (address.is_none()) return false;
  AccessEntry* found = Find(address, mask, port);
  if (found == nullptr) return false;
  FamilyTables& tables = TablesOf(address.family);
  const auto length = PrefixLength(address.family, mask);
  if (length == 0 && port == SourcePort::kAny) {
    found->flags = AccessFlags();  // every family always has one entry that matches
    return true;
  }
  if (!length) {
    std::erase_if(tables.irregular, [&](const AccessEntry& e) { return &e == found; });
    return true;
  }
  const auto table = tables.by_length.find(*length);
  const auto slot = table->second.find(Masked(address.octets, mask));
  At(slot->second, port).reset();
  if (IsEmpty(slot->second)) table->second.erase(slot);
  if (table->second.empty()) tables.by_length.erase(table);
  return true;
}

void AccessList::SetSourceTemplate(std::optional<AccessFlags> flags, int ippeerlimit) {
  source_flags_ = flags;
  source_ippeerlimit_ = ippeerlimit;
}

void AccessList::AddSource(const IpAddress& address) {
  if (address.is_none()) return;
  IpAddress host = Unmapped(address);
  host.scope = 0;
  ++sources_[host];
  if (!source_flags_) return;
  AccessEntry entry;
  entry.address = host;
  entry.mask = Mask(host.family, 128);
  entry.flags = *source_flags_;
  entry.ippeerlimit = source_ippeerlimit_;
  entry.origin = AccessOrigin::kSource;
  if (Find(host, entry.mask, SourcePort::kAny) == nullptr) Add(entry);
}

void AccessList::RemoveSource(const IpAddress& address) {
  IpAddress host = Unmapped(address);
  host.scope = 0;
  const auto known = sources_.find(host);
  if (known == sources_.end() || --known->second > 0) return;
  sources_.erase(known);
  (void)RemoveSourceEntry(host);
}

bool AccessList::RemoveSourceEntry(const IpAddress& address) {
  IpAddress host = Unmapped(address);
  host.scope = 0;
  if (host.is_none()) return false;
  const Octets mask = Mask(host.family, 128);
  const AccessEntry* entry = Find(host, mask, SourcePort::kAny);
  return entry != nullptr && entry->origin == AccessOrigin::kSource &&
         Remove(host, mask, SourcePort::kAny);
}

AccessEntry* AccessList::FindIn(Slot* slot, SourcePort from) {
  std::optional<AccessEntry>& specific = At(*slot, from);
  std::optional<AccessEntry>& any = At(*slot, SourcePort::kAny);
  return specific ? &*specific : any ? &*any : nullptr;
}

AccessEntry& AccessList::Matching(const SocketAddress& source) {
  const IpAddress address = Unmapped(source.ip);
  if (address.is_none()) return nobody_;
  const SourcePort from = PortOf(source);
  FamilyTables& tables = TablesOf(address.family);
  AccessEntry* best = nullptr;
  for (auto& [length, table] : tables.by_length) {
    const auto slot = table.find(Masked(address.octets, Mask(address.family, length)));
    if (slot == table.end()) continue;
    best = FindIn(&slot->second, from);
    if (best != nullptr) break;
  }
  CHECK(best != nullptr);
  for (AccessEntry& entry : tables.irregular) {
    if (!ComesFirst(entry, *best)) break;
    if (entry.port != SourcePort::kAny && entry.port != from) continue;
    if (Masked(address.octets, entry.mask) != entry.address.octets) continue;
    return entry;
  }
  return *best;
}

const AccessEntry& AccessList::DefaultFor(Family family, SourcePort from) {
  const AccessEntry* found = FindIn(&TablesOf(family).by_length.at(0).at(Octets{}), from);
  CHECK(found != nullptr);
  return *found;
}

bool AccessList::OpensNetwork(const AccessEntry& entry, const SocketAddress& source) {
  if (entry.origin != AccessOrigin::kConfigured || entry.mask == Octets{} ||
      entry.address.is_none() || DeniesQueries(entry.flags))
    return false;
  const AccessFlags everybody = DefaultFor(entry.address.family, PortOf(source)).flags;
  if (DeniesQueries(everybody)) return true;
  constexpr AccessFlags kOfNoQuery = Access::kNoModify | Access::kNoTrap |
                                     Access::kLowPriorityTrap | Access::kNoPeer | Access::kNoEpeer;
  return (entry.flags.bits & ~(everybody.bits | kOfNoQuery.bits)) == 0;
}

const AccessEntry& AccessList::Match(const SocketAddress& source) {
  AccessEntry& entry = Matching(source);
  ++entry.hits;
  return entry;
}

AccessFlags AccessList::Lookup(const SocketAddress& source) { return Match(source).flags; }

std::vector<AccessEntry> AccessList::Entries() const {
  std::vector<AccessEntry> all;
  for (const FamilyTables* tables : {&v4_, &v6_}) {
    const size_t first = all.size();
    for (const auto& [length, table] : tables->by_length) {
      for (const auto& [key, slot] : table) {
        for (const std::optional<AccessEntry>& entry : slot)
          if (entry) all.push_back(*entry);
      }
    }
    all.insert(all.end(), tables->irregular.begin(), tables->irregular.end());
    std::sort(all.begin() + static_cast<std::ptrdiff_t>(first), all.end(), ComesFirst);
  }
  return all;
}

bool AccessList::Has(Access flag) const {
  const auto has = [flag](const std::optional<AccessEntry>& entry) {
    return entry && entry->flags.has(flag);
  };
  for (const FamilyTables* tables : {&v4_, &v6_}) {
    for (const AccessEntry& entry : tables->irregular)
      if (entry.flags.has(flag)) return true;
    // The defaults come last, and have it most often.
    for (auto table = tables->by_length.rbegin(); table != tables->by_length.rend(); ++table)
      for (const auto& [key, slot] : table->second)
        if (std::any_of(slot.begin(), slot.end(), has)) return true;
  }
  return false;
}

size_t AccessList::size() const {
  size_t count = 0;
  for (const FamilyTables* tables : {&v4_, &v6_}) {
    count += tables->irregular.size();
    for (const auto& [length, table] : tables->by_length)
      for (const auto& [key, slot] : table)
        for (const std::optional<AccessEntry>& entry : slot) count += entry.has_value() ? 1 : 0;
  }
  return count;
}

}  // namespace ntpward::core
