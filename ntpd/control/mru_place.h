// Where a search through the list of recent clients stopped, as digits behind a nonce.
//
// A filter may pass over more rows than one answer looks at. Its reader then has no row by which to
// say where the list goes on, but every reader, those of the reference and of NTPsec too, sends the
// nonce of the last answer back as it came. Nothing is kept here about readers, and the digits are
// no secret and prove nothing: a reader may begin anywhere.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/control/mru_request.h"
#include "ntpd/control/recent_clients.h"

namespace ntpward::control {

// With the nonce before them 124: readers have room for 127.
inline constexpr size_t kMostPlaceDigits = 100;

// As many of `rows` as fit, the first ones: one may have moved when the reader asks again.
std::string MruPlaceDigits(std::span<const RecentClient> rows);

// None: not what MruPlaceDigits makes. Ports are left out and 0.
std::optional<std::vector<MruPosition>> ReadMruPlace(std::string_view digits);

}  // namespace ntpward::control
