// DES keys in the text forms of xntp's and ntpd 4.1's key files (ntp.keys types S, N and A).
//
// The text comes from an operator. What is wrong with it is said by position, never by quoting it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "privsep/base/bytes.h"
#include "privsep/base/result.h"

namespace ntpward {

inline constexpr size_t kDesKeySize = 8;
inline constexpr size_t kDesKeyDigits = 2 * kDesKeySize;

enum class DesKeyForm : uint8_t {
  kStandard,  // S: 16 hexadecimal digits, odd parity in the lowest bit of each octet (FIPS 46)
  kNtp,       // N: the same with the parity in the highest bit (RFC 1305 appendix C)
  kText,      // A: 1 to 8 characters, the low seven bits of each, as Unix passwords
};

// The form that a key file's type word means, in either case; none for other words.
std::optional<DesKeyForm> DesKeyFormOf(std::string_view type);

struct DesKeyError {
  size_t at = 0;  // octet of the text, from 0
  std::string expected;
};

// A key's octets with the parity bit lowest. Fewer than eight (of kText) are filled up with zeros
// by whoever encrypts. The caller wipes it.
using DesKey = InlineBytes<kDesKeySize>;
Result<DesKey, DesKeyError> DecodeDesKey(DesKeyForm form, std::string_view text);

}  // namespace ntpward
