#include "ntpd/net/reporter.h"

#include <algorithm>
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

bool LineBudget::Take(MonoTime now) {
  left_ = std::min(burst_, left_ + std::max(0.0, now - as_of_) * per_second_);
  as_of_ = now;
  if (left_ < 1) {
    ++lost_;
    return false;
  }
  left_ -= 1;
  return true;
}

void Reporter::Log(LogLevel level, std::string_view line) {
  LineBudget& budget = level == LogLevel::kDebug ? debug_ : log_;
  if (!budget.Take(Timebase::Mono())) return;
  if (const uint64_t lost = budget.TakeLost(); lost > 0)
    link_->Log(level, "(" + std::to_string(lost) + " lines left out)");
  link_->Log(level, line);
}

void Reporter::Write(msg::StatisticsFile file, std::string_view line) {
  if (!statistics_.Take(Timebase::Mono())) return;
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
