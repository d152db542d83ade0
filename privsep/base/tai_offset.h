// What TAI - UTC can be: for who hears it from a server, and for who sets it.
#pragma once

namespace ntpward {

// Least and greatest TAI - UTC in seconds that can be true in this program's life: it has been 37
// since 2017, a leap second changes it by one, and there will be none from 2035 on.
inline constexpr int kLeastTaiOffset = 30;
inline constexpr int kMostTaiOffset = 60;

}  // namespace ntpward
