// What the engine tells others: the system's state, as sources, steps and leap seconds change it.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "ntpd/core/engine.h"

namespace ntpward::core {
namespace {

using Kind = ClockAction::Kind;

constexpr uint32_t kStepRefid = wire::RefidCode("STEP");

std::string SecondsText(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%+.6f s", seconds);
  return text;
}

}  // namespace

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

void Engine::ServeOwnTime(uint8_t stratum, uint32_t refid, MonoTime now, NtpTimestamp system_time) {
  pending_.clear();  // what those who follow us say is nothing to go by, later neither
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
