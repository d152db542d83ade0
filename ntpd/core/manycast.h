// Manycast: who answers a solicitation, and how a client searches a group in growing circles.
//
// Sources: RFC 5905 section 3.1; ntpd 4.2.8 for `tos minclock maxclock cohort beacon` and `ttl`.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ntpd/core/system_state.h"
#include "ntpd/wire/packet.h"
#include "privsep/base/types.h"

namespace ntpward::core {

// May we answer a client-mode request that was sent to one of our groups? Only when we would be of
// use: synchronised, of a lower stratum than the asker, and not already its source. `cohort`: also
// when the asker is next below us. `own_refid`: what an asker that follows us names.
bool AnswersManycast(const wire::Header& request, const SystemState& system, bool cohort,
                     uint32_t own_refid);

struct ManycastConfig {
  int poll = 6;               // log2 s between solicitations
  std::vector<uint8_t> ttls;  // hop limits, tried in turn; not empty
  size_t minclock = 3;        // survivors that end the search
  size_t maxclock = 10;       // servers that end it
  double beacon = 7200;       // s after which it starts over although it has found enough

  friend bool operator==(const ManycastConfig&, const ManycastConfig&) = default;
};

class ManycastSearch {
 public:
  static constexpr double kAnswerTime = 16;  // s that a solicitation is good for

  ManycastSearch(ManycastConfig config, MonoTime now);

  MonoTime next() const { return next_; }
  bool due(MonoTime now) const { return next_ <= now; }
  // The poll that is due: the hop limit to send with, or none when enough was found. `servers` of
  // the search that there are now, `survivors` of selection.
  std::optional<uint8_t> OnPoll(size_t servers, size_t survivors, MonoTime now);
  // The solicitation left with this random transmit time.
  void OnSent(NtpTimestamp nonce, MonoTime now);
  // Does the reply answer the solicitation in flight? Many servers may answer one (RFC 5905).
  bool Matches(const wire::Header& reply, MonoTime now) const;
  const ManycastConfig& config() const { return config_; }

 private:
  ManycastConfig config_;
  MonoTime next_;
  MonoTime started_;  // the present search
  size_t circle_ = 0;
  std::optional<NtpTimestamp> nonce_;
  MonoTime sent_;
};

}  // namespace ntpward::core
