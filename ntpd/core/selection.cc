#include "ntpd/core/selection.h"

#include <algorithm>
#include <cmath>

#include "privsep/base/result.h"

namespace ntpward::core {
namespace {

struct Edge {
  double at;
  int type;  // -1 lower end, +1 upper end
};

std::vector<Edge> SortedEdges(std::span<const Candidate> candidates) {
  std::vector<Edge> edges;
  edges.reserve(2 * candidates.size());
  for (const Candidate& c : candidates) {
    edges.push_back({c.offset - c.root_distance, -1});
    edges.push_back({c.offset + c.root_distance, +1});
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return a.at != b.at ? a.at < b.at : a.type < b.type;
  });
  return edges;
}

// Walks from one end until `wanted` intervals overlap.
template <typename Iterator>
std::optional<double> FindEnd(Iterator first, Iterator last, int opening, size_t wanted) {
  size_t overlapping = 0;
  for (auto edge = first; edge != last; ++edge) {
    if (edge->type != opening)
      --overlapping;
    else if (++overlapping >= wanted)
      return edge->at;
  }
  return std::nullopt;
}

struct Interval {
  double low, high;
};

// RFC 5905 also asks that the middles of all but `allowed` intervals lie inside. Like ntpd 4.2.8 we
// do not: an interval is a bound on the truth, and its middle is not more likely than the rest.
std::optional<Interval> FindIntersection(std::span<const Candidate> candidates) {
  const std::vector<Edge> edges = SortedEdges(candidates);
  const size_t n = candidates.size();
  for (size_t allowed = 0; 2 * allowed < n; ++allowed) {
    const auto low = FindEnd(edges.begin(), edges.end(), -1, n - allowed);
    const auto high = FindEnd(edges.rbegin(), edges.rend(), +1, n - allowed);
    if (low && high && *high >= *low) return Interval{*low, *high};
  }
  return std::nullopt;
}

double SelectionJitter(std::span<const Candidate> candidates, std::span<const size_t> members,
                       size_t of) {
  double squares = 0;
  for (size_t other : members) {
    const double difference = candidates[other].offset - candidates[of].offset;
    squares += difference * difference;
  }
  return std::sqrt(squares / static_cast<double>(std::max<size_t>(1, members.size() - 1)));
}

wire::Leap MajorityLeap(std::span<const Candidate> candidates, std::span<const size_t> survivors) {
  for (wire::Leap leap : {wire::Leap::kAddSecond, wire::Leap::kDeleteSecond}) {
    const auto votes = std::count_if(survivors.begin(), survivors.end(),
                                     [&](size_t i) { return candidates[i].leap == leap; });
    if (2 * static_cast<size_t>(votes) > survivors.size()) return leap;
  }
  return wire::Leap::kNone;
}

// A preferred survivor, else the one that was followed if it is of the best one's stratum (RFC 5905
// section 11.2.2: hopping between equals only adds noise), else the best.
size_t ChooseSystemPeer(std::span<const Candidate> candidates, std::span<const size_t> survivors,
                        std::optional<AssocId> previous) {
  for (size_t i : survivors)
    if (candidates[i].prefer) return i;
  for (size_t i : survivors)
    if (previous && candidates[i].id == *previous &&
        candidates[i].stratum == candidates[survivors[0]].stratum)
      return i;
  return survivors[0];
}

}  // namespace

double RootDistance(const RootDistanceTerms& terms, double phi, double mindist) {
  return std::max(mindist, (terms.root_delay + terms.delay) / 2 + terms.root_dispersion +
                               terms.dispersion + phi * std::max(0.0, terms.age) + terms.jitter);
}

std::vector<bool> Intersect(std::span<const Candidate> candidates) {
  std::vector<bool> truechimers(candidates.size());
  const auto interval = FindIntersection(candidates);
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& c = candidates[i];
    const bool overlaps = interval && c.offset + c.root_distance >= interval->low &&
                          c.offset - c.root_distance <= interval->high;
    truechimers[i] = overlaps || c.always_true;
  }
  return truechimers;
}

std::vector<size_t> Cluster(std::span<const Candidate> candidates, std::vector<size_t> members,
                            const Parameters& parameters, std::span<wire::Selection> marks) {
  const auto metric = [&](size_t i) {
    return candidates[i].stratum * parameters.maxdist + candidates[i].root_distance;
  };
  std::stable_sort(members.begin(), members.end(),
                   [&](size_t a, size_t b) { return metric(a) < metric(b); });
  const size_t limit = static_cast<size_t>(std::max(1, parameters.maxclock));
  for (size_t i = limit; i < members.size(); ++i) marks[members[i]] = wire::Selection::kBackup;
  members.resize(std::min(members.size(), limit));

  while (members.size() > static_cast<size_t>(std::max(1, parameters.minclock))) {
    double least_jitter = candidates[members[0]].jitter, worst = -1;
    auto worst_at = members.begin();
    for (auto i = members.begin(); i != members.end(); ++i) {
      least_jitter = std::min(least_jitter, candidates[*i].jitter);
      const double jitter = SelectionJitter(candidates, members, *i);
      if (jitter >= worst) worst = jitter, worst_at = i;
    }
    // Below the best source's own jitter nothing is gained by dropping one.
    if (worst <= least_jitter || candidates[*worst_at].prefer || candidates[*worst_at].always_true)
      break;
    marks[*worst_at] = wire::Selection::kOutlier;
    members.erase(worst_at);
  }
  return members;
}

Combined Combine(std::span<const Candidate> candidates, std::span<const size_t> survivors,
                 size_t system_peer) {
  double weights = 0, offsets = 0, squares = 0, jitters = 0;
  for (size_t i : survivors) {
    const Candidate& c = candidates[i];
    const double weight = 1 / c.root_distance;
    const double difference = c.offset - candidates[system_peer].offset;
    weights += weight;
    offsets += weight * c.offset;
    squares += weight * difference * difference;
    jitters += weight * c.jitter * c.jitter;
  }
  return {offsets / weights, std::sqrt(squares / weights + jitters / weights)};
}

SelectionResult Select(std::span<const Candidate> candidates, const Parameters& parameters,
                       std::optional<AssocId> previous) {
  SelectionResult result;
  result.marks.assign(candidates.size(), wire::Selection::kFalsetick);
  const std::vector<bool> truechimers = Intersect(candidates);
  std::vector<size_t> members;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!truechimers[i]) continue;
    result.marks[i] = wire::Selection::kCandidate;
    members.push_back(i);
  }
  if (members.empty() || members.size() < static_cast<size_t>(std::max(0, parameters.minsane)))
    return result;
  result.survivors = Cluster(candidates, std::move(members), parameters, result.marks);
  const size_t peer = ChooseSystemPeer(candidates, result.survivors, previous);
  result.system_peer = peer;
  result.marks[peer] = wire::Selection::kSystemPeer;
  result.leap = MajorityLeap(candidates, result.survivors);
  // `prefer` means: this one alone (RFC 5905 section 11.2.2).
  const size_t alone[] = {peer};
  result.combined = Combine(candidates,
                            candidates[peer].prefer ? std::span<const size_t>(alone)
                                                    : std::span<const size_t>(result.survivors),
                            peer);
  return result;
}

}  // namespace ntpward::core
