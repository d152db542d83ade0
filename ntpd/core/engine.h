// The NTP protocol of one host: associations, selection, discipline and what we tell others.
//
// The shell owns sockets, keys and the clock, and drives this object:
//
//   Tick(now)            -> polls that are due, what the clock should do until the next tick
//   BuildRequest, OnSent -> one request
//   MatchReply           -> before any cryptography
//   OnReply / OnHeard    -> what a reply tells
//   Update               -> after each sample: selection, and perhaps a correction of the clock
//
// Time, nonces and MAC verdicts are arguments; nothing here blocks, logs or reads a clock. `now` is
// CLOCK_MONOTONIC and must not run backwards; NtpTimestamps are by the clock that is disciplined.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ntpd/core/association.h"
#include "ntpd/core/discipline.h"
#include "ntpd/core/event_tally.h"
#include "ntpd/core/local_clock.h"
#include "ntpd/core/measurement_noise.h"
#include "ntpd/core/peer_snapshot.h"
#include "ntpd/core/system_state.h"

namespace ntpward::core {

// What NextDeadline() says when nothing is due ever.
inline constexpr MonoTime kNever = MonoTime::FromNanoseconds(INT64_MAX);

struct EngineConfig {
  Parameters parameters;
  DisciplineConfig discipline;
  int8_t precision = -20;  // of our clock, log2 s
  uint64_t seed = 1;       // spreads the schedules; not secret
};

// Something to log, and to show in status words.
struct EngineEvent {
  AssocId id;                // 0: of the system
  uint8_t code = 0;          // wire::SystemEvent or wire::PeerEvent
  std::string detail;        // printable; may be empty
  uint16_t status_word = 0;  // after the event
};

class Engine {
 public:
  Engine(const EngineConfig& config, MonoTime now);
  // Events kept between two calls of TakeEvents; later ones are lost.
  static constexpr size_t kMaxEvents = 256;

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- associations -----------------------------------------------------------------------------

  // `refid`: what replies name as our source while we follow this one (wire::RefidOfUpstream). The
  // first poll is due at once. False, and nothing done, when `id` is 0 or in use.
  bool AddAssociation(AssocId id, const SocketAddress& remote, uint32_t refid,
                      const AssociationConfig& config, MonoTime now);
  bool AddLocalClock(AssocId id, const LocalClockConfig& config, MonoTime now);
  // Forgets an association of either kind. A system peer that goes is replaced by the next Update.
  bool Remove(AssocId id);
  // Null when there is none of that id (a local clock is no Association).
  Association* Find(AssocId id);
  const Association* Find(AssocId id) const;
  // Ascending, local clocks included.
  std::vector<AssocId> Ids() const;
  // The refids of our own addresses: a source that names one of them follows us, and one that has
  // it as its own is this host. Neither is followed. Of those that every host has, `loopback`, the
  // second alone holds: every orphan parent names 127.0.0.1, and they are no orphan's rank. Nor are
  // `others`, by which nobody is asked: hosts must agree on an order by what they see of each
  // other.
  void SetOwnRefids(std::vector<uint32_t> refids, std::vector<uint32_t> loopback = {},
                    std::vector<uint32_t> others = {});
  // Starts an association over, with a reason such as "INIT", "AUTH", "CRYP".
  void Restart(AssocId id, uint32_t refid, MonoTime now);

  // What a packet that came to a listening socket is for, and to whom it belongs (`id`: 0 for
  // none).
  struct Dispatched {
    Fate fate = Fate::kDiscard;
    AssocId id;
  };
  Dispatched DispatchPacket(const SocketAddress& source, wire::Mode mode) const;
  // Ephemeral associations with an address (none: of all).
  size_t CountEphemeral(const std::optional<IpAddress>& address) const;
  // Ephemeral associations whose host fell silent; the shell removes them.
  std::vector<AssocId> Expired() const;

  // --- time passes ------------------------------------------------------------------------------

