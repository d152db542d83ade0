// READ_ORDLIST (RFC 9327 section 3): the sockets that are listened to, and the access rules.
//
// Only who has the control key gets these. Names and order of the fields, and the words, are those
// of ntpd 4.2.8p18; what it draws by lot (the order of a row's fields, a variable of no meaning
// after each row) is left out. A list that is longer than its readers put together ends after a
// whole row, with `rows=` and how many there are of them: ntpq of ntpward then asks for those from
// the next one on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ntpd/wire/variable_list.h"
#include "privsep/base/address.h"
#include "privsep/base/bytes.h"

namespace ntpward::control {

// The bits of `flags` in a row of ifstats.
enum InterfaceFlag : uint16_t {
  kInterfaceUp = 0x001,
  kInterfacePointToPoint = 0x002,
  kInterfaceLoopback = 0x004,
  kInterfaceBroadcast = 0x008,
  kInterfaceMulticast = 0x010,
  kInterfaceHearsBroadcast = 0x020,
  kInterfaceHearsMulticast = 0x040,
  kInterfaceWildcard = 0x080,
};

// One listening socket.
struct InterfaceView {
  SocketAddress address;
  IpAddress broadcast;  // none: no broadcasts are heard by it
  bool enabled = true;  // false: what comes is thrown away
  std::string name;
  uint16_t flags = 0;      // InterfaceFlag
  uint32_t hop_limit = 0;  // of what is sent to groups; 0: the system's
  uint32_t groups = 0;     // multicast groups joined
  uint64_t received = 0;
  uint64_t sent = 0;
  uint64_t send_failed = 0;
  uint32_t peers = 0;  // associations that use its address
  uint64_t uptime_s = 0;
};

// One entry of the restrict list.
struct RestrictionView {
  IpAddress address;
  std::array<uint8_t, 16> mask{};  // network byte order, as many octets as the family has
  uint64_t hits = 0;
  uint16_t flags = 0;         // core::Access bits
  bool ntpport = false;       // matches source port 123 only
  bool other_port = false;    // matches all but that
  bool is_interface = false;  // of an address of ours
  bool is_source = false;     // made by `restrict source`
};

enum class OrderedList : uint8_t { kInterfaces, kRestrictions };

// Which list the data of a request names, and what ntpq of ntpward sends behind it: " from=" and
// the number of the first row that it wants, and a nonce.
struct ListRequest {
  OrderedList list = OrderedList::kInterfaces;
  size_t first = 0;
  std::string_view nonce;  // see SplitProof
};

// None when there is no such list, or `from` is no number.
std::optional<ListRequest> ParseListRequest(Bytes data);

// The rows from number `first` on, as many as fit into kMaxControlPayload; empty when there are
// none. Each ends the list.
wire::VariableListWriter InterfaceList(std::span<const InterfaceView> rows, size_t first = 0);
wire::VariableListWriter RestrictionList(std::span<const RestrictionView> rows, size_t first = 0);

// "serve trust nopeer": what an entry says, and for what it leaves out what it so permits.
std::string RestrictionWords(const RestrictionView& row);

}  // namespace ntpward::control
