// Whom ntp.conf names: servers, pools, peers, groups and local reference clocks.
//
// Sources: ntp.conf of ntpd 4.2.8 ("server", "pool", "peer", "broadcast", "manycastclient",
// "fudge").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ntpd/config/diagnostic.h"
#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::config {

enum class AssociationKind : uint8_t { kServer, kPool, kPeer, kBroadcast, kManycastClient };
// The directive's name: "server", "pool", ...
std::string_view KindName(AssociationKind kind);

inline constexpr uint8_t kMinPoll = 3;   // log2 s, as ntpd 4.2.8
inline constexpr uint8_t kMaxPoll = 17;  // log2 s, RFC 5905 MAXPOLL
inline constexpr uint8_t kDefaultMinPoll = 6;
inline constexpr uint8_t kDefaultMaxPoll = 10;

// One association line. Polls are log2 seconds; Validate() clamps them to kMinPoll..kMaxPoll and to
// minpoll <= maxpoll.
struct Association {
  Location where;  // of the directive's name
  Location host_where;
  AssociationKind kind = AssociationKind::kServer;
  std::string host;                  // name or numeric address as written, without brackets
  std::optional<IpAddress> address;  // set when `host` is numeric; no look-up is needed then
  Family family = Family::kNone;     // -4 or -6; kNone: either

  Setting<KeyId> key;  // 1..65535; none unless configured; excludes autokey
  bool autokey = false;
  std::string ident;               // Autokey group; a group named here is never optional
  bool identity_optional = false;  // `identity optional`: the certificate trail alone may do

  Setting<uint32_t> minpoll{kDefaultMinPoll};
  Setting<uint32_t> maxpoll{kDefaultMaxPoll};
  bool iburst = false;
  bool burst = false;
  bool prefer = false;
  bool noselect = false;
  bool always_true = false;  // `true`
  bool preempt = false;
  bool xleave = false;
  Setting<uint8_t> version{4};  // 1..4
  Setting<uint8_t> ttl{0};      // index into the ttl list (broadcast, manycastclient): 0..7
  uint32_t mode = 0;            // reference clocks only

  // 127.127.t.u names a reference clock; only type 1, the local clock, exists here.
  bool is_refclock() const { return address.has_value() && address->is_refclock(); }
  bool is_local_clock() const { return is_refclock() && address->octets[2] == 1; }
  bool is_authenticated() const { return autokey || !key.value.is_none(); }
};

// Settings of a reference clock, collected over all its `fudge` lines.
struct Fudge {
  Location where;                            // of the first line
  IpAddress clock;                           // 127.127.t.u
  std::optional<double> time1;               // s
  std::optional<double> time2;               // s
  std::optional<uint8_t> stratum;            // 0..16
  std::string refid;                         // up to four ASCII characters, or empty
  std::array<std::optional<bool>, 4> flags;  // flag1..flag4
};
inline constexpr uint8_t kLocalClockStratum = 5;

// A request to end an association: `unpeer HOST` or `unpeer ASSOCID`.
struct Unpeer {
  Location where;
  std::string host;  // empty when `assoc` is set
  AssocId assoc;
};

}  // namespace ntpward::config
