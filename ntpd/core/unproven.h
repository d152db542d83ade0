// Who is tried of those that have yet to prove themselves, and who goes for another.
//
// One packet that anyone can write begins such an association (Autokey's passive peers and
// broadcast servers). Few are tried at once, each kind by itself, and who never answered us has no
// claim to a place: its address may be forged, and the next one genuine.
#pragma once

#include <cstddef>
#include <span>

#include "privsep/base/types.h"

namespace ntpward::core {

// Tried at once, of one kind.
inline constexpr size_t kMostUnproven = 4;
// s in which an association may give its first answer to us before it has to make room for another.
// Two that both hurry (PollSchedule::Hasten) need 10 at most.
inline constexpr double kFirstAnswerSeconds = 16;

struct Unproven {
  AssocId id;
  MonoTime since;
  bool heard = false;  // it answered us, which a forger off the path cannot
};

// Is there a place for one more, and who goes for it?
struct UnprovenPlace {
  bool free = false;
  AssocId goes;  // 0: nobody has to
};

// `tried`: all of the kind that have not proved themselves, in any order.
UnprovenPlace PlaceForUnproven(std::span<const Unproven> tried, MonoTime now);

}  // namespace ntpward::core
