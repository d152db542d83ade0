// supervisor <-> net: the configuration as net needs it, the sockets, and what net wants written.
//
// A configuration is NetStart, then NetAssociation and NetRestrict in order, then NetEnd. Net
// applies it at NetEnd, all at once. No file name and no secret is in any of them.
#pragma once

#include <algorithm>
#include <array>

#include "privsep/msg/codec.h"
#include "privsep/msg/role.h"

namespace ntpward::msg {

// What of the log's lines can be turned off (logconfig). Warnings, errors and notices are in none.
enum LogClassBit : uint8_t {
  kLogSystemEvents = 1,
  kLogPeerEvents = 2,
  kLogSystemInfo = 4,
  kLogPeerInfo = 8,
  kLogEverything = 15,
};

// supervisor -> net: values for the whole daemon, first message of a configuration.
struct NetStart {
  static constexpr Type kType = Type::kNetStart;
  bool virtual_clock = false;
  bool authentication = true;  // enable/disable auth
  bool allow_panic = false;    // -g: one correction may be of any size
  bool quit = false;           // -q: set the clock once, then NetQuit
  bool slew_only = false;      // -x
  bool discipline = true;      // enable/disable ntp: false measures only
  bool monitor = true;
  bool crypto_enabled = false;
  bool identity_optional = false;  // crypto identity optional
  std::optional<Ppm> drift;        // from the drift file
  // Broadcasts and groups; the sockets have joined the groups.
  bool broadcast_client = false;  // broadcastclient, enable bclient
  bool novolley = false;
  double broadcast_delay = 0.004;               // s
  InlineVector<IpAddress, 8> multicast_groups;  // multicastclient
  InlineVector<IpAddress, 8> manycast_groups;   // manycastserver
  InlineBytes<8> ttls;     // hop limits of manycastclient and broadcast, least first
  bool cohort = false;     // tos cohort
  uint32_t beacon = 7200;  // tos beacon, s
  // tos
  uint32_t minclock = 3, maxclock = 10, minsane = 1;
  uint8_t floor = 0, ceiling = 15;
  double mindist = 0.001, maxdist = 1.5;  // s
  uint8_t orphan = 17;
  uint32_t orphanwait = 300;  // s
  // tinker
  double panic = 1000, step_forward = 0.128, step_backward = 0.128, stepout = 300;  // s; 0: never
  double dispersion = 15;                                                           // ppm
  // discard
  uint8_t discard_average = 3;   // log2 s
  uint32_t discard_minimum = 2;  // s
  uint32_t mru_entries = 16384;  // most clients remembered
  KeyId control_key;
  uint8_t revoke = 17;   // log2 s between signature updates
  uint8_t automax = 12;  // log2 s, the life of a key list
  InlineText<64> ident;  // group of associations that a packet made
  uint8_t dscp = 46;
  double owed_headway = 0;               // s that a dead predecessor may owe the servers; 0..64
  uint8_t log_classes = kLogEverything;  // LogClassBit
  InlineText<64> version;                // for the mode 6 variables of these names
  InlineText<64> processor;
  InlineText<100> system;
  // Of the operator's making: "name=value"; before it '*' when shown by default, then '+' when it
  // may be written by mode 6.
  InlineVector<InlineText<128>, 12> variables;
  bool saves_configuration = false;  // there is a saveconfigdir
  bool control_nonce = true;         // controlnonce: false for `never`

