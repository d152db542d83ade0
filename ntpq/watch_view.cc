#include "ntpq/watch_view.h"

#include <algorithm>
#include <cstdio>

#include "ntpq/processes.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kAround =
    7;  // lines that are no sources: title, 2 of the system, blank, 2, footer
constexpr size_t kRowWidth = 78;       // of the billboard
constexpr size_t kWithoutJitter = 70;  // the same without its last column
constexpr size_t kAuthWidth = 11;
constexpr size_t kShift = 8;
constexpr double kShowWaiting = 1;  // seconds
constexpr std::string_view kAuthHeader = "auth";

Tint TintOf(const WatchedSource& source) {
  switch (source.selection) {
    case wire::Selection::kSystemPeer:
    case wire::Selection::kPpsPeer:
      return Tint::kGood;
    case wire::Selection::kCandidate:
    case wire::Selection::kBackup:
      return Tint::kPlain;
    case wire::Selection::kFalsetick:
      return Tint::kBad;
    case wire::Selection::kOutlier:
    case wire::Selection::kExcess:
      return Tint::kNotice;
    case wire::Selection::kReject:
      break;
  }
  return Tint::kFaint;
}

Tint TintOfAuthentication(const WatchedSource& source) {
  if (source.authenticated) return Tint::kGood;
  if (source.authentication_failed) return Tint::kBad;
  return source.authentication == "none" ? Tint::kFaint : Tint::kNotice;
}

std::string Shifted(const std::string& text, size_t left) {
  return text.size() <= left ? "" : text.substr(left);
}

// A billboard line and what stands in the column of authentication. On a narrow screen that takes
// the place of the last column.
ScreenLine WithAuthentication(std::string_view row, const Piece& authentication, Tint tint,
                              size_t columns, size_t left) {
  const bool narrow = columns + left < kRowWidth + 1 + kAuthWidth;
  const size_t width = narrow ? kWithoutJitter : kRowWidth;
  const std::string shown = Shifted(FitRight(row, width) + " ", left);
  // Scrolled further than the billboard is wide.
  const size_t over = left > width + 1 ? left - width - 1 : 0;
  return {{shown, tint}, {Shifted(authentication.text, over), authentication.tint}};
}

std::vector<std::string> SplitLines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    if (end == std::string::npos) break;
    at = end + 1;
  }
  return lines;
}

std::vector<ScreenLine> Header(size_t columns, size_t left) {
  const std::vector<std::string> lines = SplitLines(BillboardLine());
  std::vector<ScreenLine> header;
  for (const std::string& line : lines) {
    const bool rule = line.starts_with("=");
    const std::string over = rule ? std::string(kAuthWidth, '=') : std::string(kAuthHeader);
    header.push_back(WithAuthentication(line, {over, Tint::kStrong}, Tint::kStrong, columns, left));
    if (rule) std::replace(header.back()[0].text.begin(), header.back()[0].text.end(), ' ', '=');
  }
  return header;
}

uint64_t Since(timespec then, timespec now) {
  return now.tv_sec > then.tv_sec ? static_cast<uint64_t>(now.tv_sec - then.tv_sec) : 0;
}

}  // namespace

std::string LocalTime(timespec now) {
  tm parts{};
  if (localtime_r(&now.tv_sec, &parts) == nullptr) return "?";
  char text[64];
  return strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) > 0 ? text : "?";
}

void WatchView::OnSnapshot(Snapshot snapshot) {
  snapshot_ = std::move(snapshot);
  failure_.clear();
  waiting_s_ = 0;
}

void WatchView::OnFailure(std::string words, timespec now) {
  if (failure_.empty()) failing_since_ = snapshot_ ? snapshot_->taken : now;
  failure_ = std::move(words);
  waiting_s_ = 0;
}

size_t WatchView::RowsFor(ScreenSize size) const {
  return size.rows > kAround ? size.rows - kAround : 0;
}

