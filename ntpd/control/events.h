// Counts events for the status words and words the line of protostats for each.
//
// RFC 1305 appendix B.2.2; suppression and text as ntpd 4.2.8 does, since scripts read both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ntpd/wire/status_word.h"
#include "privsep/base/address.h"

namespace ntpward::control {

// The events of the system or of one association since somebody authenticated last read them.
class EventCounter {
 public:
  // Takes note of an event. A code other than the last starts the count again. False when the count
  // is full: the event is to be left out of the log, so that a flapping server cannot flood it.
  [[nodiscard]] bool Note(uint8_t code);
  // Forgets the count, not the last code.
  void Clear() { count_ = 0; }

  uint8_t count() const { return count_; }  // 0..15
  uint8_t last() const { return last_; }    // 0..15

 private:
  uint8_t count_ = 0;
  uint8_t last_ = 0;
};

// Notes `event` and returns "0.0.0.0 STATUS CODE name[ detail]", or none when it is suppressed.
// `now` supplies leap and source. Whatever is not printable in `detail` becomes '?'.
std::optional<std::string> ReportSystemEvent(EventCounter& events, wire::SystemEvent event,
                                             wire::SystemStatus now, std::string_view detail = {});

// The same for the association with the server at `remote`; `now` supplies the status bits and the
// selection. The code is logged with 0x80 added.
std::optional<std::string> ReportPeerEvent(EventCounter& events, const IpAddress& remote,
                                           wire::PeerEvent event, wire::PeerStatus now,
                                           std::string_view detail = {});

// `now` with the counter's figures in place of its own.
wire::SystemStatus WithEvents(wire::SystemStatus now, const EventCounter& events);
wire::PeerStatus WithEvents(wire::PeerStatus now, const EventCounter& events);

}  // namespace ntpward::control