  bool Valid() const {
    return floor <= 16 && ceiling <= 16 && mindist >= 0 && maxdist > 0 && panic >= 0 &&
           step_forward >= 0 && step_backward >= 0 && stepout >= 0 && minsane >= 1 &&
           mru_entries <= 10000000 && revoke >= 3 && revoke <= 31 && automax >= 3 &&
           automax <= 31 && dscp <= 63 && owed_headway >= 0 && owed_headway <= 64 &&
           log_classes <= kLogEverything && broadcast_delay >= 0 && broadcast_delay <= 1;
  }
  static auto Fields(auto& m) {
    return std::tie(m.virtual_clock, m.authentication, m.allow_panic, m.quit, m.slew_only,
                    m.discipline, m.monitor, m.crypto_enabled, m.identity_optional, m.drift,
                    m.broadcast_client, m.novolley, m.broadcast_delay, m.multicast_groups,
                    m.manycast_groups, m.ttls, m.cohort, m.beacon, m.minclock, m.maxclock,
                    m.minsane, m.floor, m.ceiling, m.mindist, m.maxdist, m.orphan, m.orphanwait,
                    m.panic, m.step_forward, m.step_backward, m.stepout, m.dispersion,
                    m.discard_average, m.discard_minimum, m.mru_entries, m.control_key, m.revoke,
                    m.automax, m.ident, m.dscp, m.owed_headway, m.log_classes, m.version,
                    m.processor, m.system, m.variables, m.saves_configuration, m.control_nonce);
  }
};

enum class NetAssociationKind : uint8_t {
  kServer = 0,
  kPool,
  kPeer,
  kLocalClock,
  kBroadcast,
  kManycastClient,
  kLast = kManycastClient,
};

// supervisor -> net: one line of the configuration.
struct NetAssociation {
  static constexpr Type kType = Type::kNetAssociation;
  NetAssociationKind kind = NetAssociationKind::kServer;
  IpAddress address;             // none: `name` is looked up
  std::optional<uint16_t> name;  // index known to ntpd-resolve
  InlineText<255> label;         // as the operator wrote it, for display only
  KeyId key;
  bool autokey = false;
  bool identity_optional = false;
  InlineText<64> ident;
  uint8_t minpoll = 6, maxpoll = 10;  // log2 s
  uint8_t version = 4;
  bool iburst = false, burst = false, prefer = false, noselect = false, always_true = false;
  bool preempt = false;
  uint8_t ttl = 0;      // broadcast to a group: hop limit; 0: not set
  uint8_t stratum = 5;  // local clock: fudge stratum
  InlineText<4> refid;  // local clock: fudge refid

  bool Valid() const {
    return (address.is_none() == name.has_value()) && minpoll >= 3 && maxpoll <= 17 &&
           minpoll <= maxpoll && version >= 1 && version <= 4 && stratum <= 16 &&
           !(autokey && !key.is_none()) && (key.is_none() || key.is_symmetric());
  }
  static auto Fields(auto& m) {
    return std::tie(m.kind, m.address, m.name, m.label, m.key, m.autokey, m.identity_optional,
                    m.ident, m.minpoll, m.maxpoll, m.version, m.iburst, m.burst, m.prefer,
                    m.noselect, m.always_true, m.preempt, m.ttl, m.stratum, m.refid);
  }
};

// One entry of the access list. `flags` are the bits that mode 6 shows (control.h of mode 6: ignore
// 1, noserve 2, notrust 4, version 8, nopeer 0x10, noepeer 0x20, limited 0x40, noquery 0x80,
// nomodify 0x100, notrap 0x200, lptrap 0x400, kod 0x800, mssntp 0x1000, flake 0x2000, nomrulist
// 0x4000).
struct NetRestriction {
  bool source = false;           // template for the addresses of associations
  IpAddress address;             // unused for `source` and with `name`
  std::optional<uint16_t> name;  // index known to ntpd-resolve: an entry for each of its addresses
  InlineText<255> label;         // that name as the operator wrote it, for display only
  std::array<uint8_t, 16> mask{};  // of `address`: network byte order, octets past it are zero
  uint16_t flags = 0;
  uint8_t port = 0;  // core::SourcePort: 0 any source port, 1 only 123, 2 any but 123
  int32_t ippeerlimit = -1;

  bool Valid() const {
    return port <= 2 && (label.empty() || name.has_value()) &&
           (source || name.has_value() || (!address.is_none() && masks_address()));
  }
  // Whether `mask` is one for an address of that family.
  bool masks_address() const {
    return std::all_of(mask.begin() + static_cast<ptrdiff_t>(address.bytes().size()), mask.end(),
                       [](uint8_t octet) { return octet == 0; });
  }
  static auto Fields(auto& m) {
    return std::tie(m.source, m.address, m.name, m.label, m.mask, m.flags, m.port, m.ippeerlimit);
  }
};

// supervisor -> net; as many as needed. At most one entry has a label: more might not fit.
struct NetRestrict {
  static constexpr Type kType = Type::kNetRestrict;
  InlineVector<NetRestriction, 75> entries;
  static auto Fields(auto& m) { return std::tie(m.entries); }
};

// supervisor -> net: the configuration is complete.
struct NetEnd {
  static constexpr Type kType = Type::kNetEnd;
  uint8_t reserved = 0;
  static auto Fields(auto& m) { return std::tie(m.reserved); }
};

struct LeapSecond {
  uint64_t at = 0;  // seconds since 1900, not folded into eras: a UTC midnight
  uint8_t tai = 0;  // TAI - UTC from then on, s

