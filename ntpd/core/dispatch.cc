#include "ntpd/core/dispatch.h"

#include <array>

namespace ntpward::core {
namespace {

using enum Fate;

// Columns: packet modes 1 to 5. A request (mode 3) is answered whatever the sender is to us, else a
// peer of ours could not be asked for the time by its own tools; RFC 5905 discards it.
using Row = std::array<Fate, 5>;
constexpr Row kStranger = {kMobilisePassive, kDiscard, kAnswer, kManycast, kMobiliseBroadcast};
constexpr Row kActive = {kProcess, kProcess, kAnswer, kDiscard, kDiscard};
// Two passive ends would never have started.
constexpr Row kPassive = {kProcess, kDiscard, kAnswer, kDiscard, kDiscard};
// Our server may name us as its peer. It gets its answer, and no second voice in selection.
constexpr Row kClient = {kAnswer, kDiscard, kAnswer, kProcess, kDiscard};
constexpr Row kBroadcastServer = {kAnswer, kDiscard, kAnswer, kDiscard, kDiscard};
constexpr Row kBroadcastListener = {kAnswer, kDiscard, kAnswer, kDiscard, kProcess};

const Row& RowOf(std::optional<HostMode> association) {
  if (!association) return kStranger;
  switch (*association) {
    case HostMode::kSymmetricActive:
      return kActive;
    case HostMode::kSymmetricPassive:
      return kPassive;
    case HostMode::kClient:
      return kClient;
    case HostMode::kBroadcast:
      return kBroadcastServer;
    case HostMode::kBroadcastClient:
      return kBroadcastListener;
  }
  return kStranger;
}

}  // namespace

Fate Dispatch(std::optional<HostMode> association, wire::Mode packet) {
  const auto mode = static_cast<size_t>(packet);
  if (mode < 1 || mode > 5) return kDiscard;
  return RowOf(association)[mode - 1];
}

}  // namespace ntpward::core