  struct TickResult {
    std::vector<AssocId> due;  // each wants BuildRequest now
    ClockTick clock;           // to be applied until the next tick
    ClockAction action;        // as of Update; seldom anything but kNone
  };
  // To be called at NextDeadline() at the latest, and may be called at any time.
  TickResult Tick(MonoTime now, NtpTimestamp system_time);
  MonoTime NextDeadline() const;

  // --- exchanges --------------------------------------------------------------------------------

  // See Association. BuildRequest yields none, too, and OnReply kNotAsked, for an unknown id.
  std::optional<wire::Header> BuildRequest(AssocId id, MonoTime now, NtpTimestamp nonce);
  void OnSent(AssocId id, NtpTimestamp t1, KeyId key);
  Result<void, Reject> MatchReply(AssocId id, const wire::Header& reply);
  Result<Sample, Reject> OnReply(AssocId id, const wire::Header& reply,
                                 std::optional<MacVerdict> verdict, NtpTimestamp t4, MonoTime now);
  Result<void, Reject> OnHeard(AssocId id, const wire::Header& reply, NtpTimestamp t4,
                               MonoTime now);
  bool ExtendBurst(AssocId id, MonoTime now);
  void Hasten(AssocId id, MonoTime now, PollSchedule::Haste haste);
  void AllowListening(AssocId id, bool allowed);

  // Selects, and corrects the clock if the system peer has a sample that was not used yet. A step
  // has to be made before the next packet is stamped; until samples come that were taken after it,
  // we are not synchronised. After kPanic nothing has changed. `system_time` becomes the reference
  // time.
  ClockAction Update(MonoTime now, NtpTimestamp system_time);
  // What became of a kStep; one of the two has to follow it before anything else. A refused one
  // leaves samples and filters as they are: our clock is known to be wrong, so that we are not
  // synchronised until it is right or a later step is made.
  void OnStepMade(MonoTime now);
  void OnStepRefused(MonoTime now);
  // The slew of the last Tick was refused. The offset stays as measured, and is slewed later.
  void OnSlewRefused(MonoTime now) { discipline_.OnSlewRefused(now); }

  // --- what others may know ---------------------------------------------------------------------

  const SystemState& system() const { return system_; }
  const Discipline& discipline() const { return discipline_; }
  const Parameters& parameters() const { return config_.parameters; }
  // All that mode 6 may show of an association; none for an unknown id.
  std::optional<PeerSnapshot> Snapshot(AssocId id, MonoTime now) const;
  uint16_t SystemStatusWord() const;
  uint16_t PeerStatusWord(AssocId id) const;
  // An authenticated mode-6 reader has seen the events of `id` (0: the system).
  void ClearEventCount(AssocId id);
  // A configuration with other figures (`tos`, `tinker`): they hold from the next selection on.
  void SetParameters(const Parameters& parameters);
  // `disable ntp`; see Discipline.
  void SetMeasureOnly(bool measure_only) { discipline_.SetMeasureOnly(measure_only); }
  // What a valid table announces for the end of this day, kNone included: from now on it outvotes
  // the sources. None: there is no valid table, and the sources' majority counts.
  void SetLeapNotice(std::optional<wire::Leap> leap);
  void ReportSystem(wire::SystemEvent code, std::string detail = {});
  // Everything since the last call, in order.
  std::vector<EngineEvent> TakeEvents();

 private:
  // One upstream and what only the engine knows of it.
  struct Peer {
    Peer(AssocId id, const SocketAddress& remote, uint32_t refid_, const AssociationConfig& config,
         const Parameters& parameters, int8_t precision, uint64_t seed, MonoTime now)
        : association(id, remote, config, parameters, precision, seed, now), refid(refid_) {}
    Association association;
    uint32_t refid;
    EventTally<wire::PeerEvent> events;
    uint16_t unfit = 0;  // flash bits of the last selection
    MeasurementNoise noise;
    std::optional<double> bias;  // s, against what all survivors say together; none: new among them
    int misfits = 0;             // samples in a row that fitted neither clock nor bias
    uint64_t survived = 0;       // the last selection (selections_) that it survived; 0: none
  };
  struct Local {
    LocalClock clock;
    wire::Selection selection = wire::Selection::kReject;
    EventTally<wire::PeerEvent> events;
  };

