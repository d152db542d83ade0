// The MAC of a mode 6 request: key identifier and keyed digest (RFC 5905 section 7.3, RFC 8573), or
// the DES-CBC check sum of NTP version 3 (RFC 1305 appendix C).
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::ntpq {

// Digests that ntpd 4.2.8 takes in mode 6, by the name that ntp.keys uses, DES as in ntpq 4.1, and
// SHA256 cut to what a MAC holds, as ntpd of ntpward and NTPsec cut it.
struct KeyType {
  std::string_view name;
  size_t size;  // octets on the wire
};
inline constexpr std::array<KeyType, 8> kKeyTypes = {{{"AES128CMAC", 16},
                                                      {"MD4", 16},
                                                      {"MD5", 16},
                                                      {"RIPEMD160", 20},
                                                      {"SHA1", 20},
                                                      {"SHA256", 20},
                                                      {"SHAKE128", 16},
                                                      {"DES", 8}}};

// The type by its name in any case; "M" alone means MD5.
std::optional<KeyType> FindKeyType(std::string_view name);

// What follows a request: `key` and then H(secret, covered), or the CMAC. A secret of DES is the
// text of its key: 1 to 8 characters, or 16 hexadecimal digits with odd parity. Fails when this
// OpenSSL does not offer the type, or the text is none.
Result<std::vector<uint8_t>> MakeMac(const KeyType& type, KeyId key, Bytes secret, Bytes covered);

}  // namespace ntpward::ntpq
