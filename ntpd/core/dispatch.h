// What becomes of a packet by its mode and by the association that its sender has with us.
//
// The table of RFC 5905 section 9.2 and appendix A.5.1, in one place. It says which tests come
// next; it believes nothing. Where it differs from the RFC, the reason stands beside the entry.
#pragma once

#include <cstdint>
#include <optional>

#include "ntpd/wire/packet.h"

namespace ntpward::core {

// How we stand to another host: RFC 5905 figure 8, with the two sides of broadcast apart. The
// values are those of variable `hmode`.
enum class HostMode : uint8_t {
  kSymmetricActive = 1,
  kSymmetricPassive = 2,
  kClient = 3,
  kBroadcast = 5,
  kBroadcastClient = 6,
};

enum class Fate : uint8_t {
  kDiscard,
  kProcess,            // it belongs to the association
  kAnswer,             // a request: answered and forgotten
  kMobilisePassive,    // a stranger wants to be our peer; if it may not, kAnswer
  kMobiliseBroadcast,  // a broadcast server is heard for the first time
  kManycast,           // perhaps the answer to a solicitation of ours
};

// `association`: none when the sender has none with us.
Fate Dispatch(std::optional<HostMode> association, wire::Mode packet);

}  // namespace ntpward::core
