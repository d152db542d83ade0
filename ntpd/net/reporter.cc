#include "ntpd/net/reporter.h"

#include <cstdio>

#include "ntpd/wire/status_word.h"

namespace ntpward::net {
namespace {

constexpr uint8_t kPeerEventBase = 0x80;

std::string EventName(const core::EngineEvent& event) {
  if (event.id.value == 0)
    return std::string(wire::SystemEventName(static_cast<wire::SystemEvent>(event.code)));
  return std::string(wire::PeerEventName(static_cast<wire::PeerEvent>(event.code)));
}

}  // namespace

void Reporter::Write(msg::StatisticsFile file, std::string_view line) {
  msg::NetStatistics message;
  message.file = file;
  message.when = time_->Now();
  CHECK(message.line.Assign(AsBytes(line.substr(0, decltype(message.line)::kCapacity))));
  (void)link_->channel().Send(message);
}

void Reporter::Event(const core::EngineEvent& event, const std::string& address) {
  const bool is_system = event.id.value == 0;
  char figures[32];
  std::snprintf(figures, sizeof figures, " %04x %02x ", event.status_word,
                static_cast<unsigned>(is_system ? event.code : event.code | kPeerEventBase));
  std::string line = (is_system ? "0.0.0.0" : address) + figures + EventName(event);
  if (!event.detail.empty()) line += " " + event.detail;
  Log(LogLevel::kInfo, line);
  Write(msg::StatisticsFile::kProto, line);
}

void Reporter::LoopStatistics(const core::Engine& engine) {
  const core::Discipline& discipline = engine.discipline();
  char line[160];
  std::snprintf(line, sizeof line, "%.9f %.3f %.9f %.6f %d", engine.system().offset,
                discipline.frequency().value, discipline.jitter(), discipline.wander().value,
                discipline.poll());
  Write(msg::StatisticsFile::kLoop, line);
}

void Reporter::PeerStatistics(const core::PeerSnapshot& peer, const std::string& address) {
  char line[200];
  std::snprintf(line, sizeof line, "%s %04x %.9f %.9f %.9f %.9f", address.c_str(),
                peer.status.word(), peer.offset, peer.delay, peer.dispersion, peer.jitter);
  Write(msg::StatisticsFile::kPeer, line);
}

void Reporter::CryptoStatistics(const std::string& address, std::string_view text) {
  const std::string line = address + " " + std::string(text);
  Write(msg::StatisticsFile::kCrypto, line);
  Log(LogLevel::kDebug, "crypto: " + line);
}

}  // namespace ntpward::net
