// Who is tried of those that have yet to prove themselves, and who goes for another.
//
// One packet that anyone can write begins such an association (Autokey's passive peers, broadcast
// and manycast servers). Few are tried at once, each kind by itself, and few of one network of
// those that answer us: who owns many addresses owns neighbours, but anybody can write their names.
// No place is for ever. Who never answered us may be forged, who fell silent has gone, and who gets
// no further may speak Autokey for hours: each goes when another asks for the place, and who was
// refused goes at once.
// Whoever has proved itself is not tried any more and goes for nobody. Neither does a peer that has
// accepted our certificate and follows us, as a client of a trusted host does in symmetric modes:
// it may never have a trail of its own for us, and few of those are let in.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::core {

// Tried at once, of one kind.
inline constexpr size_t kMostUnproven = 4;
// Of one network, those that an operator lets in by their certificate trail alone (`identity
// optional`), and peers that follow us and have proved nothing: anybody can be one. In all, half of
// kMostEphemeral.
inline constexpr size_t kMostLetInOfNetwork = 8;
inline constexpr size_t kMostLetIn = 16;
// s in which an association may give its first answer to us before it has to make room for another.
// Two that both hurry (PollSchedule::Hasten) need 10 at most.
inline constexpr double kFirstAnswerSeconds = 16;
// The same since its last answer: two polls of ntpd 4.2.8, and one that got lost.
inline constexpr double kSilenceSeconds = 160;
// The same since its dance got further. A peer without a source stands still until it has its time
// from us, which takes a minute or two.
inline constexpr double kStandstillSeconds = 300;

// How far one has got in proving itself. Starting over does not turn the clock back: only getting
// further than ever before counts, so that nobody can go round in circles for ever.
class Trial {
 public:
  Trial() = default;
  explicit Trial(MonoTime now) : since_(now), advanced_(now) {}

  // `step` counts up while the dance goes on (ClientDance::progress). Who was `proved` and is not
  // any more is tried as if it had just come.
  void Note(int step, bool proved, MonoTime now);

  MonoTime since() const { return since_; }
  MonoTime advanced() const { return advanced_; }
  // Since when it counts as proved, if it does.
  MonoTime proved_since() const { return proved_since_; }

 private:
  MonoTime since_;
  MonoTime advanced_;
  MonoTime proved_since_;
  int furthest_ = 0;
  bool proved_ = false;
};

struct Unproven {
  AssocId id;
  IpAddress address;
  Trial trial;
  // When it answered us last, which a forger off the path cannot; none: never.
  std::optional<MonoTime> answered;
  // What it answered is no proof, and another try would show no other.
  bool refused = false;
};

// How many of a kind are tried at once, and how many of one network of those that have answered us.
struct UnprovenLimits {
  size_t places = kMostUnproven;
  size_t of_network = 1;
  // Those count that have not answered us, too: nobody off the path makes one of this kind.
  bool all_count = false;
};

// Is there a place for one more, and who goes for it?
struct UnprovenPlace {
  bool free = false;
  AssocId goes;  // 0: nobody has to
};

// `tried`: all of the kind that have not proved themselves, in any order.
UnprovenPlace PlaceForUnproven(std::span<const Unproven> tried, const IpAddress& newcomer,
                               const UnprovenLimits& limits, MonoTime now);

// One that is let in by its trail alone, or as it follows us and has proved nothing; since when.
struct LetIn {
  AssocId id;
  IpAddress address;
  MonoTime since;
  bool by_trail = false;
};

// Those for whom there is no room beside the ones that were let in before them; who has shown a
// trail goes before all that have not. Everybody is tried, as nobody's packet tells whether it can
// prove who it is. Who has room is tried no more.
std::vector<AssocId> TooManyLetIn(std::vector<LetIn> let_in);

// The same /24 (IPv4) or /64 (IPv6, and the same link where that is what it is local to): what one
// owner of addresses has at least.
bool InOneNetwork(const IpAddress& a, const IpAddress& b);

}  // namespace ntpward::core
