// Which sources tell the truth, which of them are worth following, and what they say together.
//
// RFC 5905 section 11.2: intersection, clustering, combining. Pure functions over a list of
// candidates; their order is the order of the results.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "ntpd/core/parameters.h"
#include "ntpd/wire/packet.h"
#include "ntpd/wire/status_word.h"
#include "privsep/base/types.h"

namespace ntpward::core {

// What selection knows of a source that is fit to be selected. Seconds.
struct Candidate {
  AssocId id;
  double offset = 0;
  double root_distance = 0;  // greater than 0
  double jitter = 0;
  uint8_t stratum = 0;
  wire::Leap leap = wire::Leap::kNone;
  bool prefer = false;
  bool always_true = false;  // `true`: survives intersection and clustering
};

// RFC 5905 section 11.1: the greatest possible error of a source's offset, at least `mindist`.
struct RootDistanceTerms {
  double delay = 0, root_delay = 0, dispersion = 0, root_dispersion = 0, jitter = 0;
  double age = 0;  // since the offset was measured
};
double RootDistance(const RootDistanceTerms& terms, double phi, double mindist);

// Marks the truechimers: the largest group, and a majority, whose intervals have a point in common
// (RFC 5905 section 11.2.1). All false when there is no majority.
std::vector<bool> Intersect(std::span<const Candidate> candidates);

// Orders `members` (indices of truechimers) best first and drops outliers until `minclock` are left
// or dropping one would not help (RFC 5905 section 11.2.2). Dropped ones are marked in `marks`.
std::vector<size_t> Cluster(std::span<const Candidate> candidates, std::vector<size_t> members,
                            const Parameters& parameters, std::span<wire::Selection> marks);

struct Combined {
  double offset = 0;
  double jitter = 0;  // of the survivors' own and of their differences
};
// Weights each survivor by the inverse of its root distance (RFC 5905 section 11.2.3).
// `system_peer` must be one of `survivors`.
Combined Combine(std::span<const Candidate> candidates, std::span<const size_t> survivors,
                 size_t system_peer);

struct SelectionResult {
  std::vector<wire::Selection> marks;  // one for each candidate
  std::vector<size_t> survivors;       // best first; empty: nothing to follow
  std::optional<size_t> system_peer;
  Combined combined;
  wire::Leap leap = wire::Leap::kNone;  // what more than half of the survivors announce
};

// All of it. `previous` keeps its role while it is as good as the best (no hopping between equals).
SelectionResult Select(std::span<const Candidate> candidates, const Parameters& parameters,
                       std::optional<AssocId> previous);

}  // namespace ntpward::core