  bool Valid() const { return at % 86400 == 0 && at >> 40 == 0 && tai >= 10; }
  static auto Fields(auto& m) { return std::tie(m.at, m.tai); }
};

// supervisor -> net and clock, after each configuration or start and when the leap second file
// changed: the operator's table in place of the one before. Empty: there is none.
struct LeapTable {
  static constexpr Type kType = Type::kLeapTable;
  uint64_t expiry = 0;  // seconds since 1900; the table says nothing of later times
  InlineVector<LeapSecond, 256> seconds;  // ascending, one second more or less each

  bool Valid() const {
    if (expiry >> 40 != 0 || (expiry == 0) != seconds.empty()) return false;
    for (size_t i = 1; i < seconds.size(); ++i) {
      const int change = seconds[i].tai - seconds[i - 1].tai;
      if (seconds[i].at <= seconds[i - 1].at || change * change != 1) return false;
    }
    return true;
  }
  static auto Fields(auto& m) { return std::tie(m.expiry, m.seconds); }
};

// supervisor -> net, with one bound UDP socket as ancillary data.
struct NetSocket {
  static constexpr Type kType = Type::kNetSocket;
  uint16_t index = 0;  // names it in NetSocketGone
  SocketAddress local;
  InlineText<16> interface;  // name, for display
  uint16_t flags = 0;        // of the interface, for display: bits of ifstats
  IpAddress broadcast;       // of the interface; none without one
  bool drop = false;         // wildcard or `interface drop`: read and thrown away
  bool to_many = false;      // bound to a broadcast address or a group: nothing leaves from it
  bool loopback = false;
  static auto Fields(auto& m) {
    return std::tie(m.index, m.local, m.interface, m.flags, m.broadcast, m.drop, m.to_many,
                    m.loopback);
  }
};

// An address that this host has, and on which of its interfaces: any number that tells them apart,
// within one list.
struct OwnAddress {
  uint16_t interface = 0;
  IpAddress address;
  static auto Fields(auto& m) { return std::tie(m.interface, m.address); }
  friend auto operator<=>(const OwnAddress&, const OwnAddress&) = default;
};

// supervisor -> net, before each configuration and when they change: all addresses that this host
// has on its interfaces, those of loopback left out, in place of the ones before. As many as
// needed, all but the last with `more`.
struct NetAddresses {
  static constexpr Type kType = Type::kNetAddresses;
  bool more = false;
  InlineVector<OwnAddress, 128> addresses;
  static auto Fields(auto& m) { return std::tie(m.more, m.addresses); }
};

// supervisor -> net: the address is gone; close the socket.
struct NetSocketGone {
  static constexpr Type kType = Type::kNetSocketGone;
  uint16_t index = 0;
  static auto Fields(auto& m) { return std::tie(m.index); }
};

// supervisor -> net: a role was started anew; what was asked of it is lost, ask again.
// supervisor -> clock: net was started anew (`role` is kNet); tell it the state.
struct NetRoleRestarted {
  static constexpr Type kType = Type::kNetRoleRestarted;
  Role role = Role::kClock;
  // keys: the new one goes on where the old one stopped, and only what is public of it may differ.
  bool continues = false;
  static auto Fields(auto& m) { return std::tie(m.role, m.continues); }
};

// What the kernel says of a process (proc_pid_status(5)).
struct Confinement {
  uint32_t uid = 0;     // effective
  uint8_t seccomp = 0;  // 0 none, 1 strict, 2 a filter
  bool no_new_privileges = false;
  uint64_t capabilities = 0;  // effective, as bits

  bool Valid() const { return seccomp <= 2; }
  bool operator==(const Confinement&) const = default;
  static auto Fields(auto& m) {
    return std::tie(m.uid, m.seccomp, m.no_new_privileges, m.capabilities);
  }
};

enum class ProcessState : uint8_t {
  kEnded = 0,  // and is to be started again
  kStarting,   // not ready yet
  kRunning,
  kSilent,  // leaves the supervisor's questions unanswered
  kLast = kSilent,
};

struct ProcessReport {
  ProcessState state = ProcessState::kEnded;
  MonoTime since;                          // start of this process, or of the last one
  uint32_t restarts = 0;                   // because it had died; not those of a reload
  uint32_t refused = 0;                    // messages of it that its receivers would not accept
  std::optional<Confinement> confinement;  // none: /proc cannot be read, or there is no process

