// What `watch` shows: a snapshot laid out for a screen of any size, and what keys do to it. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ntpq/keys.h"
#include "ntpq/screen.h"
#include "ntpq/snapshot.h"

namespace ntpward::ntpq {

class WatchView {
 public:
  static constexpr uint32_t kMostSeconds = 3600;

  // `host` as the user knows it; `seconds` between two looks, 1 to kMostSeconds.
  WatchView(std::string host, uint32_t seconds) : host_(std::move(host)), seconds_(seconds) {}

  void OnSnapshot(Snapshot snapshot);
  // Nothing came, and `words` say why; what was seen before stays, marked as old. `now` is Unix
  // time.
  void OnFailure(std::string words, timespec now);
  // A look is under way and has taken so long; 0: it is over.
  void OnWaiting(double seconds) { waiting_s_ = seconds; }
  // Scrolls, or changes the interval. False for a key that changes nothing here.
  bool OnKey(Key key, ScreenSize size);

  uint32_t seconds() const { return seconds_; }
  bool has_snapshot() const { return snapshot_.has_value(); }
  // The whole screen, at most size.rows lines.
  std::vector<ScreenLine> Lines(ScreenSize size, timespec now) const;
  // The same for no terminal: everything, without what only a screen needs.
  std::vector<ScreenLine> PlainLines(timespec now) const;

 private:
  size_t RowsFor(ScreenSize size) const;
  ScreenLine Title(size_t columns, timespec now) const;
  ScreenLine Footer(timespec now) const;
  ScreenLine SourceLine(const WatchedSource& source, size_t columns) const;

  std::string host_;
  uint32_t seconds_;
  std::optional<Snapshot> snapshot_;
  std::string failure_;
  timespec failing_since_{};
  double waiting_s_ = 0;
  size_t first_ = 0;  // source at the top
  size_t left_ = 0;   // columns that are scrolled out
};

// "2026-11-22 13:05:22" in the local time zone.
std::string LocalTime(timespec now);

}  // namespace ntpward::ntpq
