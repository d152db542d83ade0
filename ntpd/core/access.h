// The restrict list: which flags apply to the sender of a packet.
//
// Of the entries that match one wins and they are never merged: the one with the highest address,
// of these the one with the highest mask, compared as numbers with the bits outside the mask zero
// (ntpd 4.2.8, `restrict`). Without gaps in masks that is the most specific one. Such masks are
// looked up by prefix length, longest first, so that 10^5 entries cost no more than a few; masks
// with gaps are a list that is compared one by one. IPv4-mapped IPv6 addresses count as IPv4.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "privsep/base/address.h"

namespace ntpward::core {

// The bits of `rs` in ntpq's mrulist, as ntpd 4.2.8p18 numbers them.
enum class Access : uint16_t {
  kIgnore = 0x0001,
  kNoServe = 0x0002,
  kNoTrust = 0x0004,
  kVersion = 0x0008,
  kNoPeer = 0x0010,
  kNoEpeer = 0x0020,
  kLimited = 0x0040,
  kNoQuery = 0x0080,
  kNoModify = 0x0100,
  kNoTrap = 0x0200,
  kLowPriorityTrap = 0x0400,
  kKod = 0x0800,
  kMsSntp = 0x1000,
  kFlake = 0x2000,
  kNoMruList = 0x4000,
  kServerResponseFuzz = 0x8000,
};

// A set of Access bits.
struct AccessFlags {
  uint16_t bits = 0;

  constexpr AccessFlags() = default;
  constexpr explicit AccessFlags(uint16_t value) : bits(value) {}
  constexpr AccessFlags(Access flag) : bits(static_cast<uint16_t>(flag)) {}  // NOLINT: implicit
  constexpr bool has(Access flag) const { return (bits & static_cast<uint16_t>(flag)) != 0; }
  friend constexpr AccessFlags operator|(AccessFlags a, AccessFlags b) {
    return AccessFlags(static_cast<uint16_t>(a.bits | b.bits));
  }
  friend constexpr bool operator==(AccessFlags, AccessFlags) = default;
};
constexpr AccessFlags operator|(Access a, Access b) { return AccessFlags(a) | AccessFlags(b); }

// Where an entry came from; ntpq's `reslist` shows it.
enum class AccessOrigin : uint8_t { kConfigured, kInterface, kSource };

// One line of the list. Bits of `address` outside `mask` are ignored.
// Which source ports an entry matches: `ntpport` and `non-ntpport` of a line are more specific than
// neither.
enum class SourcePort : uint8_t { kAny, kNtp, kOther };
inline constexpr size_t kSourcePorts = 3;

struct AccessEntry {
  IpAddress address;
  std::array<uint8_t, 16> mask{};  // network byte order, as many octets as the family has
  SourcePort port = SourcePort::kAny;
  AccessFlags flags;
  int ippeerlimit = -1;  // ephemeral associations per address; -1: no limit
  AccessOrigin origin = AccessOrigin::kConfigured;
  uint64_t hits = 0;  // look-ups that ended here
};

class AccessList {
 public:
  // Starts with one entry for each whole family that allows everything.
  AccessList();

  // A mask of `length` leading ones; `length` beyond the family's width is cut to it.
  static std::array<uint8_t, 16> Mask(Family family, int length);

  // Adds an entry; one of the same address, mask and port gets the flags added to its own (never
  // taken away). Configured entries take the place of `source` entries. A family of kNone is
  // ignored.
  void Add(AccessEntry entry);
  // Replaces the flags of a whole family's entry, as the daemon's built-in default does.
  void SetDefault(Family family, AccessFlags flags);
  // Takes an entry away; false when there was none. The whole family's entry is emptied instead.
  bool Remove(const IpAddress& address, const std::array<uint8_t, 16>& mask, SourcePort port);

  // `restrict source`: what each association's address gets from now on; none: nothing.
  void SetSourceTemplate(std::optional<AccessFlags> flags, int ippeerlimit = -1);
  // An association with `address` came or went. They are counted, so that two associations of one
  // address keep its entry until the last is gone. A configured host entry is never touched.
  void AddSource(const IpAddress& address);
  void RemoveSource(const IpAddress& address);
  // Takes the entry away that an association's address has by the template, until the next of its
  // associations comes. False when it has none.
  bool RemoveSourceEntry(const IpAddress& address);

  // The flags for a packet from `source`; counts the hit.
  AccessFlags Lookup(const SocketAddress& source);
  // The same with everything of the entry.
  const AccessEntry& Match(const SocketAddress& source);
  // The same where no packet has come: counts nothing.
  const AccessEntry& Peek(const SocketAddress& source) { return Matching(source); }

  // Whether `entry`, which is the one for `source`, is the operator's word that whoever has such an
  // address may query: of less than everybody, and either what he denies to everybody, or nothing
  // that restricts more, but for what concerns changes and associations.
  bool OpensNetwork(const AccessEntry& entry, const SocketAddress& source);

  // Whether any entry has `flag`.
  bool Has(Access flag) const;
  // All entries, IPv4 first, each before those that it wins over.
  std::vector<AccessEntry> Entries() const;
  size_t size() const;

 private:
  using Octets = std::array<uint8_t, 16>;
  struct OctetsHash {
    size_t operator()(const Octets& octets) const;
  };
  // The entries that may share an address and a mask, by SourcePort.
  using Slot = std::array<std::optional<AccessEntry>, kSourcePorts>;
  using Table = std::unordered_map<Octets, Slot, OctetsHash>;
  struct FamilyTables {
    std::map<int, Table, std::greater<>> by_length;
    std::vector<AccessEntry> irregular;  // each before those that it wins over
  };

  AccessEntry& Matching(const SocketAddress& source);
  // The entry for all of a family.
  const AccessEntry& DefaultFor(Family family, SourcePort from);
  FamilyTables& TablesOf(Family family) { return family == Family::kIpv4 ? v4_ : v6_; }
  AccessEntry* Find(const IpAddress& address, const Octets& mask, SourcePort port);
  static AccessEntry* FindIn(Slot* slot, SourcePort from);

  FamilyTables v4_;
  FamilyTables v6_;
  AccessEntry nobody_;  // what an address without family matches: everything is refused
  std::optional<AccessFlags> source_flags_;
  int source_ippeerlimit_ = -1;
  std::map<IpAddress, int> sources_;  // associations per address
};

}  // namespace ntpward::core
