#include "ntpd/control/events.h"

#include <array>
#include <cstdio>

namespace ntpward::control {
namespace {

constexpr uint8_t kFullCount = 15;
constexpr unsigned kPeerEventFlag = 0x80;

std::string Line(std::string_view address, uint16_t status, unsigned code, std::string_view name,
                 std::string_view detail) {
  std::array<char, 16> numbers;
  std::snprintf(numbers.data(), numbers.size(), " %04x %02x ", status, code);
  std::string line(address);
  line += numbers.data();
  line += name;
  if (!detail.empty()) line += ' ';
  for (char c : detail) line += c >= 0x20 && c < 0x7f ? c : '?';
  return line;
}

}  // namespace

bool EventCounter::Note(uint8_t code) {
  if (code != last_) count_ = 0;
  if (count_ >= kFullCount) return false;
  last_ = code & 15;
  ++count_;
  return true;
}

std::optional<std::string> ReportSystemEvent(EventCounter& events, wire::SystemEvent event,
                                             wire::SystemStatus now, std::string_view detail) {
  const auto code = static_cast<uint8_t>(event);
  if (!events.Note(code)) return std::nullopt;
  return Line("0.0.0.0", WithEvents(now, events).word(), code, wire::SystemEventName(event),
              detail);
}

std::optional<std::string> ReportPeerEvent(EventCounter& events, const IpAddress& remote,
                                           wire::PeerEvent event, wire::PeerStatus now,
                                           std::string_view detail) {
  const auto code = static_cast<uint8_t>(event);
  if (!events.Note(code)) return std::nullopt;
  return Line(remote.ToString(), WithEvents(now, events).word(), code | kPeerEventFlag,
              wire::PeerEventName(event), detail);
}

wire::SystemStatus WithEvents(wire::SystemStatus now, const EventCounter& events) {
  now.events = events.count();
  now.last_event = static_cast<wire::SystemEvent>(events.last());
  return now;
}

wire::PeerStatus WithEvents(wire::PeerStatus now, const EventCounter& events) {
  now.events = events.count();
  now.last_event = static_cast<wire::PeerEvent>(events.last());
  return now;
}

}  // namespace ntpward::control
