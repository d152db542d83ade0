// The exchange of symmetric modes: each packet answers the other's last one and asks for the next.
//
// RFC 5905 sections 8 and 9.2: org, rec and xmt. Transmit times are the real ones, since the other
// end measures by them. What RFC 5905 leaves open is closed here: nothing changes before the packet
// is authenticated (CVE-2015-1799, CVE-2015-1853), an authenticated packet that is played again
// never moves the state back, and interleaving does not exist (CVE-2016-1548, CVE-2016-4956).
#pragma once

#include <array>
#include <optional>

#include "ntpd/core/random.h"
#include "ntpd/core/sample.h"
#include "ntpd/wire/packet.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::core {

class SymmetricExchange {
 public:
  // `seed`: for the choice among those who prove nothing (Hear).
  explicit SymmetricExchange(uint64_t seed = 0) : random_(seed) {}

  // Puts origin and receive time of our next packet into `header`, by what was taken over; both
  // zero when nothing of the other end counts.
  void Fill(wire::Header* header) const;
  // Our packet left with this transmit time.
  void OnSent(NtpTimestamp transmit);
  // Our clock was stepped or the association starts over: all times are void.
  void Void() { *this = SymmetricExchange(random_.Next()); }

  // Before any cryptography; changes nothing. A packet whose origin is not our last transmit time
  // has to pass when the association is `keyed` (S2952: two peers whose packets got lost would else
  // be deaf for ever). Without a key, only an origin of ours passes while we are in touch; else
  // one of the two has started anew or was stepped, and any origin passes, for Hear.
  Result<void, Reject> Screen(const wire::Header& packet, bool keyed, bool reachable) const;

  // Two peers that hear each other: we can reach it, and it has answered something since our times
  // are what they are. Packets without a key then disturb nothing.
  bool in_touch(bool reachable) const { return reachable && in_touch_; }

  // Is it an answer to our last packet? A crypto-NAK counts only then.
  bool Answers(const wire::Header& packet) const;
  // Is its origin the transmit time of one of our last packets? Then its sender has seen that.
  bool IsOurs(NtpTimestamp origin) const;

  // A packet that proves nothing arrived at `t4`: one with extension fields, whose MAC anyone can
  // make, or one of a peer without key that we are not in touch with. It moves nothing but what
  // FillHeard gives. One whose origin is ours keeps that for our next kRemembered packets: its
  // sender hears us, which a forger off the path does not, and who floods both ends then costs them
  // not a step of Autokey's dance. Without one, the choice among those heard since our last packet
  // is random: a flood puts the first answer off, for as long as it is luckier than the peer.
  void Hear(const wire::Header& packet, NtpTimestamp t4);
  // As Fill, by what was heard or taken over: for a packet with extension fields, and for one to a
  // peer without key that we are not in touch with.
  void FillHeard(wire::Header* header) const;
  // More of those that prove nothing came since our last packet than one peer sends, and nobody
  // hears us: only by more packets of ours the peer is found among them.
  bool crowded() const { return held_ == 0 && strangers_ > kRemembered; }

  // Takes over an authenticated packet (or one with an origin of ours) that passed Screen, which
  // arrived at `t4` by our clock. Gives t1 when it answers our last packet, and is then good for a
  // sample; kOutOfStep when it is good for our next packet's origin alone. `reachable`: a replayed
  // packet cannot take the place of a newer one as long as it is true.
  Result<NtpTimestamp, Reject> Accept(const wire::Header& packet, NtpTimestamp t4, bool reachable);

 private:
  void Hold(NtpTimestamp transmit, NtpTimestamp t4);

  static constexpr size_t kRemembered = 8;        // of our packets; the reach register is as long
  std::array<NtpTimestamp, kRemembered> sent_{};  // newest first; zero: none
  NtpTimestamp peer_transmit_;                    // of the last packet taken over; our next origin
  NtpTimestamp arrival_;                          // when that came, by our clock
  bool answered_ = false;                         // the last packet taken over answered sent_[0]
  bool in_touch_ = false;                         // one of those taken over had an origin of ours
  NtpTimestamp heard_transmit_;                   // of a packet, proved or not
  NtpTimestamp heard_arrival_;
  size_t held_ = 0;         // packets of ours for which only one that hears us replaces that
  uint64_t strangers_ = 0;  // heard since our last packet while nothing was held
  ScheduleRandom random_;
};

}  // namespace ntpward::core
