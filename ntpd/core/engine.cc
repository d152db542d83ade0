#include "ntpd/core/engine.h"

#include <algorithm>
#include <cstdio>

namespace ntpward::core {
namespace {

constexpr double kTickInterval = 1;  // s

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

}  // namespace ntpward::core
