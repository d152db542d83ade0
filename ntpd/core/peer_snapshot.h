// What mode 6 may show of one association: a copy, without the transmit time of a live exchange
// (CVE-2015-8139 is the leak that this shape makes impossible).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "ntpd/core/association.h"
#include "ntpd/core/clock_filter.h"
#include "ntpd/core/local_clock.h"
#include "ntpd/wire/packet.h"
#include "ntpd/wire/status_word.h"
#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::core {

// Times in seconds; unset timestamps are zero.
struct PeerSnapshot {
  AssocId id;
  SocketAddress remote;
  bool configured = true;
  bool refclock = false;  // the local clock
  bool auth_enabled = false;
  bool authentic = false;
  KeyId key;  // configured symmetric key; 0: none, or Autokey
  bool autokey = false;
  wire::Leap leap = wire::Leap::kAlarm;
  wire::Mode hmode = wire::Mode::kClient;
  wire::Mode pmode = wire::Mode::kUnspecified;  // of the last reply
  uint8_t stratum = wire::kStratumUnsynchronised;
  int ppoll = 0;
  int hpoll = 0;
  int8_t precision = 0;
  double root_delay = 0;
  double root_dispersion = 0;
  double root_distance = 0;
  uint32_t refid = 0;
  NtpTimestamp reference;  // reftime
  NtpTimestamp receive;    // rec: when the last reply came
  uint8_t reach = 0;
  int unreach = 0;
  double until_poll = 0;                  // timer, s
  std::optional<double> since_received;   // timerec, s
  std::optional<double> since_reachable;  // timereach, s
  double offset = 0;
  double delay = 0;
  double dispersion = kMaxDispersion;
  double jitter = 0;
  double headway = 0;
  std::array<FilterStage, kFilterStages> filter{};  // newest first
  uint16_t flash = 0;
  AssociationCounters counters;
  wire::PeerStatus status;

  friend bool operator==(const PeerSnapshot&, const PeerSnapshot&) = default;
};

// All but `status` and the selection bits of `flash`, which the engine knows.
PeerSnapshot SnapshotOf(const Association& association, MonoTime now);
PeerSnapshot SnapshotOf(const LocalClock& clock, int8_t precision, MonoTime now);

}  // namespace ntpward::core
