#include "ntpd/autokey/learned_leap.h"

namespace ntpward::autokey {
namespace {

bool LastsLonger(const LeapValues& a, const LeapValues& b) {
  if (!b.IsTable() || !a.IsTable()) return a.IsTable();
  return a.expiry == b.expiry ? Earlier(b.epoch, a.epoch) : Earlier(b.expiry, a.expiry);
}

}  // namespace

LeapValues LearnedLeap::Best() const {
  LeapValues best;
  for (const auto& [server, table] : tables_)
    if (LastsLonger(table, best)) best = table;
  return best;
}

void LearnedLeap::OnLeapSecond(NtpSeconds at, int change) {
  for (auto& [server, table] : tables_) {
    if (!table.IsTable() || !Earlier(table.epoch, at)) continue;
    table.tai += static_cast<uint32_t>(change);
    table.epoch = at;
  }
}

}  // namespace ntpward::autokey
