#include "ntpd/net/reporter.h"

#include <algorithm>
#include <cstdio>

#include "ntpd/wire/refid.h"
#include "ntpd/wire/status_word.h"

namespace ntpward::net {
namespace {

constexpr uint8_t kPeerEventBase = 0x80;
constexpr double kSystemInterval = 3600;  // seconds between lines of sysstats

std::string EventName(const core::EngineEvent& event) {
  if (event.id.value == 0)
    return std::string(wire::SystemEventName(static_cast<wire::SystemEvent>(event.code)));
  return std::string(wire::PeerEventName(static_cast<wire::PeerEvent>(event.code)));
}

// "SECONDS.nnnnnnnnn" since 1900, rounded.
std::string Seconds(NtpTimestamp time) {
  const uint64_t nanoseconds = (uint64_t{time.fraction()} * 1000000000 + (1U << 31)) >> 32;
  char text[32];
  std::snprintf(text, sizeof text, "%u.%09u",
                time.seconds() + static_cast<uint32_t>(nanoseconds / 1000000000),
                static_cast<unsigned>(nanoseconds % 1000000000));
  return text;
}

// A code stands between dots, so that it is no host name.
std::string Refid(const wire::Header& header) {
  const std::string text = wire::RefidText(header.refid, header.stratum);
  return header.stratum >= 2 && header.stratum < wire::kStratumUnsynchronised ? text
                                                                              : "." + text + ".";
}

constexpr std::string_view kStrangers = " of strangers";

std::string LeftOut(uint64_t lines, std::string_view whose) {
  return "(" + std::to_string(lines) + " lines" + std::string(whose) + " left out)";
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

void Reporter::LogWithin(LineBudget* budget, LogLevel level, std::string_view line,
                         std::string_view whose) {
  if (!budget->Take(Timebase::Mono())) return;
  if (const uint64_t lost = budget->TakeLost(); lost > 0) link_->Log(level, LeftOut(lost, whose));
  link_->Log(level, line);
}

void Reporter::Log(LogLevel level, std::string_view line, Cause cause) {
  LineBudget& budget = level == LogLevel::kDebug ? debug_ : log_.Of(cause);
  LogWithin(&budget, level, line, cause == Cause::kOurs ? "" : kStrangers);
}

void Reporter::Audit(LogLevel level, std::string_view line) {
  if (!audit_.Take(Timebase::Mono())) return;
  if (const uint64_t lost = audit_.TakeLost(); lost > 0)
    link_->Audit(level, LeftOut(lost, " under the control key"));
  link_->Audit(level, line);
}

void Reporter::Info(msg::LogClassBit which, std::string_view line, Cause cause) {
  if ((classes_ & which) != 0) Log(LogLevel::kInfo, line, cause);
}

bool Reporter::Write(msg::StatisticsFile file, std::string_view line, Cause cause) {
  LineBudget& budget = statistics_[static_cast<size_t>(file)].Of(cause);
  if (!budget.Take(Timebase::Mono())) return false;
  // The other files have columns, which a remark would break.
  const bool has_text = file == msg::StatisticsFile::kCrypto || file == msg::StatisticsFile::kProto;
  const uint64_t lost = cause == Cause::kStranger && has_text ? budget.TakeLost() : 0;
  if (lost > 0) Send(file, "0.0.0.0 " + LeftOut(lost, kStrangers));
  Send(file, line);
  return true;
}

void Reporter::Send(msg::StatisticsFile file, std::string_view line) {
  msg::NetStatistics message;
  message.file = file;
  message.when = time_->Now();
  CHECK(message.line.Assign(AsBytes(line.substr(0, decltype(message.line)::kCapacity))));
  (void)link_->channel().Send(message);
}

void Reporter::Event(const core::EngineEvent& event, const std::string& address, Cause cause) {
  const bool is_system = event.id.value == 0;
  char figures[32];
  std::snprintf(figures, sizeof figures, " %04x %02x ", event.status_word,
                static_cast<unsigned>(is_system ? event.code : event.code | kPeerEventBase));
  std::string line = (is_system ? "0.0.0.0" : address) + figures + EventName(event);
  if (!event.detail.empty()) line += " " + event.detail;
  Info(is_system ? msg::kLogSystemEvents : msg::kLogPeerEvents, line, cause);
  Write(msg::StatisticsFile::kProto, line, cause);
}

void Reporter::LoopStatistics(const core::Engine& engine) {
  const core::Discipline& discipline = engine.discipline();
  char line[160];
  std::snprintf(line, sizeof line, "%.9f %.3f %.9f %.6f %d", engine.system().offset,
                discipline.frequency().value, discipline.jitter(), discipline.wander().value,
                discipline.poll());
  Write(msg::StatisticsFile::kLoop, line);
}

void Reporter::PeerStatistics(const core::PeerSnapshot& peer, const std::string& address,
                              Cause cause) {
  char line[200];
  std::snprintf(line, sizeof line, "%s %04x %.9f %.9f %.9f %.9f", address.c_str(),
                peer.status.word(), peer.offset, peer.delay, peer.dispersion, peer.jitter);
  Write(msg::StatisticsFile::kPeer, line, cause);
}

void Reporter::RawStatistics(const RawReply& reply, Cause cause) {
  const wire::Header& header = reply.header;
  const unsigned stratum = header.stratum == 0 ? wire::kStratumUnsynchronised : header.stratum;
  char line[400];
  std::snprintf(
      line, sizeof line, "%s %s %s %s %s %s %u %u %u %u %d %d %.6f %.6f %s",
      reply.source.ToString().c_str(), reply.ours.ToString().c_str(), Seconds(reply.t1).c_str(),
      Seconds(header.receive).c_str(), Seconds(header.transmit).c_str(), Seconds(reply.t4).c_str(),
      static_cast<unsigned>(header.leap), static_cast<unsigned>(header.version),
      static_cast<unsigned>(header.mode), stratum, header.poll, header.precision,
      header.root_delay.seconds(), header.root_dispersion.seconds(), Refid(header).c_str());
  Write(msg::StatisticsFile::kRaw, line, cause);
}

void Reporter::SystemStatistics(MonoTime now, const control::PacketCounters& packets) {
  if (!told_at_) told_at_ = now;
  const double seconds = now - *told_at_;
  if (seconds < kSystemInterval) return;
  using Counters = control::PacketCounters;
  std::string line = std::to_string(static_cast<uint64_t>(seconds));
  for (const auto counter :
       {&Counters::received, &Counters::processed, &Counters::this_version, &Counters::old_version,
        &Counters::restricted, &Counters::bad_format, &Counters::bad_auth, &Counters::declined,
        &Counters::limited, &Counters::kod_sent})
    line += " " + std::to_string(packets.*counter - told_.*counter);
  told_ = packets;
  told_at_ = now;
  Write(msg::StatisticsFile::kSys, line);
}

void Reporter::CryptoStatistics(const std::string& address, std::string_view text, Cause cause) {
  const std::string line = address + " " + std::string(text);
  if (Write(msg::StatisticsFile::kCrypto, line, cause)) Log(LogLevel::kDebug, "crypto: " + line);
}

}  // namespace ntpward::net
