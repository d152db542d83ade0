#include "ntpd/core/engine.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace ntpward::core {
namespace {

using Kind = ClockAction::Kind;

constexpr uint32_t kLoopbackRefid = 0x7f000001;  // what an orphan parent names as its source
constexpr uint32_t kStepRefid = wire::RefidCode("STEP");
constexpr double kTickInterval = 1;  // s

std::string SecondsText(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%+.6f s", seconds);
  return text;
}

std::string FrequencyText(Ppm frequency) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3f PPM", frequency.value);
  return text;
}

}  // namespace

Engine::Engine(const EngineConfig& config, MonoTime now)
    : config_(config),
      discipline_(config_.parameters, config.discipline, Log2Seconds(config.precision)),
      random_(config.seed),
      started_at_(now),
      last_followed_(now) {
  system_.precision = config.precision;
  system_.phi = config.parameters.phi;
  system_.updated = now;
  ReportSystem(wire::SystemEvent::kRestart);
  if (discipline_.state() == DisciplineState::kFrequencySet)
    ReportSystem(wire::SystemEvent::kFrequencySet,
                 "ntpd " + FrequencyText(discipline_.frequency()));
  else
    ReportSystem(wire::SystemEvent::kFrequencyNotSet);
}

// --- associations -------------------------------------------------------------------------------

bool Engine::AddAssociation(AssocId id, const SocketAddress& remote, uint32_t refid,
                            const AssociationConfig& config, MonoTime now) {
  if (id.value == 0 || peers_.contains(id) || locals_.contains(id)) return false;
  auto peer = std::make_unique<Peer>(id, remote, refid, config, config_.parameters,
                                     config_.precision, random_.Next(), now);
  // The event's status word is looked up by id.
  CollectEvents(peers_.emplace(id, std::move(peer)).first->second.get());
  return true;
}

bool Engine::AddLocalClock(AssocId id, const LocalClockConfig& config, MonoTime now) {
  if (id.value == 0 || peers_.contains(id) || locals_.contains(id)) return false;
  Local& local = locals_.emplace(id, Local{LocalClock(id, config, now), {}, {}}).first->second;
  ReportPeer(id, &local.events, wire::PeerEvent::kMobilize, {});
  return true;
}

bool Engine::Remove(AssocId id) {
  if (const auto peer = peers_.find(id); peer != peers_.end()) {
    ReportPeer(id, &peer->second->events, wire::PeerEvent::kDemobilize, {});
    peers_.erase(peer);
  } else if (const auto local = locals_.find(id); local != locals_.end()) {
    ReportPeer(id, &local->second.events, wire::PeerEvent::kDemobilize, {});
    locals_.erase(local);
  } else {
    return false;
  }
  if (system_.system_peer == id) stale_ = true;
  return true;
}

Association* Engine::Find(AssocId id) {
  const auto peer = peers_.find(id);
  return peer == peers_.end() ? nullptr : &peer->second->association;
}

const Association* Engine::Find(AssocId id) const {
  const auto peer = peers_.find(id);
  return peer == peers_.end() ? nullptr : &peer->second->association;
}

// One host may be our server and the source of broadcasts: who talks to listening sockets comes
// first.
Engine::Dispatched Engine::DispatchPacket(const SocketAddress& source, wire::Mode mode) const {
  const Association* found = nullptr;
  for (const auto& [id, peer] : peers_) {
    const Association& association = peer->association;
    if (association.remote() != source) continue;
    if (found == nullptr || found->hmode() == HostMode::kClient) found = &association;
  }
  if (found == nullptr) return {Dispatch(std::nullopt, mode), AssocId{}};
  return {Dispatch(found->hmode(), mode), found->id()};
}

size_t Engine::CountEphemeral(const std::optional<IpAddress>& address) const {
  return static_cast<size_t>(std::count_if(peers_.begin(), peers_.end(), [&](const auto& entry) {
    const Association& association = entry.second->association;
    return association.config().ephemeral && (!address || association.remote().ip == *address);
  }));
}

std::vector<AssocId> Engine::Expired() const {
  std::vector<AssocId> expired;
  for (const auto& [id, peer] : peers_)
    if (peer->association.expired()) expired.push_back(id);
  return expired;
}

