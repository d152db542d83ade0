// What the engine shows of itself: events, status words, snapshots.
#include <utility>

#include "ntpd/core/engine.h"

namespace ntpward::core {

void Engine::CollectEvents(Peer* peer) {
  while (const auto event = peer->association.TakeEvent())
    ReportPeer(peer->association.id(), &peer->events, event->code, std::string(event->detail));
}

void Engine::ReportPeer(AssocId id, EventTally<wire::PeerEvent>* tally, wire::PeerEvent code,
                        std::string detail) {
  if (!tally->Add(code) || events_.size() >= kMaxEvents) return;
  events_.push_back({id, static_cast<uint8_t>(code), std::move(detail), PeerStatusWord(id)});
}

void Engine::ReportSystem(wire::SystemEvent code, std::string detail) {
  if (!system_events_.Add(code) || events_.size() >= kMaxEvents) return;
  events_.push_back({AssocId{}, static_cast<uint8_t>(code), std::move(detail), SystemStatusWord()});
}

std::vector<EngineEvent> Engine::TakeEvents() { return std::exchange(events_, {}); }

void Engine::ClearEventCount(AssocId id) {
  if (id.value == 0) system_events_.ClearCount();
  if (const auto peer = peers_.find(id); peer != peers_.end()) peer->second->events.ClearCount();
  if (const auto local = locals_.find(id); local != locals_.end())
    local->second.events.ClearCount();
}

uint16_t Engine::SystemStatusWord() const {
  return wire::SystemStatus{static_cast<uint8_t>(system_.leap), system_.source,
                            system_events_.count(), system_events_.last()}
      .word();
}

uint16_t Engine::PeerStatusWord(AssocId id) const {
  if (const auto peer = peers_.find(id); peer != peers_.end())
    return StatusOf(*peer->second).word();
  if (const auto local = locals_.find(id); local != locals_.end())
    return StatusOf(local->second).word();
  return 0;
}

wire::PeerStatus Engine::StatusOf(const Peer& peer) const {
  const Association& association = peer.association;
  wire::PeerStatus status;
  status.configured = !association.config().preempt && !association.config().ephemeral;
  status.broadcast = association.hmode() == HostMode::kBroadcast;
  status.auth_enabled = association.keyed();
  status.authentic = association.authentic();
  status.reachable = association.schedule().reach() != 0;
  status.selection = association.selection();
  status.events = peer.events.count();
  status.last_event = peer.events.last();
  return status;
}

wire::PeerStatus Engine::StatusOf(const Local& local) {
  wire::PeerStatus status;
  status.configured = true;
  status.reachable = local.clock.reach() != 0;
  status.selection = local.selection;
  status.events = local.events.count();
  status.last_event = local.events.last();
  return status;
}

std::optional<PeerSnapshot> Engine::Snapshot(AssocId id, MonoTime now) const {
  if (const auto peer = peers_.find(id); peer != peers_.end()) {
    PeerSnapshot snapshot = SnapshotOf(peer->second->association, now);
    snapshot.flash = peer->second->association.packet_flash() | peer->second->unfit;
    snapshot.status = StatusOf(*peer->second);
    return snapshot;
  }
  if (const auto local = locals_.find(id); local != locals_.end()) {
    PeerSnapshot snapshot = SnapshotOf(local->second.clock, system_.precision, now);
    snapshot.status = StatusOf(local->second);
    return snapshot;
  }
  return std::nullopt;
}

}  // namespace ntpward::core
