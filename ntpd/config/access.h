// Who may do what: restrict entries and the limits that go with them.
//
// Sources: ntp.conf of ntpd 4.2.8 ("restrict", "delrestrict", "discard", "mru").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ntpd/config/diagnostic.h"
#include "privsep/base/address.h"

namespace ntpward::config {

enum class RestrictFlag : uint32_t {
  kIgnore = 1U << 0,    // drop everything
  kNoServe = 1U << 1,   // no time
  kNoQuery = 1U << 2,   // no mode 6 and 7
  kNoModify = 1U << 3,  // no configuration by mode 6
  kNoPeer = 1U << 4,    // no new association that was not authenticated
  kNoEpeer = 1U << 5,   // no new association at all
  kNoTrap = 1U << 6,
  kNoTrust = 1U << 7,  // authentication required
  kLimited = 1U << 8,  // rate limit by `discard`
  kKod = 1U << 9,      // say RATE when limited
  kNoMruList = 1U << 10,
  kVersion = 1U << 11,      // drop other protocol versions
  kNtpPort = 1U << 12,      // the entry matches source port 123 only
  kNonNtpPort = 1U << 13,   // the entry matches any source port but 123
  kMsSntp = 1U << 14,       // accepted, without effect
  kFlake = 1U << 15,        // accepted, without effect
  kLowPrioTrap = 1U << 16,  // accepted, without effect
  kEpeer = 1U << 17,        // the opposite of noepeer
  kServerResponseFuzz = 1U << 18,
};

// A set of restrict flags; empty: free access.
class RestrictFlags {
 public:
  constexpr RestrictFlags() = default;
  explicit constexpr RestrictFlags(uint32_t bits) : bits_(bits) {}
  constexpr bool Has(RestrictFlag flag) const { return (bits_ & static_cast<uint32_t>(flag)) != 0; }
  constexpr void Add(RestrictFlag flag) { bits_ |= static_cast<uint32_t>(flag); }
  constexpr uint32_t bits() const { return bits_; }
  // The names as ntp.conf writes them, with a blank between; empty for no flags.
  std::string ToString() const;
  friend constexpr bool operator==(RestrictFlags, RestrictFlags) = default;

 private:
  uint32_t bits_ = 0;
};
std::optional<RestrictFlag> FindRestrictFlag(std::string_view name);

enum class RestrictTarget : uint8_t {
  kDefault,  // 0.0.0.0/0 and ::/0, or the one of `family`
  kSource,   // template for the addresses of associations; with an address: that one's entry
  kAddress,  // `address` under `mask`
  kHost,     // `host`: every address that the name has, as host entries
};

// One restrict line. Lines of the same target add up their flags, in order; `remove` takes the
// entry away (`delrestrict`, `unrestrict`).
struct Restriction {
  Location where;
  bool remove = false;
  RestrictTarget target = RestrictTarget::kDefault;
  Family family = Family::kNone;  // of default, source and host; kNone: both
  IpAddress address;  // kAddress: bits outside the mask are zero; kSource: none unless removed
  IpAddress mask;     // of `address`, and of its family; it may have gaps
  std::string host;   // kHost
  std::optional<int32_t> ippeerlimit;  // associations per address; -1: no limit
  RestrictFlags flags;
};

// Rate limits for `limited`.
struct Discard {
  Setting<uint8_t> average{3};   // log2 s
  Setting<uint32_t> minimum{2};  // s
  Setting<uint32_t> monitor{3000};
};

// As many recent clients as ntpd-net can be told to remember, and how many of `maxdepth` one
// kibibyte of `maxmem` stands for.
inline constexpr uint32_t kMostMruEntries = 10000000;
inline constexpr uint32_t kMruEntriesPerKibibyte = 16;

// Size of the list of recent clients. Validate() clamps it to 1..kMostMruEntries. Memory is in
// kibibytes; of maxdepth and maxmem (and of the other pairs) the one that a line set last wins, the
// other is then 0.
struct MruLimits {
  Setting<uint32_t> maxdepth{0};
  Setting<uint32_t> maxmem{1024};
  Setting<uint32_t> mindepth{600};
  Setting<int32_t> maxage{64};  // s; -1: no limit
};

}  // namespace ntpward::config
