// The status words of mode 6 and their names, as ntpd 4.2.8 numbers and spells them.
//
// RFC 1305 appendix B.2.2 gives the layout; the codes are those of ntpd 4.2.6 and later. All words
// are plain numbers in host order: the header's codec has dealt with byte order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ntpward::wire {

// Where the system's time comes from.
enum class SystemSource : uint8_t {
  kUnspecified = 0,
  kPps = 1,
  kLfRadio = 2,
  kHfRadio = 3,
  kUhfRadio = 4,
  kLocal = 5,
  kNtp = 6,
  kOther = 7,
  kWristwatch = 8,
  kTelephone = 9,
};

enum class SystemEvent : uint8_t {
  kUnspecified = 0,
  kFrequencyNotSet = 1,
  kFrequencySet = 2,
  kSpikeDetect = 3,
  kFrequencyMode = 4,
  kClockSync = 5,
  kRestart = 6,
  kPanicStop = 7,
  kNoSystemPeer = 8,
  kLeapArmed = 9,
  kLeapDisarmed = 10,
  kLeapEvent = 11,
  kClockStep = 12,
  kKernel = 13,
  kTai = 14,
  kStaleLeapSeconds = 15,
};

enum class PeerEvent : uint8_t {
  kNone = 0,
  kMobilize = 1,
  kDemobilize = 2,
  kUnreachable = 3,
  kReachable = 4,
  kRestart = 5,
  kNoReply = 6,
  kRateExceeded = 7,
  kAccessDenied = 8,
  kLeapArmed = 9,
  kSystemPeer = 10,
  kClockEvent = 11,
  kBadAuth = 12,
  kPopcorn = 13,
  kInterleaveMode = 14,
  kInterleaveError = 15,
};

// What selection made of an association; the tally character of the billboard follows it.
enum class Selection : uint8_t {
  kReject = 0,
  kFalsetick = 1,
  kExcess = 2,
  kOutlier = 3,
  kCandidate = 4,
  kBackup = 5,
  kSystemPeer = 6,
  kPpsPeer = 7,
};

// The word of association 0. Fields out of range lose their upper bits.
struct SystemStatus {
  uint8_t leap = 3;                                  // 0..3
  SystemSource source = SystemSource::kUnspecified;  // 0..63
  uint8_t events = 0;                                // 0..15, saturating
  SystemEvent last_event = SystemEvent::kUnspecified;

  static SystemStatus FromWord(uint16_t word);
  uint16_t word() const;
  friend bool operator==(const SystemStatus&, const SystemStatus&) = default;
};

// The word of any other association.
struct PeerStatus {
  bool configured = false;
  bool auth_enabled = false;
  bool authentic = false;  // the last packet was
  bool reachable = false;
  bool broadcast = false;  // transmits only: broadcast, multicast, or a pool's prototype
  Selection selection = Selection::kReject;
  uint8_t events = 0;  // 0..15, saturating
  PeerEvent last_event = PeerEvent::kNone;

  static PeerStatus FromWord(uint16_t word);
  uint16_t word() const;
  friend bool operator==(const PeerStatus&, const PeerStatus&) = default;
};

// The word of a reference clock.
struct ClockStatus {
  uint8_t events = 0;  // bits 7-4
  uint8_t code =
      0;  // bits 3-0; 0 unspec, 1 no reply, 2 bad format, 3 fault, 4 signal, 5 date, 6 time

  static ClockStatus FromWord(uint16_t word);
  uint16_t word() const;
  friend bool operator==(const ClockStatus&, const ClockStatus&) = default;
};

// Why the last packet was no good, or the association is not fit for selection; variable `flash`.
enum FlashBit : uint16_t {
  kFlashDuplicate = 0x0001,
  kFlashBogus = 0x0002,
  kFlashUnsynchronised = 0x0004,
  kFlashDenied = 0x0008,
  kFlashAuth = 0x0010,
  kFlashStratum = 0x0020,
  kFlashHeader = 0x0040,
  kFlashAutokey = 0x0080,
  kFlashCrypto = 0x0100,
  kFlashPeerStratum = 0x0200,
  kFlashPeerDistance = 0x0400,
  kFlashPeerLoop = 0x0800,
  kFlashPeerUnreachable = 0x1000,
};

// Names as `rv` and the daemon's log print them: "leap_none", "sync_ntp", "clock_sync",
// "sel_sys.peer", "reachable". Every value has a name: beyond the tables it is made of the number.
std::string LeapName(uint8_t leap);
std::string SystemSourceName(SystemSource source);
std::string_view SystemEventName(SystemEvent event);
std::string_view PeerEventName(PeerEvent event);
std::string_view SelectionName(Selection selection);
std::string ClockCodeName(uint8_t code);
// "no events", "1 event", "7 events".
std::string EventCount(uint8_t events);

// ' ', 'x', '.', '-', '+', '#', '*', 'o'.
char TallyCharacter(Selection selection);
// The columns `condition` and `last_event` of the table of associations: "sys.peer", "clock_alarm".
std::string_view ConditionName(Selection selection);
std::string_view LastEventName(PeerEvent event);

// The words spelled out: "leap_none, sync_ntp, 1 event, clock_sync".
std::string Describe(SystemStatus status);
std::string Describe(PeerStatus status);
std::string Describe(ClockStatus status);
// "pkt_auth, peer_dist"; "ok" for 0. Bits without a name are left out.
std::string DescribeFlash(uint16_t flash);

}  // namespace ntpward::wire