  // A sample that the discipline has not seen yet.
  struct PendingSample {
    AssocId id;
    Measurement measurement;
  };
  static constexpr size_t kMaxPending = 64;

  void Advance(MonoTime now);
  void Remember(Peer* peer, const Sample& sample);
  std::vector<size_t> Voices(const SelectionResult& result, std::span<const Candidate> candidates);
  std::vector<Measurement> TakeMeasurements(double combined, std::span<const Candidate> candidates,
                                            std::span<const size_t> voices);
  // `leads`: it is the system peer's; `combined`: of all, while nothing was used yet.
  bool LearnBias(Peer* peer, const Measurement& measurement, bool leads, double combined);
  void CentreBiases(std::span<const Candidate> candidates, std::span<const size_t> voices);
  void CollectEvents(Peer* peer);
  void ReportPeer(AssocId id, EventTally<wire::PeerEvent>* tally, wire::PeerEvent code,
                  std::string detail);
  std::vector<Candidate> Candidates(MonoTime now);
  bool Gathering(MonoTime now) const;
  bool IsOrphan(const Association& association) const;
  bool IsOurselves(const Peer& peer) const;
  bool OutranksOrphan(const Peer& parent) const;
  MonoTime OrphanDeadline() const;
  void DropEchoes(SelectionResult* result, std::span<const Candidate> candidates) const;
  ClockAction FollowPeer(const SelectionResult& result, std::span<const Candidate> candidates,
                         MonoTime now, NtpTimestamp system_time);
  void AdoptPeer(const Peer& peer, const SelectionResult& result, MonoTime now,
                 NtpTimestamp system_time);
  Local* UsableLocal();
  void FollowLocal(Local* local, MonoTime now, NtpTimestamp system_time);
  ClockAction WithoutSources(MonoTime now, NtpTimestamp system_time);
  void ServeOwnTime(uint8_t stratum, uint32_t refid, MonoTime now, NtpTimestamp system_time);
  void BecomeUnsynchronised(MonoTime now);
  void SetLeap(wire::Leap leap);
  void SetSystemPeer(AssocId id, wire::SystemSource source);
  void ReportState(DisciplineState before, const ClockAction& action);
  wire::PeerStatus StatusOf(const Peer& peer) const;
  static wire::PeerStatus StatusOf(const Local& local);

  EngineConfig config_;  // associations and discipline refer to its parameters
  Discipline discipline_;
  SystemState system_;
  std::map<AssocId, std::unique_ptr<Peer>> peers_;
  std::map<AssocId, Local> locals_;
  std::vector<uint32_t> ranked_refids_, own_refids_, loopback_refids_;  // the second has the first
  std::optional<wire::Leap> leap_notice_;
  wire::Leap voted_leap_ = wire::Leap::kNone;  // by the sources, at the last selection
  EventTally<wire::SystemEvent> system_events_;
  std::vector<EngineEvent> events_;
  ScheduleRandom random_;
  uint64_t selections_ = 0;             // that found somebody to follow
  std::vector<PendingSample> pending_;  // oldest first
  const MonoTime started_at_;
  MonoTime last_followed_;             // when there last was a system peer
  std::optional<MonoTime> next_tick_;  // none: the clock needs nothing until the next offset
  AssocId orphan_parent_;              // of the last selection; 0: none
  bool is_orphan_ = false;             // we serve our own time
  bool stale_ = false;                 // selection must run although no sample came
  double proposed_step_ = 0;           // s, of the last kStep
};

}  // namespace ntpward::core
