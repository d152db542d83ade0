// What mode 6 may see of the daemon: plain values in natural units, filled for each request.
//
// The process that reads the network fills these from its own state; names and certificates in them
// may have come from other hosts, and are made printable when they are written. Units are seconds
// and ppm unless the name says otherwise; the variables' own units are applied when they are
// written. Names and meanings: RFC 9327 section 5 and ntpd 4.2.8.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/control/ordered_list.h"
#include "ntpd/control/recent_clients.h"
#include "ntpd/wire/packet.h"
#include "ntpd/wire/status_word.h"
#include "privsep/base/address.h"
#include "privsep/base/types.h"

namespace ntpward::control {

// One certificate of the cache (`cert` and its `until`).
struct CertView {
  std::string subject;
  std::string issuer;
  uint32_t flags = 0;            // 1 trusted, 2 signed, 4 valid, 8 private, 0x80 error
  int64_t not_after_unix_s = 0;  // seconds since 1970, UTC
};

// Autokey's own state; absent when the configuration does not use it.
struct AutokeyView {
  std::string host;       // subject of our certificate
  std::string group;      // variable `ident`; empty: no identity group is configured
  uint32_t flags = 0;     // host status word
  std::string digest;     // OpenSSL's long name of the session digest
  std::string signature;  // long name of the signature scheme in the upper half of `flags`
  NtpSeconds update;      // when the signed values were last made; 0: not yet
  std::vector<CertView> certificates;  // newest first
};

// Counters of datagrams; names as the variables without "ss_".
struct PacketCounters {
  uint64_t received = 0;
  uint64_t this_version = 0;
  uint64_t old_version = 0;
  uint64_t bad_format = 0;
  uint64_t bad_auth = 0;
  uint64_t declined = 0;
  uint64_t restricted = 0;
  uint64_t limited = 0;
  uint64_t kod_sent = 0;
  uint64_t processed = 0;
  uint64_t lamport = 0;
  uint64_t timestamp_rounding = 0;
  uint64_t autokey_version_1 = 0;  // requests of that version, which is refused; our own counter
};

// The list of recent clients; all zero while none is kept.
struct MruView {
  uint32_t enabled = 0;  // bit 0 by configuration, bit 1 implied by `limited`
  uint32_t depth = 0;
  uint32_t deepest = 0;
  uint32_t min_depth = 0;
  int64_t max_age_s = 0;
  uint32_t max_depth = 0;
  uint64_t memory_kb = 0;
  uint64_t max_memory_kb = 0;
};

struct KeyCounters {
  uint64_t since_reset_s = 0;
  uint64_t stored = 0;
  uint64_t free = 0;
  uint64_t lookups = 0;
  uint64_t not_found = 0;
  uint64_t uncached = 0;
  uint64_t expired = 0;
  uint64_t encryptions = 0;
  uint64_t decryptions = 0;
};

// The kernel's clock discipline as adjtimex tells it; zeros when it is not used.
struct KernelView {
  double offset_s = 0;
  Ppm frequency;
  double max_error_s = 0;
  double estimated_error_s = 0;
  uint32_t status = 0;  // STA_* bits of <sys/timex.h>
  int time_constant = 0;
  double precision_s = 0;
  Ppm tolerance;
};

struct IoCounters {
  uint64_t since_reset_s = 0;
  uint64_t buffers = 0;
  uint64_t free_buffers = 0;
  uint64_t used_buffers = 0;
  uint64_t low_water = 0;
  uint64_t dropped = 0;
  uint64_t ignored = 0;
  uint64_t received = 0;
  uint64_t sent = 0;
  uint64_t send_failed = 0;
  uint64_t wakeups = 0;
  uint64_t good_wakeups = 0;
};

struct TimerCounters {
  uint64_t since_reset_s = 0;
  uint64_t overruns = 0;
  uint64_t transmits = 0;
};

// What became of datagrams of mode 6 and 7, of those that the access rules let in.
struct ControlCounters {
  uint64_t since_reset_s = 0;
  uint64_t received = 0;
  uint64_t rate_limited = 0;
  uint64_t mode_7 = 0;     // the old private protocol, which is not served
  uint64_t malformed = 0;  // too short, wrong version, a response
  uint64_t answered = 0;
  uint64_t errors = 0;    // of those answered, with the error bit
  uint64_t unproved = 0;  // of those, for the size of the answer alone
};

// A leap second table, loaded or learned; absent without one.
struct LeapTableView {
  NtpSeconds last_leap;  // when the offset last changed
  NtpSeconds expires;
};

// A variable that the operator made: `setvar`, --var, --dvar.
struct ExtraVariable {
  std::string name;
  std::string value;  // written as it is, in quotes only if there is a comma in it
  bool is_default = false;
  bool writable = false;  // by WRITEVAR
};

// How one of the daemon's processes is, as its supervisor and the kernel say.
struct ProcessView {
  std::string name;       // "ntpd", "net"
  std::string state;      // one word
  uint64_t uptime_s = 0;  // of a process that has ended: since its start
  uint32_t restarts = 0;  // because it had died
  uint32_t refused = 0;   // messages of it that their receivers would not accept
  struct Confinement {
    uint32_t uid = 0;
    uint8_t seccomp = 0;  // as /proc/PID/status has it: 2 is a filter
    bool no_new_privileges = false;
    uint64_t capabilities = 0;  // effective, as bits
  };
  std::optional<Confinement> confinement;  // none: the kernel does not say
};

// Association 0.
struct SystemView {
  wire::SystemStatus status;  // leap, source, events
  uint8_t stratum = wire::kStratumUnsynchronised;
  int8_t precision = 0;  // log2 s
  double root_delay_s = 0;
  double root_dispersion_s = 0;
  uint32_t refid = 0;
  NtpTimestamp reference;         // when the clock was last set or corrected
  NtpTimestamp now;               // the time of the reply
  uint8_t time_constant = 0;      // log2 s
  uint8_t min_time_constant = 3;  // log2 s
  AssocId system_peer;            // 0: none
  std::optional<SocketAddress> peer_address;
  wire::Mode peer_mode = wire::Mode::kUnspecified;
  double offset_s = 0;
  Ppm frequency;
  double system_jitter_s = 0;
  double clock_jitter_s = 0;
  Ppm clock_wander;
  Ppm clock_wander_threshold;
  std::string processor;  // what the operator lets others know; may be empty
  std::string system;
  int tai_s = 0;  // TAI minus UTC; 0 unknown
  std::optional<LeapTableView> leap_table;
  uint32_t leap_smear_interval_s = 0;  // 0: no smearing
  double leap_smear_offset_s = 0;
  double broadcast_delay_s = -0.05;  // -0.05 stands for "not configured"
  double auth_delay_s = 0;
  double fuzz_s = 0;  // of reading the clock
  uint64_t uptime_s = 0;
  uint64_t counters_since_reset_s = 0;
  PacketCounters packets;
  MruView mru;
  KeyCounters keys;
  KernelView kernel;
  IoCounters io;
  TimerCounters timers;
  ControlCounters control;  // filled in by the responder
  std::optional<AutokeyView> autokey;
  std::vector<ExtraVariable> extra;
  std::vector<ProcessView> processes;
};

// How the server of an Autokey association was told from an impostor.
enum class Identity : uint8_t {
  kNone,     // not proved, or not yet
  kTrusted,  // by certificate trail alone
  kPrivate,  // scheme PC
  kIff,
  kGq,
  kMv,
};

// Autokey's state of one association.
struct PeerAutokeyView {
  uint32_t flags = 0;     // the server's status word with our progress in bits 8 to 14
  std::string host;       // the server's subject name
  std::string signature;  // long name of its signature scheme; empty until known
  std::string group;      // variable `ident`; empty: none
  Identity identity = Identity::kNone;
  std::vector<CertView> trail;             // from the server's certificate on; without flags
  bool trail_loops = false;                // a peer's: it came back to us, and is not followed
  std::optional<uint64_t> cookie_age_s;    // none: there is no cookie
  std::optional<uint64_t> key_list_age_s;  // since the other host signed the list that we follow
  struct Failure {
    std::string name;  // as cryptostats has it: "bad_or_missing_cookie"
    uint64_t age_s = 0;
    std::string cause;  // why the server was refused, for an operator; may be empty
  };
  std::optional<Failure> failure;  // the last one, also when all is well by now
  struct KeyList {
    int32_t sequence = 0;
    KeyId key;
    NtpSeconds timestamp;
  };
  std::optional<KeyList> key_list;  // broadcast and symmetric only
};

// An association. It holds no origin and no transmit timestamp: those of an exchange under way are
// what keeps an off-path sender from forging its reply (CVE-2015-8139).
struct PeerView {
  wire::PeerStatus status;  // configured, authentication, reach, selection, events
  SocketAddress remote;
  SocketAddress local;
  std::string remote_name;  // as configured, when the association keeps it; else empty
  bool is_refclock = false;
  wire::Leap leap = wire::Leap::kAlarm;
  uint8_t stratum = wire::kStratumUnsynchronised;
  wire::Mode host_mode = wire::Mode::kClient;       // ours
  wire::Mode peer_mode = wire::Mode::kUnspecified;  // of the last packet
  int8_t host_poll = 0;                             // log2 s
  int8_t peer_poll = 0;                             // log2 s
  int8_t precision = 0;                             // log2 s
  double root_delay_s = 0;
  double root_dispersion_s = 0;
  uint32_t refid = 0;
  NtpTimestamp reference;
  NtpTimestamp received_at;  // our time of the last packet
  uint8_t reach = 0;
  uint32_t unreach = 0;
  uint16_t flash = 0;        // wire::FlashBit
  uint32_t next_poll_s = 0;  // seconds until then
  uint32_t headway_s = 0;
  uint32_t ttl = 0;  // broadcast, and the mode of a reference clock
  KeyId key;
  double delay_s = 0;
  double offset_s = 0;
  double jitter_s = 0;
  double dispersion_s = 0;
  double interleave_delay_s = 0;  // 0: not measured
  double bias_s = 0;
  // The clock filter's stages, newest first; an empty stage has dispersion 16.
  std::array<double, 8> filter_delay_s{};
  std::array<double, 8> filter_offset_s{};
  std::array<double, 8> filter_dispersion_s{};
  uint64_t received = 0;
  uint64_t sent = 0;
  uint32_t since_received_s = 0;
  std::string_view refused_by;  // a restrict flag by its name; empty: its packets are let in
  uint32_t since_reach_s = 0;   // since it last became reachable or unreachable
  uint64_t bad_auth = 0;
  uint64_t bogus_origin = 0;
  uint64_t old_packets = 0;
  uint64_t selection_dispersion = 0;
  uint64_t kisses = 0;  // of death, genuine ones
  std::optional<PeerAutokeyView> autokey;
};

// A reference clock, which here is the local clock.
struct ClockView {
  wire::ClockStatus status;
  std::string device;    // one line about it
  std::string timecode;  // the last one, as received
  uint32_t type = 1;
  uint64_t polls = 0;
  uint64_t no_reply = 0;
  uint64_t bad_format = 0;
  uint64_t bad_data = 0;
  std::optional<double> fudge_time1_s;
  std::optional<double> fudge_time2_s;
  std::optional<double> min_jitter_s;
  std::optional<int> stratum;
  std::optional<uint32_t> refid;
  uint32_t flags = 0;  // fudge flag bits
};

// One row of the table of associations.
struct AssociationStatus {
  AssocId id;
  wire::PeerStatus status;
};

// How much of a SystemView is filled in.
enum class SystemDetail : uint8_t {
  kDefaults,  // what is written when a request names no variable, and what the operator made
  kAll,
};

// The daemon's state as the responder asks for it. Owned by the shell; nothing returned is kept.
class StateView {
 public:
  virtual ~StateView() = default;
  virtual wire::SystemStatus Status() const = 0;
  virtual NtpTimestamp Now() const = 0;
  virtual const RecentClients& Recent() const = 0;
  virtual SystemView System(SystemDetail detail) const = 0;
  virtual std::vector<AssociationStatus> Associations() const = 0;
  // None when there is no such association.
  virtual std::optional<PeerView> Peer(AssocId id) const = 0;
  // None when `id` is no reference clock. For 0: the system peer if it is one, else the first.
  virtual std::optional<ClockView> Clock(AssocId id) const = 0;
  virtual std::vector<InterfaceView> Interfaces() const = 0;
  // Most specific first, IPv4 before IPv6.
  virtual std::vector<RestrictionView> Restrictions() const = 0;
  // Whether the operator lets the configuration be written to files (`saveconfigdir`).
  virtual bool SavesConfiguration() const = 0;
  // A writable variable of SystemView::extra has another value from now on.
  virtual void SetVariable(std::string_view name, std::string_view value) = 0;
  // Zeroes the event count of an association, or of the system for 0: an authenticated reader has
  // just seen it (RFC 1305 appendix B.2.2), and nobody who sends his request again.
  virtual void ClearEvents(AssocId id) = 0;
};

}  // namespace ntpward::control