bool WatchView::OnKey(Key key, ScreenSize size) {
  const size_t rows = RowsFor(size);
  const size_t all = snapshot_ ? snapshot_->sources.size() : 0;
  const size_t last = all > rows ? all - rows : 0;
  const size_t page = std::max<size_t>(rows, 1);
  switch (key) {
    case Key::kUp:
      first_ -= std::min<size_t>(first_, 1);
      break;
    case Key::kDown:
      ++first_;
      break;
    case Key::kPageUp:
      first_ -= std::min(first_, page);
      break;
    case Key::kPageDown:
      first_ += page;
      break;
    case Key::kHome:
      first_ = left_ = 0;
      break;
    case Key::kEnd:
      first_ = last;
      break;
    case Key::kLeft:
      left_ -= std::min(left_, kShift);
      break;
    case Key::kRight:
      if (size.columns + left_ < kRowWidth + 1 + kAuthWidth) left_ += kShift;
      break;
    case Key::kSlower:
      seconds_ = std::min(seconds_ + 1, kMostSeconds);
      break;
    case Key::kFaster:
      seconds_ = std::max<uint32_t>(seconds_ - 1, 1);
      break;
    default:
      return false;
  }
  first_ = std::min(first_, last);
  return true;
}

ScreenLine WatchView::Title(size_t columns, timespec now) const {
  const std::string right = "every " + std::to_string(seconds_) + " s  " + LocalTime(now) + " ";
  const size_t room = columns > right.size() ? columns - right.size() : 0;
  return {{FitRight(" ntpq watch " + host_, room) + right, Tint::kTitle}};
}

ScreenLine WatchView::Footer(timespec now) const {
  if (!failure_.empty()) {
    std::string text = failure_ + " for " + Duration(Since(failing_since_, now));
    if (snapshot_) text += ": this is what it was at " + LocalTime(snapshot_->taken);
    return {{text, Tint::kBad}};
  }
  if (waiting_s_ >= kShowWaiting)
    return {{"no answer yet after " + Duration(static_cast<uint64_t>(waiting_s_)), Tint::kNotice}};
  return {{"q quit   arrows scroll   + - interval   space ask now", Tint::kFaint}};
}

ScreenLine WatchView::SourceLine(const WatchedSource& source, size_t columns) const {
  const Tint tint = failure_.empty() ? TintOf(source) : Tint::kFaint;
  const Tint auth = failure_.empty() ? TintOfAuthentication(source) : Tint::kFaint;
  return WithAuthentication(source.row, {source.authentication, auth}, tint, columns, left_);
}

std::vector<ScreenLine> WatchView::Lines(ScreenSize size, timespec now) const {
  std::vector<ScreenLine> lines = {Title(size.columns, now)};
  if (snapshot_) {
    const Tint state = !failure_.empty()         ? Tint::kFaint
                       : snapshot_->synchronised ? Tint::kGood
                                                 : Tint::kBad;
    lines.push_back({{snapshot_->status, state}});
    lines.push_back({{snapshot_->figures, failure_.empty() ? Tint::kPlain : Tint::kFaint}});
    lines.push_back({});
    for (ScreenLine& line : Header(size.columns, left_)) lines.push_back(std::move(line));
    const size_t rows = RowsFor(size);
    const size_t all = snapshot_->sources.size();
    const size_t first = std::min(first_, all > rows ? all - rows : 0);
    for (size_t i = first; i < all && i < first + rows; ++i)
      lines.push_back(SourceLine(snapshot_->sources[i], size.columns));
  }
  // The last line has its place.
  lines.resize(size.rows == 0 ? 0 : std::max<size_t>(size.rows, 2) - 1);
  lines.push_back(Footer(now));
  return lines;
}

std::vector<ScreenLine> WatchView::PlainLines(timespec now) const {
  constexpr size_t kWide = kRowWidth + 1 + kAuthWidth;
  std::vector<ScreenLine> lines = {{{LocalTime(now) + "  " + host_}}};
  if (!snapshot_) return lines;
  lines.push_back({{snapshot_->status}});
  lines.push_back({{snapshot_->figures}});
  for (ScreenLine& line : Header(kWide, 0)) lines.push_back(std::move(line));
  for (const WatchedSource& source : snapshot_->sources) lines.push_back(SourceLine(source, kWide));
  return lines;
}

}  // namespace ntpward::ntpq
