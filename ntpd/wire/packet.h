// One NTP datagram taken apart: header, extension fields, MAC. Pure: nothing is believed here.
//
// The bytes come from anyone on the network. What ParsePacket accepts is well delimited and nothing
// more: no field has been judged, no MAC checked. Parsed packets point into the caller's buffer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::wire {

inline constexpr size_t kHeaderSize = 48;
// Octets of all extension fields of a packet together (as ntpd 4.2.8 does).
inline constexpr size_t kMaxExtensionArea = 2048;
// Key identifier and the longest digest: 4 + 20 (RFC 5905 section 7.3 and, for SHA-1, ntpd 4.2.8).
inline constexpr size_t kMaxMacSize = 24;
inline constexpr size_t kMaxDigestSize = 20;
inline constexpr size_t kMaxPacketSize = kHeaderSize + kMaxExtensionArea + kMaxMacSize;
inline constexpr size_t kMaxExtensions = 8;
inline constexpr uint8_t kMinVersion = 1;
inline constexpr uint8_t kMaxVersion = 4;
// Stratum of an unsynchronised clock; on the wire it is sent as 0 (RFC 5905 section 7.3).
inline constexpr uint8_t kStratumUnsynchronised = 16;

// RFC 5905 figure 9.
enum class Leap : uint8_t { kNone = 0, kAddSecond = 1, kDeleteSecond = 2, kAlarm = 3 };

// RFC 5905 figure 10.
enum class Mode : uint8_t {
  kUnspecified = 0,
  kSymmetricActive = 1,
  kSymmetricPassive = 2,
  kClient = 3,
  kServer = 4,
  kBroadcast = 5,
  kControl = 6,
  kPrivate = 7,
};

// Unsigned seconds as 16.16 fixed point: root delay and root dispersion (RFC 5905 section 6).
class NtpShort {
 public:
  constexpr NtpShort() = default;
  static constexpr NtpShort FromRaw(uint32_t raw) { return NtpShort(raw); }
  // Rounds up to the next unit, so that a bound never shrinks; clamps to 0 .. 65536 s, NaN to the
  // top.
  static NtpShort FromSeconds(double seconds);
  constexpr uint32_t raw() const { return raw_; }
  constexpr double seconds() const { return raw_ / 65536.0; }
  friend constexpr auto operator<=>(NtpShort, NtpShort) = default;

 private:
  explicit constexpr NtpShort(uint32_t raw) : raw_(raw) {}
  uint32_t raw_ = 0;
};

// The 48 octets that every packet starts with (RFC 5905 section 7.3).
struct Header {
  Leap leap = Leap::kAlarm;
  uint8_t version = kMaxVersion;  // 0..7
  Mode mode = Mode::kClient;
  uint8_t stratum = 0;   // as sent: 0 is unspecified or a kiss-o'-death
  int8_t poll = 0;       // log2 seconds
  int8_t precision = 0;  // log2 seconds
  NtpShort root_delay;
  NtpShort root_dispersion;
  uint32_t refid = 0;  // four octets, the first in the top byte
  NtpTimestamp reference;
  NtpTimestamp origin;
  NtpTimestamp receive;
  NtpTimestamp transmit;

  friend bool operator==(const Header&, const Header&) = default;
};

// Why a datagram is no packet; each is a counter.
enum class Reject : uint8_t {
  kShort,              // fewer than 48 octets
  kLong,               // more than the receive limit of header, fields and MAC
  kBadVersion,         // not 1..4
  kNotTime,            // modes 6 and 7 are not in this format
  kBadLength,          // what follows the header is not a multiple of 4 octets
  kBadExtension,       // an extension field's length is no multiple of 4, below 4, or too long
  kTooManyExtensions,  // more than kMaxExtensions
};

// One extension field, whatever it is (RFC 7822). Unknown types are skipped, never echoed.
struct Extension {
  uint16_t type = 0;  // for Autokey: flags, version and code
  Bytes field;        // all of it, the 4 octets of type and length included
};

// The trailer that may prove who sent the packet.
struct Mac {
  KeyId key;
  Bytes digest;  // 0..20 octets; empty says "crypto-NAK" when the key is 0, and nothing otherwise
};

struct Packet {
  Header header;
  Bytes covered;            // header to last extension field: what a MAC covers
  std::optional<Mac> mac;   // not checked
  bool crypto_nak = false;  // a MAC of four zero octets: "I could not check yours"

  std::span<const Extension> extensions() const { return {fields.data(), field_count}; }

  std::array<Extension, kMaxExtensions> fields{};
  size_t field_count = 0;
};

// The mode of a datagram, before it is known to be a packet; none when it is empty.
std::optional<Mode> PeekMode(Bytes datagram);

// Delimits a datagram of mode 0 to 5. After the header, 4 to 24 octets are a MAC and more than 24
// start with an extension field (as ntpd 4.2.8 does; RFC 7822 asks senders to allow for it). The
// result points into `datagram`.
Result<Packet, Reject> ParsePacket(Bytes datagram);

// Appends the 48 octets. `version` must be 0..7.
void EncodeHeader(Writer& writer, const Header& header);

// Appends key identifier and digest.
void EncodeMac(Writer& writer, const Mac& mac);
// Appends the four zero octets that tell a sender that its MAC did not check.
void EncodeCryptoNak(Writer& writer);

}  // namespace ntpward::wire
