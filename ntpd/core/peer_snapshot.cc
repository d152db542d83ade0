#include "ntpd/core/peer_snapshot.h"

#include <algorithm>

namespace ntpward::core {

PeerSnapshot SnapshotOf(const Association& association, MonoTime now) {
  const wire::Header& header = association.last_header();
  const ClockFilter& filter = association.filter();
  PeerSnapshot snapshot;
  snapshot.id = association.id();
  snapshot.remote = association.remote();
  snapshot.configured = !association.config().preempt && !association.config().ephemeral;
  snapshot.auth_enabled = association.keyed();
  snapshot.authentic = association.authentic();
  snapshot.key = association.config().key.value_or(KeyId{});
  snapshot.autokey = association.config().autokey;
  snapshot.leap = header.leap;
  snapshot.hmode = static_cast<wire::Mode>(association.hmode());
  if (association.heard())
    snapshot.pmode = association.hmode() == HostMode::kClient ? wire::Mode::kServer : header.mode;
  snapshot.stratum = association.stratum();
  snapshot.hpoll = association.schedule().poll();
  // What it polls at is not known before a reply with times, and Autokey's dance has none: a
  // smaller number would hide our own. As ntpd 4.2.8 does.
  const PollConfig& poll = association.config().poll;
  snapshot.ppoll =
      header.transmit.is_zero() ? poll.maxpoll : std::max<int>(poll.minpoll, header.poll);
  snapshot.precision = header.precision;
  snapshot.root_delay = header.root_delay.seconds();
  snapshot.root_dispersion = header.root_dispersion.seconds();
  snapshot.root_distance = association.RootDistanceAt(now);
  snapshot.refid = association.refid();
  snapshot.reference = header.reference;
  snapshot.receive = association.receive_time();
  snapshot.reach = association.schedule().reach();
  snapshot.unreach = association.schedule().unreach();
  snapshot.until_poll = std::max(0.0, association.next_poll() - now);
  if (association.last_received()) snapshot.since_received = now - *association.last_received();
  if (association.reachable_since())
    snapshot.since_reachable = now - *association.reachable_since();
  snapshot.headway = association.schedule().headway(now);
  if (filter.has_sample()) {
    snapshot.offset = filter.offset();
    snapshot.delay = filter.delay();
    snapshot.dispersion = filter.dispersion();
    snapshot.jitter = filter.jitter();
  }
  snapshot.filter = filter.Stages(now);
  snapshot.flash = association.packet_flash();
  snapshot.counters = association.counters();
  return snapshot;
}

PeerSnapshot SnapshotOf(const LocalClock& clock, int8_t precision, MonoTime now) {
  PeerSnapshot snapshot;
  snapshot.id = clock.id();
  snapshot.remote = {IpAddress::V4(127, 127, 1, clock.config().unit), 123};
  snapshot.refclock = true;
  snapshot.leap = wire::Leap::kNone;
  snapshot.pmode = wire::Mode::kServer;
  snapshot.stratum = clock.config().stratum;
  snapshot.ppoll = snapshot.hpoll = clock.config().poll;
  snapshot.precision = precision;
  snapshot.refid = clock.config().refid;
  snapshot.reach = clock.reach();
  snapshot.until_poll = std::max(0.0, clock.next_poll() - now);
  // Each question is answered at once.
  snapshot.counters.sent = snapshot.counters.received = clock.polls();
  if (clock.reach() != 0) {
    snapshot.receive = clock.last_time();
    snapshot.since_received = now - clock.last_poll();
    snapshot.since_reachable = now - clock.first_poll();
    snapshot.dispersion = 0;
    snapshot.jitter = Log2Seconds(precision);
    for (FilterStage& stage : snapshot.filter) stage = {0, 0, 0};
  }
  return snapshot;
}

}  // namespace ntpward::core
