// One other host: when to send to it, and whether what it sends may be believed.
//
// Time, randomness and MAC verdicts are arguments; nothing here blocks, logs or reads a clock. What
// a packet has to match is in the exchange of the association's mode (client_exchange.h,
// symmetric_exchange.h, broadcast_exchange.h); filter, schedule and selection are the same for all.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "ntpd/core/broadcast_exchange.h"
#include "ntpd/core/client_exchange.h"
#include "ntpd/core/clock_filter.h"
#include "ntpd/core/dispatch.h"
#include "ntpd/core/parameters.h"
#include "ntpd/core/poll_schedule.h"
#include "ntpd/core/sample.h"
#include "ntpd/core/selection.h"
#include "ntpd/core/symmetric_exchange.h"
#include "ntpd/core/system_state.h"
#include "ntpd/wire/packet.h"
#include "ntpd/wire/status_word.h"
#include "privsep/base/address.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::core {

struct AssociationConfig {
  PollConfig poll;
  // kBroadcastClient: `delay` is taken for the path delay. kClient with `listen`: a volley measures
  // the delay, then the association listens. kBroadcast: sends, and hears nothing.
  HostMode mode = HostMode::kClient;
  bool listen = false;
  double delay = 0.004;      // s, there and back; `broadcastdelay`
  bool ephemeral = false;    // made by a packet: ends when the other host is silent
  uint8_t version = 4;       // 1..4
  std::optional<KeyId> key;  // symmetric: replies need a good MAC of this very key
  bool autokey = false;      // replies need a good MAC of the key that the request carried
  bool prefer = false;
  bool noselect = false;
  bool always_true = false;  // `true`
  bool preempt = false;      // may be given up; not "configured" in status words
};

struct AssociationCounters {
  uint64_t sent = 0;
  uint64_t received = 0;      // replies, of whatever kind
  uint64_t bad_auth = 0;      // no MAC, a bad one, or a crypto-NAK
  uint64_t bogus_origin = 0;  // forged, or of an exchange that was voided
  uint64_t old = 0;           // duplicates of an answered exchange
  uint64_t bad_distance = 0;  // header refused: unsynchronised or too far from its root
  uint64_t kisses = 0;        // genuine kisses of death

  friend bool operator==(const AssociationCounters&, const AssociationCounters&) = default;
};

class Association {
 public:
  // `precision`: of our clock, log2 s. `parameters` must outlive the association.
  Association(AssocId id, const SocketAddress& remote, const AssociationConfig& config,
              const Parameters& parameters, int8_t precision, uint64_t seed, MonoTime now);

  AssocId id() const { return id_; }
  const SocketAddress& remote() const { return remote_; }
  const AssociationConfig& config() const { return config_; }
  HostMode hmode() const { return hmode_; }
  // An ephemeral association whose host has been silent for too long (RFC 5905 UNREACH).
  bool expired() const;
  bool keyed() const { return config_.key.has_value() || config_.autokey; }

  // --- the exchange -----------------------------------------------------------------------------

  // What goes out now; plans the next poll. Client mode: `nonce` (64 random bits) is the transmit
  // time and nothing of our state is in the header. Symmetric and broadcast modes tell `system`,
  // and the sender writes the transmit time. None: there is nothing to send (a broadcast client, or
  // a server that is not synchronised). Call when due(), or whenever the packet must be made anew.
  std::optional<wire::Header> BuildRequest(MonoTime now, NtpTimestamp nonce,
                                           const SystemState& system = SystemState());
  // The packet left at `t1` by our clock, sealed with `key` (0: none). In client mode `t1` never
  // leaves this object but as a part of an offset; in symmetric modes it is the transmit time sent.
  void OnSent(NtpTimestamp t1, KeyId key);
  // A failed send, or a stepped clock: no answer to it can be believed any more.
  void VoidExchange();

  // Could the packet count? To be asked before any cryptography; counts what does not belong and
  // changes nothing else.
  Result<void, Reject> MatchReply(const wire::Header& reply);

  // A packet without extension fields, received at `t4` by our clock. Matches it again (the verdict
  // may have taken a while), then proves, then commits. The exchange is consumed only by a genuine
  // reply, so that a forged packet cannot cost us the real one (CVE-2016-9042).
  Result<Sample, Reject> OnReply(const wire::Header& reply, std::optional<MacVerdict> verdict,
                                 NtpTimestamp t4, MonoTime now);

  // A packet with extension fields, received at `t4`: consumes a client's exchange and counts for
  // reachability when it answers us, and that is all, since anyone can make the MAC of such a
  // packet.
  Result<void, Reject> OnHeard(const wire::Header& reply, NtpTimestamp t4, MonoTime now);
  // Symmetric modes: does it answer one of our last packets? Its sender has seen that, then.
  bool AnswersUs(const wire::Header& packet) const;
  // Symmetric modes: SymmetricExchange::crowded.
  bool IsCrowded() const;
  // Symmetric modes: origin and receive time of a packet of ours that has extension fields; by what
  // SymmetricExchange::Hear chose.
  void FillHeard(wire::Header* header) const;

  // --- schedule ---------------------------------------------------------------------------------

