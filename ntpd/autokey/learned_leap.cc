#include "ntpd/autokey/learned_leap.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace ntpward::autokey {
namespace {

using wire::Selection;

// What several servers tell, and what speaks for it.
struct Told {
  LeapValues table;  // the one of them that expires last
  int servers = 0;
  bool valid = false;
  bool system_peers = false;

  auto Weight() const {
    return std::tuple(servers, valid, system_peers, Unfold(table.expiry), Unfold(table.epoch));
  }
};

bool SaysTheSame(const LeapValues& a, const LeapValues& b) {
  return a.tai == b.tai && a.epoch == b.epoch;
}

bool IsTruechimer(Selection mark) {
  return mark != Selection::kReject && mark != Selection::kFalsetick;
}

void Count(const LeapValues& table, Selection mark, NtpSeconds now, std::vector<Told>* all) {
  auto told = std::find_if(all->begin(), all->end(),
                           [&](const Told& one) { return SaysTheSame(one.table, table); });
  if (told == all->end()) told = all->insert(all->end(), Told{table});
  if (Earlier(told->table.expiry, table.expiry)) told->table = table;
  ++told->servers;
  told->valid |= !Earlier(table.expiry, now);
  told->system_peers |= mark == Selection::kSystemPeer || mark == Selection::kPpsPeer;
}

}  // namespace

void LearnedLeap::Choose(NtpSeconds now, const MarkOf& mark_of) {
  std::vector<Told> truechimers, absent;
  for (const auto& [server, table] : tables_) {
    const Selection mark = mark_of(server);
    if (!table.IsTable() || mark == Selection::kFalsetick) continue;
    if (IsTruechimer(mark)) Count(table, mark, now, &truechimers);
    if (SaysTheSame(table, best_)) Count(table, mark, now, &absent);
  }
  std::vector<Told>& from = truechimers.empty() ? absent : truechimers;
  std::sort(from.begin(), from.end(),
            [](const Told& a, const Told& b) { return a.Weight() > b.Weight(); });
  best_ = from.empty() ? LeapValues{} : from[0].table;
  other_ = from.size() > 1 ? std::optional(from[1].table) : std::nullopt;
}

void LearnedLeap::OnLeapSecond(NtpSeconds at, int change) {
  const auto follow = [&](LeapValues& table) {
    if (!table.IsTable() || !Earlier(table.epoch, at)) return;
    table.tai += static_cast<uint32_t>(change);
    table.epoch = at;
  };
  for (auto& [server, table] : tables_) follow(table);
  follow(best_);
}

}  // namespace ntpward::autokey
