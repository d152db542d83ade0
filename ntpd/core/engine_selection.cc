// Whom the engine follows: sources, a local clock, an orphan parent, or its own time.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "ntpd/core/engine.h"

namespace ntpward::core {
namespace {

using Kind = ClockAction::Kind;

// Sources disagree by asymmetries that no averaging removes, and some are wrong for a while. How
// far a bias (see TakeMeasurements) follows a sample that fits, or is the system peer's, and one
// that does not; how many deviations off still fit; how many in a row that do not leave the bias
// alone, since each may be a stray, or the clock have jumped; and how far the biases come to cancel
// out with each sample.
constexpr double kBiasSmoothing = 1.0 / 16;
constexpr double kBiasChase = 1.0 / 4;
constexpr double kFit = 4;
constexpr int kStrays = 2;
constexpr double kCentring = 1.0 / 32;
// An echo whose path is better by this factor tells more than the server itself (see DropEchoes).
constexpr double kMuchBetter = 8;
// Selections, for each candidate, for which one that survived counts on: about as many polls.
constexpr uint64_t kSurvivalMemory = 8;

constexpr uint32_t kLoopbackRefid = 0x7f000001;  // what an orphan parent names as its source

}  // namespace

// Someone of the orphan stratum or below it follows nobody real (tos orphan).
bool Engine::IsOrphan(const Association& association) const {
  return association.stratum() >= config_.parameters.orphan;
}

// A source that has an address of ours is this very host, and would vote for us.
bool Engine::IsOurselves(const Peer& peer) const {
  const auto is_peers = [&](uint32_t refid) { return refid == peer.refid; };
  return std::any_of(own_refids_.begin(), own_refids_.end(), is_peers) ||
         std::any_of(loopback_refids_.begin(), loopback_refids_.end(), is_peers);
}

std::vector<Candidate> Engine::Candidates(MonoTime now) {
  std::vector<Candidate> candidates;
  orphan_parent_ = AssocId{};
  std::pair<uint8_t, uint32_t> best_orphan{};
  for (auto& [id, peer] : peers_) {
    Association& association = peer->association;
    association.SetSelection(wire::Selection::kReject);
    peer->unfit = association.Unfit(now, own_refids_);
    if (IsOurselves(*peer)) peer->unfit |= wire::kFlashPeerLoop;
    if (peer->unfit != 0) continue;
    if (!IsOrphan(association)) {
      candidates.push_back(association.AsCandidate(now));
      continue;
    }
    // All orphans must agree on a parent: the lowest stratum, then the lowest identifier.
    const std::pair<uint8_t, uint32_t> rank{association.stratum(), peer->refid};
    if (orphan_parent_.value == 0 || rank < best_orphan) {
      best_orphan = rank;
      orphan_parent_ = id;
    }
  }
  return candidates;
}

// The first correction may be a step, and the first source to answer twice may be a liar: sources
// whose first volley is under way get the time to be heard. One that never answered gets less.
bool Engine::Gathering(MonoTime now) const {
  constexpr double kForAnswering = 10, kForSilent = 3;
  const double waited = now - started_at_;
  if (discipline_.started() || waited > kForAnswering) return false;
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    const Association& association = entry.second->association;
    if (association.config().noselect || association.stopped()) return false;
    if (!association.schedule().in_volley()) return false;
    if (!association.heard()) return waited < kForSilent;
    return association.filter().samples() < 2;
  });
}

ClockAction Engine::Update(MonoTime now, NtpTimestamp system_time) {
  stale_ = false;
  Advance(now);
  const std::vector<Candidate> candidates = Candidates(now);
  std::optional<AssocId> previous;
  if (system_.system_peer.value != 0) previous = system_.system_peer;
  SelectionResult result = Select(candidates, config_.parameters, previous);
  if (result.system_peer) DropEchoes(&result, candidates);
  for (size_t i = 0; i < candidates.size(); ++i)
    Find(candidates[i].id)->SetSelection(result.marks[i]);
  for (auto& [id, local] : locals_) local.selection = wire::Selection::kReject;

  Local* local = UsableLocal();
  if (local != nullptr && (!result.system_peer || local->clock.config().prefer)) {
    FollowLocal(local, now, system_time);
    return {};
  }
  if (result.system_peer && Gathering(now)) return {};
  if (result.system_peer) return FollowPeer(result, candidates, now, system_time);
  return WithoutSources(now, system_time);
}

