#include "ntpd/net/leap_seconds.h"

namespace ntpward::net {
namespace {

using Seconds = core::LeapSchedule::Seconds;

constexpr Seconds kDay = 86400;

NtpSeconds Fold(Seconds seconds) { return {static_cast<uint32_t>(seconds)}; }

autokey::LeapValues Today(autokey::LeapValues told, NtpTimestamp now) {
  if (told.IsTable()) told.tai = told.OffsetAt({now.seconds()});
  return told;
}

bool IsArmed(wire::Leap leap) {
  return leap == wire::Leap::kAddSecond || leap == wire::Leap::kDeleteSecond;
}

// "37 leap 201701010000 expire 202706280000".
std::string OffsetText(const autokey::LeapValues& values) {
  return std::to_string(values.tai) + " leap " +
         autokey::MinuteText(autokey::Unfold(values.epoch)) + " expire " +
         autokey::MinuteText(autokey::Unfold(values.expiry));
}

}  // namespace

void LeapSeconds::SetTable(const msg::LeapTable& table) {
  std::vector<core::LeapSchedule::Entry> entries;
  for (const msg::LeapSecond& second : table.seconds)
    entries.push_back({static_cast<Seconds>(second.at), second.tai});
  schedule_ = core::LeapSchedule(std::move(entries), static_cast<Seconds>(table.expiry));
}

// The offset of today, not of a leap second to come: ntpd 4.2.8 takes the value as today's.
autokey::LeapValues LeapSeconds::FileValues(NtpTimestamp now) const {
  const core::LeapSchedule::Entry* current = schedule_.CurrentAt(now);
  if (current == nullptr) return {};
  return {current->tai, Fold(current->at), Fold(schedule_.expiry())};
}

// A server's word, however long it says that it lasts, is no match for the operator's.
autokey::LeapValues LeapSeconds::InForce(NtpTimestamp now) const {
  if (schedule_.ValidAt(now)) return FileValues(now);
  const autokey::LeapValues best = node_->learned_leap.Best();
  const NtpSeconds today{now.seconds()};
  // Since when today's offset counts is not said of a leap second to come.
  const bool unknown = autokey::Earlier(best.expiry, today) || best.IsAhead(today);
  return unknown ? autokey::LeapValues{} : best;
}

autokey::LeapValues LeapSeconds::Shown(NtpTimestamp now) const {
  autokey::LeapValues file = FileValues(now);
  const bool learned = !schedule_.ValidAt(now) && InForce(now).IsTable();
  if (learned || !file.IsTable()) return Known(now);
  file.epoch = Fold(schedule_.last().at);
  return file;
}

autokey::LeapValues LeapSeconds::Known(NtpTimestamp now) const {
  const autokey::LeapValues best = InForce(now);
  return best.IsTable() ? best : Today(node_->learned_leap.Best(), now);
}

// "37 leap 201701010000 expire 202706280000", as ntpd 4.2.6 and 4.2.8 report what they learn.
void LeapSeconds::ReportOffset(const autokey::LeapValues& known) {
  if (!known.IsTable() || known == reported_) return;
  reported_ = known;
  node_->engine->ReportSystem(wire::SystemEvent::kTai, OffsetText(known));
}

// Once for each table of the file, and not before the time is known by which it is judged. ntpd
// 4.2.6 says so every hour, 4.2.8 in the log alone.
void LeapSeconds::ReportStale(NtpTimestamp now) {
  if (schedule_.empty() || schedule_.ValidAt(now) || stale_ == schedule_.expiry() ||
      !node_->synchronised())
    return;
  stale_ = schedule_.expiry();
  node_->engine->ReportSystem(wire::SystemEvent::kStaleLeapSeconds,
                              "expire " + autokey::MinuteText(schedule_.expiry()));
}

std::optional<int16_t> LeapSeconds::ToTell(const autokey::LeapValues& known, NtpTimestamp now) {
  if (!known.IsTable()) return learned_tai_ = std::nullopt;
  const auto tai = static_cast<int16_t>(known.tai);
  if (schedule_.ValidAt(now)) {
    learned_tai_.reset();
    return tai;
  }
  const Seconds seconds = core::LeapSchedule::Unfold(now);
  if (learned_tai_ != tai || seconds < learned_since_) learned_since_ = seconds;
  learned_tai_ = tai;
  return seconds - learned_since_ >= kPatience ? learned_tai_ : std::nullopt;
}

// Servers that disagree are told of once, until they agree again.
void LeapSeconds::ChooseLearned(NtpTimestamp now) {
  autokey::LearnedLeap& learned = node_->learned_leap;
  learned.Choose({now.seconds()}, [this](AssocId server) {
    const core::Association* association = node_->engine->Find(server);
    return association == nullptr ? wire::Selection::kReject : association->selection();
  });
  const bool differ = learned.other().has_value();
  if (differ && !said_differ_)
    node_->reporter.Log(LogLevel::kWarning, "crypto: servers differ about leap seconds: TAI " +
                                                OffsetText(learned.Best()) +
                                                " counts, another says TAI " +
                                                OffsetText(*learned.other()));
  said_differ_ = differ;
}

void LeapSeconds::OnSecond(NtpTimestamp now) {
  ChooseLearned(now);
  ReportStale(now);
  node_->engine->SetLeapNotice(schedule_.NoticeAt(now));
  WatchLeap(now);
  Offer(now);
  const autokey::LeapValues known = Known(now);
  ReportOffset(known);
  node_->steering.SetTai(ToTell(known, now));
  node_->steering.Announce(*node_->engine);
}

// Every announced leap second takes place at the end of a UTC month, whoever announced it.
void LeapSeconds::WatchLeap(NtpTimestamp now) {
  const Seconds seconds = core::LeapSchedule::Unfold(now);
  if (armed_ && seconds >= armed_->at) {
    OnLeap(*armed_);
    armed_.reset();
  }
  const wire::Leap leap = node_->engine->system().leap;
  if (!IsArmed(leap) || !core::IsLastDayOfMonth(now)) return armed_.reset();
  armed_ = Armed{leap, (seconds / kDay + 1) * kDay};
}

void LeapSeconds::OnLeap(const Armed& passed) {
  node_->engine->ReportSystem(wire::SystemEvent::kLeapEvent);
  // The file's values change by themselves.
  node_->learned_leap.OnLeapSecond(Fold(passed.at), passed.leap == wire::Leap::kAddSecond ? 1 : -1);
}

}  // namespace ntpward::net
