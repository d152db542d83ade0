#include "ntpd/wire/status_word.h"

#include <array>

namespace ntpward::wire {
namespace {

constexpr uint16_t kConfigured = 0x8000;
constexpr uint16_t kAuthEnabled = 0x4000;
constexpr uint16_t kAuthentic = 0x2000;
constexpr uint16_t kReachable = 0x1000;
constexpr uint16_t kBroadcast = 0x0800;

constexpr std::array<std::string_view, 4> kLeapNames = {"leap_none", "leap_add_sec", "leap_del_sec",
                                                        "leap_alarm"};
constexpr std::array<std::string_view, 10> kSourceNames = {
    "sync_unspec", "sync_pps", "sync_lf_radio", "sync_hf_radio",   "sync_uhf_radio",
    "sync_local",  "sync_ntp", "sync_other",    "sync_wristwatch", "sync_telephone"};
constexpr std::array<std::string_view, 16> kSystemEventNames = {
    "unspecified", "freq_not_set", "freq_set",      "spike_detect",
    "freq_mode",   "clock_sync",   "restart",       "panic_stop",
    "no_sys_peer", "leap_armed",   "leap_disarmed", "leap_event",
    "clock_step",  "kern",         "TAI",           "stale_leapsecond_values"};
constexpr std::array<std::string_view, 16> kPeerEventNames = {
    "unspecified",   "mobilize",   "demobilize",      "unreachable",
    "reachable",     "restart",    "no_reply",        "rate_exceeded",
    "access_denied", "leap_armed", "sys_peer",        "clock_event",
    "bad_auth",      "popcorn",    "interleave_mode", "interleave_error"};
constexpr std::array<std::string_view, 16> kLastEventNames = {
    "<?0?>",    "mobilize",      "demobilize",    "unreachable", "reachable", "restart",
    "no_reply", "rate_exceeded", "access_denied", "leap_armed",  "sys_peer",  "clock_alarm",
    "bad_auth", "popcorn",       "interleave",    "xleave_err"};
constexpr std::array<std::string_view, 8> kSelectionNames = {
    "sel_reject",    "sel_falsetick", "sel_excess",   "sel_outlier",
    "sel_candidate", "sel_backup",    "sel_sys.peer", "sel_pps.peer"};
constexpr std::array<std::string_view, 7> kClockNames = {
    "clk_unspec",     "clk_no_reply", "clk_bad_format", "clk_fault",
    "clk_bad_signal", "clk_bad_date", "clk_bad_time"};
constexpr std::string_view kTally = " x.-+#*o";

struct FlashName {
  uint16_t bit;
  std::string_view name;
};
constexpr std::array<FlashName, 13> kFlashNames = {{{kFlashDuplicate, "pkt_dup"},
                                                    {kFlashBogus, "pkt_bogus"},
                                                    {kFlashUnsynchronised, "pkt_unsync"},
                                                    {kFlashDenied, "pkt_denied"},
                                                    {kFlashAuth, "pkt_auth"},
                                                    {kFlashStratum, "pkt_stratum"},
                                                    {kFlashHeader, "pkt_header"},
                                                    {kFlashAutokey, "pkt_autokey"},
                                                    {kFlashCrypto, "pkt_crypto"},
                                                    {kFlashPeerStratum, "peer_stratum"},
                                                    {kFlashPeerDistance, "peer_dist"},
                                                    {kFlashPeerLoop, "peer_loop"},
                                                    {kFlashPeerUnreachable, "peer_unreach"}}};

constexpr unsigned Bit(bool set, uint16_t bit) { return set ? bit : 0U; }
constexpr unsigned Low4(unsigned value) { return value & 15; }

void AppendItem(std::string& text, std::string_view item) {
  if (!text.empty()) text += ", ";
  text += item;
}

}  // namespace

SystemStatus SystemStatus::FromWord(uint16_t word) {
  return {static_cast<uint8_t>(word >> 14), static_cast<SystemSource>((word >> 8) & 63),
          static_cast<uint8_t>((word >> 4) & 15), static_cast<SystemEvent>(word & 15)};
}

uint16_t SystemStatus::word() const {
  return static_cast<uint16_t>((leap & 3U) << 14 | (static_cast<unsigned>(source) & 63) << 8 |
                               Low4(events) << 4 | Low4(static_cast<unsigned>(last_event)));
}

PeerStatus PeerStatus::FromWord(uint16_t word) {
  PeerStatus status;
  status.configured = (word & kConfigured) != 0;
  status.auth_enabled = (word & kAuthEnabled) != 0;
  status.authentic = (word & kAuthentic) != 0;
  status.reachable = (word & kReachable) != 0;
  status.broadcast = (word & kBroadcast) != 0;
  status.selection = static_cast<Selection>((word >> 8) & 7);
  status.events = static_cast<uint8_t>((word >> 4) & 15);
  status.last_event = static_cast<PeerEvent>(word & 15);
  return status;
}

uint16_t PeerStatus::word() const {
  return static_cast<uint16_t>(Bit(configured, kConfigured) | Bit(auth_enabled, kAuthEnabled) |
                               Bit(authentic, kAuthentic) | Bit(reachable, kReachable) |
                               Bit(broadcast, kBroadcast) |
                               (static_cast<unsigned>(selection) & 7) << 8 | Low4(events) << 4 |
                               Low4(static_cast<unsigned>(last_event)));
}

ClockStatus ClockStatus::FromWord(uint16_t word) {
  return {static_cast<uint8_t>((word >> 4) & 15), static_cast<uint8_t>(word & 15)};
}

uint16_t ClockStatus::word() const { return static_cast<uint16_t>(Low4(events) << 4 | Low4(code)); }

std::string LeapName(uint8_t leap) { return std::string(kLeapNames[leap & 3]); }

std::string SystemSourceName(SystemSource source) {
  const auto index = static_cast<size_t>(source);
  if (index < kSourceNames.size()) return std::string(kSourceNames[index]);
  return "sync_" + std::to_string(index);
}

std::string_view SystemEventName(SystemEvent event) {
  return kSystemEventNames[static_cast<size_t>(event) & 15];
}
std::string_view PeerEventName(PeerEvent event) {
  return kPeerEventNames[static_cast<size_t>(event) & 15];
}
std::string_view SelectionName(Selection selection) {
  return kSelectionNames[static_cast<size_t>(selection) & 7];
}

std::string ClockCodeName(uint8_t code) {
  if (code < kClockNames.size()) return std::string(kClockNames[code]);
  return "clk_" + std::to_string(code);
}

std::string EventCount(uint8_t events) {
  if (events == 0) return "no events";
  if (events == 1) return "1 event";
  return std::to_string(events) + " events";
}

char TallyCharacter(Selection selection) { return kTally[static_cast<size_t>(selection) & 7]; }

std::string_view ConditionName(Selection selection) {
  return SelectionName(selection).substr(sizeof "sel_" - 1);
}
std::string_view LastEventName(PeerEvent event) {
  return kLastEventNames[static_cast<size_t>(event) & 15];
}

std::string Describe(SystemStatus status) {
  std::string text = LeapName(status.leap);
  AppendItem(text, SystemSourceName(status.source));
  AppendItem(text, EventCount(status.events));
  AppendItem(text, SystemEventName(status.last_event));
  return text;
}

std::string Describe(PeerStatus status) {
  std::string text;
  if (status.configured) AppendItem(text, "conf");
  if (status.auth_enabled) AppendItem(text, "authenb");
  if (status.authentic) AppendItem(text, "auth");
  if (status.reachable) AppendItem(text, "reach");
  if (status.broadcast) AppendItem(text, "bcast");
  // ntpq 4.2.8 starts with a separator when no flag is set; so scripts may expect.
  text += ", ";
  text += SelectionName(status.selection);
  AppendItem(text, EventCount(status.events));
  if (status.last_event != PeerEvent::kNone) AppendItem(text, PeerEventName(status.last_event));
  return text;
}

std::string Describe(ClockStatus status) {
  std::string text = EventCount(status.events);
  AppendItem(text, ClockCodeName(status.code));
  return text;
}

std::string DescribeFlash(uint16_t flash) {
  if (flash == 0) return "ok";
  std::string text;
  for (const FlashName& known : kFlashNames)
    if ((flash & known.bit) != 0) AppendItem(text, known.name);
  return text;
}

}  // namespace ntpward::wire
