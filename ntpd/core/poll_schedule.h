// When to ask one source: poll interval, reachability, bursts, and politeness.
//
// Only what was proved genuine changes the schedule (OnAnswer, OnRate, Stop): a forged packet
// cannot delay the next poll (CVE-2020-11868). All intervals carry a few percent of jitter of their
// own, so that sources do not fall into step and an attacker cannot foresee a poll.
#pragma once

#include <cstdint>

#include "ntpd/core/parameters.h"
#include "ntpd/core/random.h"
#include "privsep/base/types.h"

namespace ntpward::core {

struct PollConfig {
  int minpoll = 6;  // log2 s
  int maxpoll = 10;
  bool iburst = false;  // a volley of eight, 2 s apart, at the start and when a lost source is back
  bool burst = false;   // such a volley at every poll while reachable
  // Seconds of headway that a predecessor of ours may owe the server at the start.
  double owed = 0;
};

class PollSchedule {
 public:
  static constexpr int kBurstPackets = 8;     // RFC 5905 BCOUNT
  static constexpr int kMaxVolley = 24;       // packets of one volley, extensions included
  static constexpr double kBurstSpacing = 2;  // RFC 5905 BTIME, s
  static constexpr double kHeadway = 8;       // s that a request owes a server (`discard average`)
  static constexpr int kRateCeiling = 10;     // a kiss of death slows down to 2^10 s at most
  // Answered polls in a row before one step of that is taken back; doubles with each kiss that
  // follows, up to kMostPenance.
  static constexpr int kPenance = 8;
  static constexpr int kMostPenance = 128;
  static constexpr double kFirstPause = 4;  // s before the second restart; doubles with each
  static constexpr double kLongestPause = 64;
  // Samples in a row after which a restart is the first one again.
  static constexpr int kSamplesToForget = 8;

  // The first poll is due at `start`.
  PollSchedule(const PollConfig& config, uint64_t seed, MonoTime start);

  // Forgets everything and polls at `now`, with a volley if configured; used after an address
  // change or a new start of the authentication dance. What RATE taught is kept. One restart after
  // the other with few samples in between waits longer each time, up to kLongestPause: whoever can
  // make us start over (crypto-NAKs with the right origin) must not set our pace, and a server that
  // is honest again is back within two minutes all the same.
  void Restart(MonoTime now);
  // Never polls again until Restart: DENY and RSTR (RFC 5905 section 7.4).
  void Stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

  // What a poll did to reachability.
  struct PollEffect {
    bool regular = false;      // not inside a volley: the reach register was shifted
    bool lost = false;         // three polls in a row unanswered: the filter loses a stage
    bool unreachable = false;  // the last bit of the reach register just fell out
  };
  // A request goes out now; plans the next one.
  PollEffect OnPoll(MonoTime now);

  // A genuine reply came. True when the source was unreachable before.
  bool OnAnswer(MonoTime now);
  // A sample was taken.
  void OnSample();
  // The first sample after none: a source that has just become able to serve is worth a volley.
  void OnFirstSample(MonoTime now);
  // RATE: ends the volley and polls less often from now on (RFC 5905 section 7.4); `suggested` is
  // the packet's poll field, any value (S3767). Unlike in ntpd 4.2.8 not for ever: polls that are
  // answered bring the interval down again step by step, later with each kiss.
  void OnRate(int8_t suggested, MonoTime now);

  // Keeps the 2 s spacing for some packets more, as long as the volley has had fewer than
  // kMaxVolley packets; false when there is no volley to extend.
  bool ExtendBurst(MonoTime now);

  enum class Haste : uint8_t {
    kPolite,   // within what the other end's `discard` lets pass
    kCrowded,  // kBurstSpacing, for ever: who poses as us there has used that up
  };
  // Polls as soon as that allows: there is something to say that the other end waits for. One that
  // told us to slow down is not hurried. Polls that were hurried do not make a silent one be asked
  // less.
  void Hasten(MonoTime now, Haste haste = Haste::kPolite);

  // The poll exponent that the discipline wants; takes effect from the next plan on.
  void SetSystemPoll(int poll);

  // A peer that polls more often than we would sets the pace (RFC 5905 appendix A.5.7.2): both ends
  // then hear an answer to each packet. `poll`: of its packet, any value; our own limits hold.
  void SetPeerPoll(int8_t poll);

  MonoTime next() const { return next_; }
  bool due(MonoTime now) const { return !stopped_ && next_ <= now; }
  uint8_t reach() const { return reach_; }
  int unreach() const { return unreach_; }
  int poll() const { return poll_; }
  int minpoll() const { return floor_; }
  int maxpoll() const { return ceiling_ < floor_ ? floor_ : ceiling_; }
  bool in_volley() const { return volley_packets_ > 0; }
  // Packets of a volley are still to be sent.
  bool in_burst() const { return burst_left_ > 0; }
  // Seconds of headway owed; variable `headway`.
  double headway(MonoTime now) const;

 private:
  void Forgive();
  void Plan(MonoTime now);
  void StartVolley(int packets);
  double BurstSpacing() const;

  PollConfig config_;
  ScheduleRandom random_;
  MonoTime next_;
  MonoTime last_sent_;
  int poll_;
  int floor_;               // minpoll, raised by RATE
  int ceiling_;             // maxpoll, lowered by a peer's
  int penance_ = 0;         // answered polls that one step down costs; 0: no kiss yet
  int served_ = 0;          // of these, since the last kiss or step
  uint8_t reach_ = 0;       // newest bit lowest
  int unreach_ = 0;         // regular polls since the last answer
  int burst_left_ = 0;      // packets still to send 2 s apart
  int volley_packets_ = 0;  // sent in the present volley; 0: none
  MonoTime resume_;         // no poll before it, after a Restart
  double pause_ = 0;        // s that the next Restart waits
  int samples_ = 0;         // since the last Restart, up to kSamplesToForget
  bool fresh_ = true;       // no poll since start or Restart
  bool stopped_ = false;
  double debt_ = 0;        // headway owed at last_sent_
  bool hastened_ = false;  // next_ is earlier than planned
};

}  // namespace ntpward::core
