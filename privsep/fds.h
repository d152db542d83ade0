// Which descriptor is what in each role: fixed numbers, so that nothing has to be told or guessed.
//
// 0 and 1 are /dev/null; 2 is a pipe to the supervisor, which logs what comes: a Fatal() line. No
// role holds the terminal. Everything not named here is closed before the role's program starts.
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

// Every role: the mount namespace that it enters (namespaces.h), where there is one.
inline constexpr int kEmptyRoot = 11;

// ntpd-keys: from its predecessor, to its successor (msg/heritage.h).
inline constexpr int kHeritageIn = 12;
inline constexpr int kHeritageOut = 13;

// ntpd-keys: key files are inherited from here on, told by KeysFile; then the seed's state file,
// told by KeysStart.
inline constexpr int kFirstKeyFile = 20;
inline constexpr int kMaxKeyFiles = 64;
inline constexpr int kSeedFile = kFirstKeyFile + kMaxKeyFiles;

}  // namespace ntpward