  bool due(MonoTime now) const { return schedule_.due(now); }
  bool stopped() const { return schedule_.stopped(); }
  MonoTime next_poll() const { return schedule_.next(); }
  bool ExtendBurst(MonoTime now) { return schedule_.ExtendBurst(now); }
  void Hasten(MonoTime now, PollSchedule::Haste haste) { schedule_.Hasten(now, haste); }
  void SetSystemPoll(int poll) { schedule_.SetSystemPoll(poll); }
  const PollSchedule& schedule() const { return schedule_; }
  // A volley before listening goes on until this was said: with Autokey, until the server's key
  // list is there to listen by.
  void AllowListening(bool allowed) { may_listen_ = allowed; }
  // Starts over as if just added; `refid` says why ("INIT", "AUTH", "CRYP", "STEP").
  void Restart(uint32_t refid, MonoTime now);
  // Our clock was stepped: samples and the exchange in flight are void, reachability stays.
  void OnClockStep();
  // Our clock was slewed forward by `phase` s.
  void OnClockSlewed(double phase) { filter_.OnSlewed(phase); }
  // The parameters that it was made with say something else now.
  void OnParametersChanged() { filter_.SetPhi(parameters_.phi); }

  // --- selection --------------------------------------------------------------------------------

  // Flash bits that keep the source out of selection; 0: fit. `own_refids`: those that mean us.
  uint16_t Unfit(MonoTime now, std::span<const uint32_t> own_refids) const;
  double RootDistanceAt(MonoTime now) const;
  Candidate AsCandidate(MonoTime now) const;
  void SetSelection(wire::Selection selection) { selection_ = selection; }
  wire::Selection selection() const { return selection_; }

  // --- what others may know ---------------------------------------------------------------------

  const ClockFilter& filter() const { return filter_; }
  // The header of the last genuine reply; its origin and transmit times are not for mode 6.
  const wire::Header& last_header() const { return header_; }
  uint32_t refid() const { return header_.refid; }
  uint8_t stratum() const { return stratum_; }
  bool heard() const { return heard_; }
  std::optional<MonoTime> last_received() const { return last_received_; }
  NtpTimestamp receive_time() const { return t4_; }
  std::optional<MonoTime> reachable_since() const { return reachable_since_; }
  bool authentic() const { return authentic_; }
  const AssociationCounters& counters() const { return counters_; }
  void ResetCounters() { counters_ = {}; }
  // Packet tests of the last reply; forged ones show until the next genuine one.
  uint16_t packet_flash() const { return flash_ | forged_flash_; }

  // Events for status words and logs, in order; the caller takes them away.
  struct Event {
    wire::PeerEvent code = wire::PeerEvent::kNone;
    std::string_view detail;  // static text
  };
  std::optional<Event> TakeEvent();

 private:
  static constexpr size_t kMaxEvents = 8;

  using Exchange = std::variant<ClientExchange, SymmetricExchange, BroadcastExchange>;

  Result<void, Reject> Forged(Reject reason);
  Result<void, Reject> CheckMac(const wire::Header& reply,
                                const std::optional<MacVerdict>& verdict);
  Result<Sample, Reject> OnServed(const wire::Header& reply, NtpTimestamp t4, MonoTime now);
  Result<Sample, Reject> OnPeer(const wire::Header& packet, NtpTimestamp t4, MonoTime now);
  Result<Sample, Reject> OnBroadcast(const wire::Header& packet, NtpTimestamp t4, MonoTime now);
  std::optional<Reject> TakeKiss(const wire::Header& reply, MonoTime now);
  Result<void, Reject> CheckHeader(const wire::Header& reply);
  Result<Sample, Reject> MakeSample(const wire::Header& reply, NtpTimestamp t1, NtpTimestamp t4,
                                    double longest, MonoTime now);
  Sample Keep(Sample sample);
  bool Reachable() const { return schedule_.reach() != 0; }
  void OnPolled(MonoTime now);
  void Listen();
  Reject OnKiss(const wire::Header& reply, MonoTime now);
  void Answered(MonoTime now);
  void Commit(const wire::Header& reply, NtpTimestamp t4);
  void Report(wire::PeerEvent code, std::string_view detail = {});

  const AssocId id_;
  const SocketAddress remote_;
  const AssociationConfig config_;
  const Parameters& parameters_;
  const int8_t precision_;
  const uint64_t seed_;  // for what exchange_ leaves to chance
  PollSchedule schedule_;
  ClockFilter filter_;

  HostMode hmode_;
  bool may_listen_ = true;
  Exchange exchange_;
  wire::Header header_;
  uint8_t stratum_ = wire::kStratumUnsynchronised;
  NtpTimestamp t4_;
  std::optional<MonoTime> last_received_;
  std::optional<MonoTime> reachable_since_;
  bool heard_ = false;
  bool authentic_ = false;
  uint16_t flash_ = 0;
  uint16_t forged_flash_ = 0;
  wire::Selection selection_ = wire::Selection::kReject;
  AssociationCounters counters_;
  std::array<Event, kMaxEvents> events_{};
  size_t event_count_ = 0;
};

}  // namespace ntpward::core
