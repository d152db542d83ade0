// When a datagram really left: the kernel's stamp of it, taken as it is handed to the interface.
#pragma once

#include <time.h>

#include <optional>

namespace ntpward::net {

// The kernel shall stamp what leaves through this socket. False where it cannot (then the time of
// the call to send it must do). The stamps come by the socket's error queue, which wakes whoever
// waits for the socket to be readable until it was emptied by TakeTransmitStamp().
bool AskForTransmitStamps(int fd);

// Empties the error queue; the last stamp in it (CLOCK_REALTIME), none when there was none.
std::optional<timespec> TakeTransmitStamp(int fd);

}  // namespace ntpward::net
