// Autokey's messages: one extension field, taken apart and put together (RFC 5906 section 10).
//
// The field comes from ParsePacket and may have been made by anyone: the packet's MAC proves
// nothing when a field is present. Every length is checked here; signatures are for the caller to
// verify.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ntpd/wire/packet.h"
#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::wire {

inline constexpr uint8_t kAutokeyVersion = 2;
// That of ntpd 4.1 and before, which is told to be refused and never taken apart.
inline constexpr uint8_t kOldAutokeyVersion = 1;
// Type, length and association identifier: all there is of a message without a value.
inline constexpr size_t kShortFieldSize = 8;
// The short form, timestamp, filestamp and the two lengths; value and signature come on top.
inline constexpr size_t kValueFieldOverhead = 24;
// The longest name in an association or certificate request (as ntpd 4.2.8 accepts).
inline constexpr size_t kMaxSubjectName = 256;

// What a message is about (RFC 5906 section 10). 0 is sent by reference clients that lack the
// parameters of the identity scheme they were asked for.
enum class AutokeyCode : uint8_t {
  kNull = 0,
  kAssociation = 1,
  kCertificate = 2,
  kCookie = 3,
  kAutokey = 4,
  kLeap = 5,
  kSign = 6,
  kIff = 7,
  kGq = 8,
  kMv = 9,
};

// Why a field is no Autokey message.
enum class FieldReject : uint8_t {
  kShort,         // fewer than 8 octets, or its own length says otherwise than its size
  kNotAutokey,    // version is not 2: some other extension field
  kBadLength,     // between the short form and the value form
  kBadValue,      // no value, or its length does not fit
  kBadSignature,  // the signature's length does not fit
  kLeftover,      // octets behind the signature
};

// The first 8 octets: enough to answer a message that is otherwise bad.
struct AutokeyFieldHead {
  bool response = false;
  bool error = false;
  uint8_t code = 0;          // an AutokeyCode, or unknown when above 9
  uint32_t association = 0;  // 16 bits are in use
  bool operator==(const AutokeyFieldHead&) const = default;
};

// A whole message; `value`, `signature` and `signed_part` point into the parsed field.
struct AutokeyField {
  AutokeyFieldHead head;
  bool has_value = false;  // false: the 8-octet form, and nothing below is set
  NtpSeconds timestamp;    // when it was signed; 0: the signer is not synchronised
  NtpSeconds filestamp;    // age of what the value was made from; in ASSOC, the status word
  Bytes value;             // at least one octet
  Bytes signature;         // empty when unsigned
  Bytes signed_part;       // timestamp, filestamp, value length, value: what the signature covers
};

// True when `type` carries Autokey's version, so that the field is for ParseAutokeyField.
constexpr bool IsAutokeyType(uint16_t type) { return ((type >> 8) & 0x3f) == kAutokeyVersion; }
// True when `type` is that of a request of version 1; one of its answers or errors is nobody's.
constexpr bool IsOldAutokeyRequest(uint16_t type) { return type >> 8 == kOldAutokeyVersion; }

// Reads the first 8 octets of `field`. Fails with kShort or kNotAutokey only.
Result<AutokeyFieldHead, FieldReject> ParseAutokeyFieldHead(Bytes field);

// Takes a whole field apart. Its size must be 8, or exactly 24 plus value and signature, each
// padded to a multiple of 4; padding octets are not looked at (reference senders leave rubbish
// there).
Result<AutokeyField, FieldReject> ParseAutokeyField(Bytes field);

// The size on the wire of a message with a value.
constexpr size_t AutokeyFieldSize(size_t value_size, size_t signature_size) {
  return kValueFieldOverhead + (value_size + 3) / 4 * 4 + (signature_size + 3) / 4 * 4;
}

// Appends `field` (`signed_part` is not looked at), padded with zeros. Marks the writer as failed
// when the field is longer than the extension area of a packet.
void EncodeAutokeyField(Writer& writer, const AutokeyField& field);

// Appends a message without a value: a request for AUTO or LEAP, or an empty response.
void EncodeShortField(Writer& writer, const AutokeyFieldHead& head);

// Appends the answer "cannot" to the request `head`: both bits set, 8 octets.
void EncodeErrorField(Writer& writer, const AutokeyFieldHead& head);

}  // namespace ntpward::wire
