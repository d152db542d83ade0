// Mode 6 datagrams: the control protocol that ntpq speaks (RFC 1305 appendix B, RFC 9327).
//
// The bytes come from anyone who can send a datagram. Which requests are answered, and where a MAC
// starts, follows ntpd 4.2.8. Nothing here checks a MAC or decides who may ask.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::wire {

inline constexpr uint8_t kControlMode = 6;
inline constexpr size_t kControlHeaderSize = 12;
inline constexpr size_t kControlKeyIdSize = 4;  // before the digest of a MAC
// Data octets of one datagram, by common usage of both ends.
inline constexpr size_t kMaxControlData = 468;
// Longest datagram that is accepted. Header, data, padding and MAC need 512 octets; some clients
// pad a request to 576 (ntpstat), and ntpd 4.2.8 reads `count` octets of it and ignores the rest.
inline constexpr size_t kMaxControlDatagram = 1024;
// 24 fragments is what the oldest client in use (ntpq 4.2.6) puts together.
inline constexpr size_t kMaxControlFragments = 24;
inline constexpr size_t kMaxControlPayload = kMaxControlFragments * kMaxControlData;
// Who asks for the list of recent clients says how many fragments may come, up to 128.
inline constexpr size_t kMaxLongPayload = 128 * kMaxControlData;

// The five-bit operation code. Any other value may arrive: ControlHeader keeps it as it came.
enum class ControlOp : uint8_t {
  kUnspecified = 0,
  kReadStatus = 1,
  kReadVariables = 2,
  kWriteVariables = 3,
  kReadClock = 4,
  kWriteClock = 5,
  kSetTrap = 6,
  kAsyncMessage = 7,
  kConfigure = 8,
  kSaveConfig = 9,
  kReadMru = 10,
  kReadOrderedList = 11,
  kRequestNonce = 12,
  kUnsetTrap = 31,
};

// The code in the upper octet of an error response's status word.
enum class ControlError : uint8_t {
  kUnspecified = 0,
  kPermission = 1,
  kBadFormat = 2,
  kBadOperation = 3,
  kBadAssociation = 4,
  kUnknownVariable = 5,
  kBadValue = 6,
  kRestricted = 7,
};

// Why a mode 6 datagram was refused.
enum class ControlReject : uint8_t {
  kTooShort,      // shorter than the header
  kTooLong,       // longer than kMaxControlDatagram
  kWrongMode,     // not mode 6
  kWrongVersion,  // not 1 to 4
  kNotARequest,   // a response, error or continuation bit, or an offset (CVE-2009-3563: never
                  // answer an answer)
  kNotAResponse,  // the response bit is clear
  kBadFormat,     // count and length disagree, or the length is no multiple of four
};

// The twelve octets before the data; numbers in host order.
struct ControlHeader {
  uint8_t leap = 0;  // 0..3
  uint8_t version = 2;
  bool response = false;
  bool error = false;
  bool more = false;
  ControlOp op = ControlOp::kUnspecified;
  uint16_t sequence = 0;
  uint16_t status = 0;  // a status word (status_word.h), or the error code in the upper octet
  AssocId assoc;
  uint16_t offset = 0;  // of this fragment's data in the whole payload, octets
  uint16_t count = 0;   // data octets of this fragment, padding excluded

  ControlError error_code() const { return static_cast<ControlError>(status >> 8); }
  friend bool operator==(const ControlHeader&, const ControlHeader&) = default;
};

// The candidate MAC of a request; not verified. The digest is empty for a lone key identifier,
// which excess padding looks like: serve such a request as if it had none.
struct ControlMac {
  KeyId key;
  Bytes digest;   // 0..20 octets
  Bytes covered;  // what the digest is over: header, data and padding to a multiple of eight
};

// A request that deserves an answer. The spans point into the datagram.
struct ControlRequest {
  ControlHeader header;
  Bytes data;
  std::optional<ControlMac> mac;
};

// One datagram of an answer, as a client sees it. The span points into the datagram.
struct ControlFragment {
  ControlHeader header;
  Bytes data;
};

// Writes twelve octets.
void Encode(const ControlHeader& header, Writer& out);
// The header of any datagram of mode 6 and 12 octets or more; checks nothing else.
Result<ControlHeader, ControlReject> DecodeControlHeader(Bytes datagram);

// Applies the acceptance rules of ntpd 4.2.8 in its order. Only kBadFormat is answered (with
// BuildControlError and the header from DecodeControlHeader); everything else is dropped in
// silence.
Result<ControlRequest, ControlReject> ParseControlRequest(Bytes datagram);
// A server's datagram; `data` has header.count octets, or none when the error bit is set.
Result<ControlFragment, ControlReject> ParseControlResponse(Bytes datagram);

// What follows the last datum decides how it is padded: to 4 octets, or to 8 before a MAC.
enum class ControlPadding : uint8_t { kPlain = 4, kForMac = 8 };

// The datagram of a request; at most kMaxControlData octets of `data` (CHECKed). header.count is
// set from `data`. With kForMac the caller appends key identifier and digest.
std::vector<uint8_t> BuildControlRequest(ControlHeader header, Bytes data, ControlPadding padding);

// The header of an answer to `request`: version, operation, sequence and association echoed.
ControlHeader ReplyHeader(const ControlHeader& request, uint8_t leap, uint16_t status);

// Splits `payload` into datagrams under `reply` (which sets everything but more, offset and count).
// A fragment ends at the last position of `cuts` (ascending offsets into the payload) that fits, so
// that clients which read one datagram find whole items; an item longer than a fragment is cut
// inside. An empty payload makes one datagram. What exceeds kMaxLongPayload is left off.
std::vector<std::vector<uint8_t>> BuildControlReply(const ControlHeader& reply, Bytes payload,
                                                    const std::vector<size_t>& cuts,
                                                    ControlPadding padding);
// The twelve octets of an error response; a MAC would follow without padding.
std::vector<uint8_t> BuildControlError(const ControlHeader& request, uint8_t leap,
                                       ControlError code);

}  // namespace ntpward::wire
