// What the parts of ntpd-net share: time, engine, key process, Autokey state, reports.
#pragma once

#include <event2/event.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "keys/session_key.h"
#include "ntpd/autokey/certificate_cache.h"
#include "ntpd/autokey/host_state.h"
#include "ntpd/autokey/learned_leap.h"
#include "ntpd/autokey/renewing_dance.h"
#include "ntpd/control/view.h"
#include "ntpd/core/access.h"
#include "ntpd/core/engine.h"
#include "ntpd/net/delay_estimate.h"
#include "ntpd/net/keys_client.h"
#include "ntpd/net/reporter.h"
#include "ntpd/net/steering.h"
#include "ntpd/net/timebase.h"
#include "privsep/msg/control.h"

namespace ntpward::net {

struct FreeEvent {
  void operator()(event* e) const { event_free(e); }
};
using Event = std::unique_ptr<event, FreeEvent>;

// Datagrams of one socket, or of all of them.
struct SocketCounters {
  uint64_t received = 0;
  uint64_t sent = 0;
  uint64_t refused = 0;  // by the kernel, when they were to be sent

  void OnSent(size_t count, size_t refused_ones) {
    sent += count - refused_ones;
    refused += refused_ones;
  }
};

// What became of all datagrams, and how often the event loop woke for some.
struct IoCounters {
  SocketCounters datagrams;
  uint64_t dropped = 0;  // came by sockets that are not listened to
  uint64_t ignored = 0;  // implausible, or their sender is to be ignored
  uint64_t wakeups = 0;
  uint64_t good_wakeups = 0;  // with something to read

  void OnWakeup(size_t datagrams_read) {
    ++wakeups;
    good_wakeups += datagrams_read > 0 ? 1 : 0;
    datagrams.received += datagrams_read;
  }
};

// Owned by the role's main object; every part holds a pointer to it.
struct Node {
  Node(event_base* base_, Channel* supervisor, Channel* clock, Channel* keys_channel);

  event_base* base;
  SupervisorLink link;
  Timebase time;
  Reporter reporter;
  Steering steering;
  KeysClient keys;

  msg::NetStart start;                         // the configuration in force
  std::optional<msg::NetProcesses> processes;  // as the supervisor said last
  std::unique_ptr<core::Engine> engine;        // null before the first configuration
  core::AccessList access;
  autokey::HostState host;
  autokey::CertificateCache certificates;
  autokey::LearnedLeap learned_leap;             // of servers on the operator's lines
  std::optional<keys::SessionKeyHasher> hasher;  // of the session digest
  bool has_material = false;                     // ntpd-keys has told who we are
  MonoTime started;
  DelayEstimate leaving;  // from the call that sends a packet to the kernel's stamp of it
  DelayEstimate sealed;   // from ntpd-keys' stamp in a reply to the call that sends it
  // Every datagram that came, requests and replies alike; counted as ntpd 4.2.8 does, whose
  // "processed" are the replies that time was taken from.
  control::PacketCounters packets;
  IoCounters io;
  // When groups of them began to count.
  struct CountingSince {
    MonoTime packets, io, timer, keys;
  };
  CountingSince since;
  struct TimerCounters {
    uint64_t polls = 0;     // requests of our own
    uint64_t overruns = 0;  // seconds that nobody served
  };
  TimerCounters timer;
  bool clock_was_stepped = false;  // the system's, not a virtual one
  // Keys, as far as anybody may know.
  struct KeyCounts {
    std::optional<uint32_t> symmetric;  // none: this ntpd-keys has yet to say
    uint64_t expired = 0;               // of Autokey's lists
  };
  KeyCounts key_counts;
  std::map<std::string, std::string, std::less<>> written;  // by WRITEVAR, over what start says
  std::string saved_config;  // the file last written by SAVECONFIG; empty: none

  bool synchronised() const { return engine != nullptr && engine->system().synchronised(); }
  // What Autokey stamps: 0 while not synchronised.
  NtpSeconds AutokeySeconds() const { return synchronised() ? time.Seconds() : NtpSeconds{}; }
  autokey::DanceContext Dance() {
    return {host, certificates, Timebase::Mono(), time.Seconds(), synchronised()};
  }
  // What goes into a packet that is sent now: when it will have left.
  NtpTimestamp LeavingTime() const { return time.Now() + leaving.Value(); }
  // The MAC of a packet with extension fields: private value 0, no secret (RFC 5906).
  keys::SessionDigest PublicMac(const AddressPair& path, KeyId key, Bytes covered);
};

// An association's refid for those who follow us through it.
uint32_t RefidOf(const IpAddress& address);

// ::ffff:0:0/96, which stands for IPv4 and is never seen on the network.
bool IsV4Mapped(const IpAddress& address);

}  // namespace ntpward::net