std::vector<AssocId> Engine::Ids() const {
  std::vector<AssocId> ids;
  for (const auto& [id, peer] : peers_) ids.push_back(id);
  for (const auto& [id, local] : locals_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

void Engine::Restart(AssocId id, uint32_t refid, MonoTime now) {
  const auto peer = peers_.find(id);
  if (peer == peers_.end()) return;
  peer->second->association.Restart(refid, now);
  CollectEvents(peer->second.get());
  stale_ = true;
}

void Engine::SetParameters(const Parameters& parameters) {
  config_.parameters = parameters;
  system_.phi = parameters.phi;
  discipline_.OnParametersChanged();
  for (auto& [id, peer] : peers_) peer->association.OnParametersChanged();
  stale_ = true;
}

// --- time passes --------------------------------------------------------------------------------

void Engine::Advance(MonoTime now) {
  const double slewed = discipline_.Advance(now);
  if (slewed == 0) return;
  for (auto& [id, peer] : peers_) peer->association.OnClockSlewed(slewed);
}

Engine::TickResult Engine::Tick(MonoTime now, NtpTimestamp system_time) {
  Advance(now);
  TickResult result;
  for (const auto& [id, peer] : peers_)
    if (peer->association.due(now)) result.due.push_back(id);
  for (auto& [id, local] : locals_) {
    if (!local.clock.due(now)) continue;
    const bool first = local.clock.reach() == 0;
    local.clock.OnPoll(now, system_time);
    if (first) ReportPeer(id, &local.events, wire::PeerEvent::kReachable, {});
    if (first || system_.system_peer == id) stale_ = true;
  }
  if (OrphanDeadline() <= now) stale_ = true;
  if (stale_) result.action = Update(now, system_time);
  result.clock = discipline_.Tick(now);
  next_tick_.reset();
  if (discipline_.needs_ticks()) next_tick_ = now + kTickInterval;
  return result;
}

MonoTime Engine::OrphanDeadline() const {
  const bool waiting = config_.parameters.orphan < wire::kStratumUnsynchronised &&
                       system_.system_peer.value == 0 && !is_orphan_;
  return waiting ? last_followed_ + config_.parameters.orphanwait : kNever;
}

MonoTime Engine::NextDeadline() const {
  MonoTime next = OrphanDeadline();
  for (const auto& [id, peer] : peers_)
    if (!peer->association.stopped()) next = std::min(next, peer->association.next_poll());
  for (const auto& [id, local] : locals_) next = std::min(next, local.clock.next_poll());
  if (next_tick_) next = std::min(next, *next_tick_);
  return next;
}

// --- exchanges ----------------------------------------------------------------------------------

std::optional<wire::Header> Engine::BuildRequest(AssocId id, MonoTime now, NtpTimestamp nonce) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return std::nullopt;
  Association& association = found->second->association;
  const auto request = association.BuildRequest(now, nonce, system_);
  // A poll without an answer may have cost the source its fitness.
  if ((association.schedule().reach() & 7) == 0) stale_ = true;
  CollectEvents(found->second.get());
  return request;
}

void Engine::OnSent(AssocId id, NtpTimestamp t1, KeyId key) {
  if (Association* association = Find(id)) association->OnSent(t1, key);
}

Result<void, Reject> Engine::MatchReply(AssocId id, const wire::Header& reply) {
  Association* association = Find(id);
  if (association == nullptr) return Fail(Reject::kNotAsked);
  return association->MatchReply(reply);
}

Result<Sample, Reject> Engine::OnReply(AssocId id, const wire::Header& reply,
                                       std::optional<MacVerdict> verdict, NtpTimestamp t4,
                                       MonoTime now) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return Fail(Reject::kNotAsked);
  Advance(now);
  auto sample = found->second->association.OnReply(reply, verdict, t4, now);
  CollectEvents(found->second.get());
  if (sample.ok()) Remember(found->second.get(), *sample);
  return sample;
}

void Engine::Remember(Peer* peer, const Sample& sample) {
  const double precision =
      Log2Seconds(config_.precision) +
      std::min(kMaxDispersion, Log2Seconds(peer->association.last_header().precision));
  const auto noise = peer->noise.Add(sample.delay, precision);
  if (pending_.size() == kMaxPending) pending_.erase(pending_.begin());
  pending_.push_back(
      {peer->association.id(),
       {sample.time, discipline_.corrected(), sample.offset, noise.deviation, noise.suspicious}});
}

Result<void, Reject> Engine::OnHeard(AssocId id, const wire::Header& reply, NtpTimestamp t4,
                                     MonoTime now) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return Fail(Reject::kNotAsked);
  auto heard = found->second->association.OnHeard(reply, t4, now);
  CollectEvents(found->second.get());
  return heard;
}

void Engine::AllowListening(AssocId id, bool allowed) {
  if (Association* association = Find(id)) association->AllowListening(allowed);
}

bool Engine::ExtendBurst(AssocId id, MonoTime now) {
  Association* association = Find(id);
  return association != nullptr && association->ExtendBurst(now);
}