// A peer that follows another survivor tells what that one says, late, and on top of it what it
// does to its own clock meanwhile: hosts that are each other's peers would chase each other. It
// goes on as a survivor for who looks, and counts once its source is gone, or where it is so near
// that it tells more than a far server.
void Engine::DropEchoes(SelectionResult* result, std::span<const Candidate> candidates) const {
  const auto is_echo = [&](size_t i) {
    const Association& peer = peers_.at(candidates[i].id)->association;
    if (i == *result->system_peer || peer.config().mode == HostMode::kClient) return false;
    return std::any_of(result->survivors.begin(), result->survivors.end(), [&](size_t other) {
      return other != i && peers_.at(candidates[other].id)->refid == peer.refid() &&
             candidates[other].jitter <= kMuchBetter * candidates[i].jitter;
    });
  };
  std::vector<size_t> voices;
  std::copy_if(result->survivors.begin(), result->survivors.end(), std::back_inserter(voices),
               [&](size_t i) { return !is_echo(i); });
  result->survivors = std::move(voices);
  result->combined = Combine(candidates, result->survivors, *result->system_peer);
}

ClockAction Engine::FollowPeer(const SelectionResult& result, std::span<const Candidate> candidates,
                               MonoTime now, NtpTimestamp system_time) {
  const Peer& peer = *peers_.at(candidates[*result.system_peer].id);
  const Association& association = peer.association;
  SetSystemPeer(association.id(), wire::SystemSource::kNtp);
  is_orphan_ = false;
  last_followed_ = now;
  const std::vector<size_t> voices = Voices(result, candidates);
  const std::vector<Measurement> measurements =
      TakeMeasurements(result.combined.offset, candidates, voices);
  if (measurements.empty()) return {};

  const DisciplineState before = discipline_.state();
  const ClockAction action =
      discipline_.OnOffset({result.combined.offset, measurements, static_cast<int>(voices.size()),
                            association.schedule().minpoll(), association.schedule().maxpoll()},
                           now);
  if (action.kind == Kind::kStep) proposed_step_ = action.offset;
  if (action.kind == Kind::kSlew) AdoptPeer(peer, result, now, system_time);
  ReportState(before, action);
  for (auto& [id, other] : peers_) other->association.SetSystemPoll(discipline_.poll());
  next_tick_ = now;
  return action;
}

// Whose samples count, the system peer first: the preferred peer's alone, else those of the
// survivors and of the truechimers that clustering put aside just now. Which of several survive
// changes with every sample, and the clock would move each time; one that never does is wrong.
std::vector<size_t> Engine::Voices(const SelectionResult& result,
                                   std::span<const Candidate> candidates) {
  ++selections_;
  for (size_t i : result.survivors) peers_.at(candidates[i].id)->survived = selections_;
  std::vector<size_t> voices{*result.system_peer};
  if (candidates[*result.system_peer].prefer || result.survivors.size() == 1) return voices;
  for (size_t i : result.survivors)
    if (i != *result.system_peer) voices.push_back(i);
  const uint64_t memory = kSurvivalMemory * candidates.size();
  for (size_t i = 0; i < result.marks.size(); ++i) {
    const uint64_t survived = peers_.at(candidates[i].id)->survived;
    const bool lately = survived != 0 && selections_ - survived < memory;
    if (result.marks[i] == wire::Selection::kOutlier && lately) voices.push_back(i);
  }
  return voices;
}

// Each voice keeps a bias against what all say together, and its samples count less that. Those
// of the system peer do in any case. One of another is taken only where it fits: a source that is
// being slewed itself, or whose path has changed, has a deviation as small as the best one's, and
// would pass its own frequency on. Nothing is learned from an offset that waits for its step, nor
// from a sample that would need one alone.
std::vector<Measurement> Engine::TakeMeasurements(double combined,
                                                  std::span<const Candidate> candidates,
                                                  std::span<const size_t> voices) {
  const AssocId leader = candidates[voices.front()].id;
  const bool waits_for_step = discipline_.BeyondStep(combined);
  std::vector<Measurement> measurements;
  for (PendingSample& pending : std::exchange(pending_, {})) {
    const bool leads = pending.id == leader;
    const bool counts = std::any_of(voices.begin(), voices.end(),
                                    [&](size_t i) { return candidates[i].id == pending.id; });
    if (!counts) continue;
    Peer& peer = *peers_.at(pending.id);
    if (waits_for_step) {
      measurements.push_back(pending.measurement);
      continue;
    }
    if (discipline_.BeyondStep(pending.measurement.offset)) continue;
    if (voices.size() == 1) {
      if (peer.bias) *peer.bias -= kBiasSmoothing * *peer.bias;
    } else {
      const bool fits = LearnBias(&peer, pending.measurement, leads, combined);
      CentreBiases(candidates, voices);
      if (!leads && !fits) continue;
    }
    pending.measurement.offset -= peer.bias.value_or(0);
    measurements.push_back(pending.measurement);
  }
  return measurements;
}

