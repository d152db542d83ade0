// Which descriptor is what in each role: fixed numbers, so that nothing has to be told or guessed.
//
// 0 and 1 are /dev/null; 2 is where a Fatal() line goes. Everything not named here is closed before
// the role's program starts.
#pragma once

namespace ntpward {

inline constexpr int kSupervisorIn = 3;   // supervisor -> role (net: one socketpair, both ways)
inline constexpr int kSupervisorOut = 4;  // role -> supervisor (not in net)

// ntpd-clock, ntpd-keys, ntpd-resolve
inline constexpr int kNetIn = 5;   // net -> role
inline constexpr int kNetOut = 6;  // role -> net

// ntpd-net
inline constexpr int kClockIn = 5;  // clock -> net
inline constexpr int kClockOut = 6;
inline constexpr int kKeysIn = 7;
inline constexpr int kKeysOut = 8;
inline constexpr int kResolveIn = 9;
inline constexpr int kResolveOut = 10;

// ntpd-keys: key files and the seed's state file are inherited from here on, told by KeysFile.
inline constexpr int kFirstKeyFile = 20;
inline constexpr int kMaxKeyFiles = 64;

}  // namespace ntpward