  bool operator==(const ProcessReport&) const = default;
  static auto Fields(auto& m) {
    return std::tie(m.state, m.since, m.restarts, m.refused, m.confinement);
  }
};

// supervisor -> net, after each change: how the daemon's processes are, for those who ask by
// mode 6.
struct NetProcesses {
  static constexpr Type kType = Type::kNetProcesses;
  ProcessReport supervisor;
  std::array<ProcessReport, kRoles> roles;  // by Role

  bool operator==(const NetProcesses&) const = default;
  static auto Fields(auto& m) { return std::tie(m.supervisor, m.roles); }
};

// supervisor -> net: finish; say NetDrift a last time, then exit.
struct NetTerminate {
  static constexpr Type kType = Type::kNetTerminate;
  uint8_t reserved = 0;
  static auto Fields(auto& m) { return std::tie(m.reserved); }
};

// net -> supervisor, hourly and at the end: what the drift file should hold.
struct NetDrift {
  static constexpr Type kType = Type::kNetDrift;
  Ppm frequency;
  bool Valid() const { return frequency.value >= -500 && frequency.value <= 500; }
  static auto Fields(auto& m) { return std::tie(m.frequency); }
};

enum class StatisticsFile : uint8_t {
  kLoop = 0,
  kPeer,
  kClock,
  kRaw,
  kSys,
  kProto,
  kCrypto,
  kLast = kCrypto,
};

// net -> supervisor: one line for a statistics file, without the date that the supervisor puts
// before it ("MJD SECONDS.mmm "), from served time.
struct NetStatistics {
  static constexpr Type kType = Type::kNetStatistics;
  StatisticsFile file = StatisticsFile::kLoop;
  NtpTimestamp when;
  InlineText<500> line;

  // There is no reference clock whose statistics it could be.
  bool Valid() const { return file != StatisticsFile::kClock; }
  static auto Fields(auto& m) { return std::tie(m.file, m.when, m.line); }
};

// net -> supervisor: shown to the service manager as the daemon's status.
struct NetStatus {
  static constexpr Type kType = Type::kNetStatus;
  bool synchronised = false;
  InlineText<200> text;
  static auto Fields(auto& m) { return std::tie(m.synchronised, m.text); }
};

// net -> supervisor: write the configuration in force to a new file, because somebody who has the
// control key asks for it (SAVECONFIG). The supervisor says where, whether, and how often.
struct NetSaveConfig {
  static constexpr Type kType = Type::kNetSaveConfig;
  uint32_t request = 0;
  InlineText<127> pattern;  // of the file's name, for strftime; never a path

  bool Valid() const { return !pattern.empty(); }
  static auto Fields(auto& m) { return std::tie(m.request, m.pattern); }
};

enum class SaveOutcome : uint8_t {
  kSaved = 0,
  kNoDirectory,  // no saveconfigdir
  kUnsafeName,
  kFailed,  // `reason`
  kLast = kFailed,
};

// supervisor -> net: what became of NetSaveConfig.
struct NetConfigSaved {
  static constexpr Type kType = Type::kNetConfigSaved;
  uint32_t request = 0;
  SaveOutcome outcome = SaveOutcome::kFailed;
  InlineText<255> name;  // of the file, without its directory
  InlineText<100> reason;
  static auto Fields(auto& m) { return std::tie(m.request, m.outcome, m.name, m.reason); }
};

enum class QuitReason : uint8_t {
  kDone = 0,  // -q: the clock was set, or only measured as was wanted
  kFailed,    // -q: it was not set
  kUnheard,   // -q: it was not set, since nobody sent anything at all
  kPanic,     // the offset is over the panic limit
  kLast = kPanic,
};

// The daemon's exit status; that of a panic is ntpd 4.2.8's.
inline int ExitStatus(QuitReason reason) {
  return reason == QuitReason::kDone ? 0 : reason == QuitReason::kPanic ? 255 : 1;
}

// net -> supervisor: the daemon's end. Only of a panic may net speak without -q, and not of that
// where `tinker panic 0` set no limit: otherwise a net that was taken over could stop the service.
struct NetQuit {
  static constexpr Type kType = Type::kNetQuit;
  QuitReason reason = QuitReason::kDone;
  InlineText<200> text;  // for the log, and with -q for standard output

  bool Valid() const { return !text.empty(); }
  static auto Fields(auto& m) { return std::tie(m.reason, m.text); }
};

}  // namespace ntpward::msg