void Engine::Hasten(AssocId id, MonoTime now, PollSchedule::Haste haste) {
  if (Association* association = Find(id)) association->Hasten(now, haste);
}

// --- selection ----------------------------------------------------------------------------------

// Someone of the orphan stratum or below it follows nobody real (tos orphan).
bool Engine::IsOrphan(const Association& association) const {
  return association.stratum() >= config_.parameters.orphan;
}

// A source that has an address of ours is this very host, and would vote for us.
bool Engine::IsOurselves(const Peer& peer) const {
  return std::find(own_refids_.begin(), own_refids_.end(), peer.refid) != own_refids_.end();
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
  const SelectionResult result = Select(candidates, config_.parameters, previous);
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

ClockAction Engine::FollowPeer(const SelectionResult& result, std::span<const Candidate> candidates,
                               MonoTime now, NtpTimestamp system_time) {
  const Peer& peer = *peers_.at(candidates[*result.system_peer].id);
  const Association& association = peer.association;
  SetSystemPeer(association.id(), wire::SystemSource::kNtp);
  is_orphan_ = false;
  last_followed_ = now;
  const std::vector<Measurement> measurements = TakeMeasurements(result, candidates);
  if (measurements.empty()) return {};

  const bool preferred = candidates[*result.system_peer].prefer;
  const DisciplineState before = discipline_.state();
  const ClockAction action =
      discipline_.OnOffset({result.combined.offset, measurements,
                            preferred ? 1 : static_cast<int>(result.survivors.size()),
                            association.schedule().minpoll(), association.schedule().maxpoll()},
                           now);
  if (action.kind == Kind::kStep) proposed_step_ = action.offset;
  if (action.kind == Kind::kSlew) AdoptPeer(peer, result, now, system_time);
  ReportState(before, action);
  for (auto& [id, other] : peers_) other->association.SetSystemPoll(discipline_.poll());
  next_tick_ = now;
  return action;
}

// Sources disagree by asymmetries that no averaging removes. Each keeps a bias against the others,
// so that their samples, taken in turn, do not shake the clock.
std::vector<Measurement> Engine::TakeMeasurements(const SelectionResult& result,
                                                  std::span<const Candidate> candidates) {
  constexpr double kBiasSmoothing = 1.0 / 16;
  const bool alone = candidates[*result.system_peer].prefer || result.survivors.size() == 1;
  std::vector<Measurement> measurements;
  for (PendingSample& pending : std::exchange(pending_, {})) {
    const bool survivor =
        std::any_of(result.survivors.begin(), result.survivors.end(), [&](size_t i) {
          return candidates[i].id == pending.id && (!alone || i == *result.system_peer);
        });
    if (!survivor) continue;
    Peer& peer = *peers_.at(pending.id);
    if (alone) {
      peer.bias = 0;
    } else {
      const double expected =
          discipline_.Expect(pending.measurement).value_or(result.combined.offset);
      peer.bias += kBiasSmoothing * (pending.measurement.offset - expected - peer.bias);
      CentreBiases(result, candidates);
      pending.measurement.offset -= peer.bias;
    }
    measurements.push_back(pending.measurement);
  }
  return measurements;
}

// The biases of the survivors have to cancel out: together they are right by definition.
void Engine::CentreBiases(const SelectionResult& result, std::span<const Candidate> candidates) {
  double sum = 0, weights = 0;
  for (size_t i : result.survivors) {
    const double weight = 1 / candidates[i].root_distance;
    sum += weight * peers_.at(candidates[i].id)->bias;
    weights += weight;
  }
  for (size_t i : result.survivors) peers_.at(candidates[i].id)->bias -= sum / weights;
}

// RFC 5905 section 11.3 (clock_update): what we tell others follows from the system peer.
void Engine::AdoptPeer(const Peer& peer, const SelectionResult& result, MonoTime now,
                       NtpTimestamp system_time) {
  const Association& association = peer.association;
  const wire::Header& header = association.last_header();
  const double age = now - association.filter().time();
  const double own = association.filter().dispersion() + config_.parameters.phi * age +
                     std::abs(result.combined.offset);
  system_.stratum = static_cast<uint8_t>(association.stratum() + 1);
  system_.refid = peer.refid;
  system_.reference = system_time;
  system_.root_delay = header.root_delay.seconds() + association.filter().delay();
  system_.root_dispersion =
      header.root_dispersion.seconds() + result.combined.jitter + std::max(own, kMinDispersion);
  system_.updated = now;
  system_.offset = result.combined.offset;
  system_.jitter = result.combined.jitter;
  voted_leap_ = result.leap;
  SetLeap(leap_notice_.value_or(voted_leap_));
}

void Engine::OnStepMade(MonoTime now) {
  discipline_.OnStepMade(now);
  for (auto& [id, peer] : peers_) peer->association.OnClockStep();
  pending_.clear();
  BecomeUnsynchronised(now);
  SetSystemPeer(AssocId{}, wire::SystemSource::kUnspecified);
  ReportSystem(wire::SystemEvent::kClockStep, SecondsText(proposed_step_));
}

void Engine::OnStepRefused(MonoTime now) {
  discipline_.OnStepRefused(now);
  BecomeUnsynchronised(now);
  system_.offset = proposed_step_;
  ReportSystem(wire::SystemEvent::kSpikeDetect,
               SecondsText(proposed_step_) + ", the step was refused");
}

void Engine::BecomeUnsynchronised(MonoTime now) {
  system_.leap = wire::Leap::kAlarm;
  system_.stratum = wire::kStratumUnsynchronised;
  system_.refid = kStepRefid;
  system_.reference = NtpTimestamp();
  system_.root_delay = system_.root_dispersion = 0;
  system_.offset = 0;
  system_.updated = now;
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
  if (system_.system_peer.value != 0) ReportSystem(wire::SystemEvent::kNoSystemPeer);
  SetSystemPeer(AssocId{}, wire::SystemSource::kUnspecified);
  if (!orphan_time) return {};
  is_orphan_ = true;
  const uint8_t stratum = static_cast<uint8_t>(std::max(1, config_.parameters.orphan));
  ServeOwnTime(stratum, stratum == 1 ? wire::RefidCode("LOOP") : kLoopbackRefid, now, system_time);
  return {};
}

bool Engine::OutranksOrphan(const Peer& parent) const {
  if (parent.association.stratum() > config_.parameters.orphan) return true;
  const auto own = std::min_element(own_refids_.begin(), own_refids_.end());
  return own != own_refids_.end() && *own < parent.refid;
}

void Engine::ServeOwnTime(uint8_t stratum, uint32_t refid, MonoTime now, NtpTimestamp system_time) {
  if (!system_.synchronised()) ReportSystem(wire::SystemEvent::kClockSync);
  system_.stratum = stratum;
  system_.refid = refid;
  system_.reference = system_time;
  system_.root_delay = 0;
  system_.root_dispersion = kMinDispersion;
  system_.updated = now;
  system_.offset = 0;
  system_.jitter = Log2Seconds(system_.precision);
  voted_leap_ = wire::Leap::kNone;
  SetLeap(leap_notice_.value_or(voted_leap_));
}

void Engine::SetOwnRefids(std::vector<uint32_t> refids) {
  // 127.0.0.1 is nobody's address here: it is what every orphan parent says.
  std::erase(refids, kLoopbackRefid);
  own_refids_ = std::move(refids);
}

void Engine::SetSystemPeer(AssocId id, wire::SystemSource source) {
  system_.source = source;
  if (system_.system_peer == id) return;
  system_.system_peer = id;
  if (const auto peer = peers_.find(id); peer != peers_.end())
    ReportPeer(id, &peer->second->events, wire::PeerEvent::kSystemPeer, {});
  if (const auto local = locals_.find(id); local != locals_.end())
    ReportPeer(id, &local->second.events, wire::PeerEvent::kSystemPeer, {});
}

void Engine::SetLeapNotice(std::optional<wire::Leap> leap) {
  leap_notice_ = leap;
  if (system_.synchronised()) SetLeap(leap_notice_.value_or(voted_leap_));
}

void Engine::SetLeap(wire::Leap leap) {
  const auto armed = [](wire::Leap l) {
    return l == wire::Leap::kAddSecond || l == wire::Leap::kDeleteSecond;
  };
  const wire::Leap before = system_.leap;
  system_.leap = leap;
  if (armed(leap) && !armed(before)) ReportSystem(wire::SystemEvent::kLeapArmed);
  if (!armed(leap) && armed(before)) ReportSystem(wire::SystemEvent::kLeapDisarmed);
}

void Engine::ReportState(DisciplineState before, const ClockAction& action) {
  if (action.kind == Kind::kPanic)
    ReportSystem(wire::SystemEvent::kPanicStop, SecondsText(action.offset));
  const DisciplineState after = discipline_.state();
  if (after == before) return;
  if (after == DisciplineState::kMeasureFrequency) ReportSystem(wire::SystemEvent::kFrequencyMode);
  if (after == DisciplineState::kSpike)
    ReportSystem(wire::SystemEvent::kSpikeDetect, SecondsText(action.offset));
  if (after == DisciplineState::kSynchronised) ReportSystem(wire::SystemEvent::kClockSync);
}

}  // namespace ntpward::core
