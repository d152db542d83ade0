// Values of mode 6 variables, read from text that came over the network: from a server, to ntpq,
// and from whoever asks, to the daemon.
//
// Any text may come: each function takes exactly its own form, in bounded range, or says no.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::wire {

// Decimal digits only.
std::optional<uint64_t> DecodeUnsigned(std::string_view text);
// Decimal digits after an optional sign.
std::optional<int64_t> DecodeSigned(std::string_view text);
// Hexadecimal digits after an optional "0x".
std::optional<uint64_t> DecodeHex(std::string_view text);
// Decimal, or hexadecimal after "0x".
std::optional<uint64_t> DecodeNumber(std::string_view text);
// Digits with a decimal point and a sign, both optional; magnitude below 1e12.
std::optional<double> DecodeFixed(std::string_view text);
// "0xeeacac82.601ea377": seconds and fraction.
std::optional<NtpTimestamp> DecodeTimestamp(std::string_view text);
// A numeric address, with or without port and brackets.
std::optional<SocketAddress> DecodeAddress(std::string_view text);
// One to eight fixed-point values between blanks.
std::optional<std::vector<double>> DecodeSeries(std::string_view text);

}  // namespace ntpward::wire
