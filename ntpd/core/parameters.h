// The constants of RFC 5905 and the figures that `tos` and `tinker` change.
//
// Times in seconds, frequencies in seconds per second, unless a name says otherwise.
#pragma once

#include <cmath>
#include <cstdint>

namespace ntpward::core {

inline constexpr double kMaxDispersion = 16;     // RFC 5905 MAXDISP: "unknown"
inline constexpr double kMinDispersion = 0.005;  // RFC 5905 MINDISP
inline constexpr uint8_t kMaxStratum = 16;       // RFC 5905 MAXSTRAT: not synchronised
inline constexpr double kMaxFrequency = 500e-6;  // RFC 5905 MAXFREQ; the kernel's bound too
inline constexpr double kMaxSlewRate = 500e-6;   // what the kernel's adjtime does
inline constexpr int kMinPollLimit = 3;          // what ntpd 4.2.8 allows
inline constexpr int kMaxPollLimit = 17;
inline constexpr int kFilterStages = 8;  // RFC 5905 NSTAGE

// 2^exponent seconds; RFC 5905 LOG2D. Any int8_t is safe.
inline double Log2Seconds(int exponent) { return std::ldexp(1.0, exponent); }

// `tos` and `tinker`; defaults as ntpd 4.2.8 has them.
struct Parameters {
  // tos
  int minclock = 3;              // clustering stops at this many survivors
  int maxclock = 10;             // survivors beyond it are backups
  int minsane = 1;               // fewer truechimers than this: no synchronisation
  int floor = 0;                 // sources below this stratum are not believed
  int ceiling = 15;              // nor at or above this one
  double mindist = 0.001;        // least root distance, and the anti-hop threshold
  double maxdist = 1.5;          // greatest root distance of a usable source
  int orphan = kMaxStratum + 1;  // stratum served without sources; above 15: never
  double orphanwait = 300;       // how long to be without sources before that
  // tinker
  double phi = 15e-6;           // frequency tolerance: how fast an error grows unseen
  double panic = 1000;          // corrections above it end the daemon; 0: never
  double step_forward = 0.128;  // corrections above it step the clock; 0: never
  double step_backward = 0.128;
  double stepout = 300;  // how long an offset must persist before a step or a frequency estimate
};

}  // namespace ntpward::core
