// May a packet of a stranger make an association? Only as `restrict` and `enable auth` allow.
//
// Sources: ntpd 4.2.8 for `nopeer`, `noepeer` and `ippeerlimit`; RFC 5905 section 9.2.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ntpd/core/access.h"

namespace ntpward::core {

// Ephemeral associations of all hosts together: whoever has keys and addresses without end still
// cannot fill our memory or outvote the configured sources (CVE-2018-7170).
inline constexpr size_t kMostEphemeral = 32;

enum class Mobilisation : uint8_t {
  kAllowed,
  kUnauthenticated,  // no good MAC of a trusted key, and `enable auth` or `notrust`
  kNoPeer,           // `nopeer`, and no good MAC
  kNoEpeer,          // `noepeer`
  kPeerLimit,        // `ippeerlimit`
  kTooMany,          // kMostEphemeral
};

struct MobilisationRequest {
  AccessFlags flags;           // for the sender
  int ippeerlimit = -1;        // of the same entry; -1: none
  bool authenticated = false;  // a MAC of a trusted key was checked; a crypto-NAK never is one
                               // (CVE-2015-7871)
  bool auth_required = true;   // `enable auth`
  size_t of_address = 0;       // ephemeral associations with this address now
  size_t of_all = 0;           // and in all
};

Mobilisation MayMobilise(const MobilisationRequest& request);

}  // namespace ntpward::core