// True when the sample is what clock and bias made expect, as far as its noise goes.
bool Engine::LearnBias(Peer* peer, const Measurement& measurement, bool leads, double combined) {
  const double expected = discipline_.Expect(measurement).value_or(combined);
  const double error = measurement.offset - expected;
  const double surprise = error - peer->bias.value_or(error);
  const double deviation =
      std::hypot(measurement.deviation, discipline_.ExpectDeviation(measurement));
  const bool fits = peer->bias && std::abs(surprise) <= kFit * deviation;
  // Of a new source nothing is known; nor of one that was wrong and is right again.
  if (!peer->bias || (!fits && std::abs(error) < std::abs(surprise) / 2)) {
    peer->bias = error;
    return false;
  }
  peer->misfits = fits ? 0 : peer->misfits + 1;
  if (fits || peer->misfits > kStrays)
    *peer->bias += (leads || fits ? kBiasSmoothing : kBiasChase) * surprise;
  return fits;
}

// The biases of all voices have to cancel out, since together they are right by definition. They
// come to that slowly: the clock goes with them, and a source that comes or goes must not shake it.
void Engine::CentreBiases(std::span<const Candidate> candidates, std::span<const size_t> voices) {
  double sum = 0, weights = 0;
  for (size_t i : voices) {
    const Peer& peer = *peers_.at(candidates[i].id);
    if (!peer.bias) continue;
    const double weight = 1 / candidates[i].root_distance;
    sum += weight * *peer.bias;
    weights += weight;
  }
  if (weights == 0) return;
  for (size_t i : voices) {
    std::optional<double>& bias = peers_.at(candidates[i].id)->bias;
    if (bias) *bias -= kCentring * sum / weights;
  }
}

Engine::Local* Engine::UsableLocal() {
  Local* best = nullptr;
  for (auto& [id, local] : locals_) {
    if (!local.clock.usable()) continue;
    if (best == nullptr || local.clock.config().stratum < best->clock.config().stratum)
      best = &local;
  }
  return best;
}

void Engine::FollowLocal(Local* local, MonoTime now, NtpTimestamp system_time) {
  local->selection = wire::Selection::kSystemPeer;
  const uint8_t stratum = local->clock.config().stratum;
  SetSystemPeer(local->clock.id(), wire::SystemSource::kLocal);
  // At stratum 1 the identifier names a kind of clock, below it an address.
  ServeOwnTime(static_cast<uint8_t>(std::min(stratum + 1, 15)),
               stratum == 0 ? local->clock.config().refid : local->clock.address_refid(), now,
               system_time);
}

// Nobody to follow: an orphan's parent, else our own time as an orphan, else what we had, with a
// dispersion that grows.
ClockAction Engine::WithoutSources(MonoTime now, NtpTimestamp system_time) {
  const bool orphan_time = config_.parameters.orphan < wire::kStratumUnsynchronised &&
                           now - last_followed_ >= config_.parameters.orphanwait;
  if (orphan_time && orphan_parent_.value != 0 && !OutranksOrphan(*peers_.at(orphan_parent_))) {
    const Candidate parent = Find(orphan_parent_)->AsCandidate(now);
    const std::span<const Candidate> only(&parent, 1);
    const MonoTime waited_since = last_followed_;
    const SelectionResult result = Select(only, config_.parameters, std::nullopt);
    if (result.system_peer) {
      Find(parent.id)->SetSelection(wire::Selection::kSystemPeer);
      const ClockAction action = FollowPeer(result, only, now, system_time);
      last_followed_ = waited_since;  // an orphan's parent does not end the wait for real sources
      return action;
    }
  }
  if (system_.system_peer.value != 0) {
    ReportSystem(wire::SystemEvent::kNoSystemPeer);
    discipline_.OnSourcesLost();
    next_tick_ = now;
  }
  SetSystemPeer(AssocId{}, wire::SystemSource::kUnspecified);
  if (!orphan_time) return {};
  is_orphan_ = true;
  const uint8_t stratum = static_cast<uint8_t>(std::max(1, config_.parameters.orphan));
  ServeOwnTime(stratum, stratum == 1 ? wire::RefidCode("LOOP") : kLoopbackRefid, now, system_time);
  return {};
}

bool Engine::OutranksOrphan(const Peer& parent) const {
  if (parent.association.stratum() > config_.parameters.orphan) return true;
  const auto own = std::min_element(ranked_refids_.begin(), ranked_refids_.end());
  return own != ranked_refids_.end() && *own < parent.refid;
}

void Engine::SetOwnRefids(std::vector<uint32_t> refids, std::vector<uint32_t> loopback,
                          std::vector<uint32_t> others) {
  own_refids_ = refids;
  own_refids_.insert(own_refids_.end(), others.begin(), others.end());
  ranked_refids_ = std::move(refids);
  loopback_refids_ = std::move(loopback);
}

}  // namespace ntpward::core
