#include "ntpd/autokey/learned_leap.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace ntpward::autokey {
namespace {

using wire::Selection;

// A server's word, and how selection marked it.
struct Vote {
  LeapValues table;
  Selection mark;
};
using Votes = std::vector<Vote>;

// Those who say the same of something, and what speaks for them.
struct Party {
  Votes votes;
  bool current = false;  // its leap second is not still to come
  bool valid = false;
  bool system_peers = false;

  // The one that expires last.
  const LeapValues& table() const {
    return std::max_element(votes.begin(), votes.end(),
                            [](const Vote& a, const Vote& b) {
                              return Unfold(a.table.expiry) < Unfold(b.table.expiry);
                            })
        ->table;
  }
  auto Weight() const {
    return std::tuple(current, votes.size(), valid, system_peers, Unfold(table().expiry),
                      Unfold(table().epoch));
  }
};

bool SaysTheSame(const LeapValues& a, const LeapValues& b) {
  return a.tai == b.tai && a.epoch == b.epoch;
}

bool IsTruechimer(Selection mark) {
  return mark != Selection::kReject && mark != Selection::kFalsetick;
}

void Join(const Vote& vote, NtpSeconds now, Party* party) {
  party->votes.push_back(vote);
  party->valid |= !Earlier(vote.table.expiry, now);
  party->system_peers |= vote.mark == Selection::kSystemPeer || vote.mark == Selection::kPpsPeer;
}

// Those who agree, together.
template <typename Agree>
std::vector<Party> Divide(const Votes& votes, NtpSeconds now, const Agree& agree) {
  std::vector<Party> parties;
  for (const Vote& vote : votes) {
    auto party = std::find_if(parties.begin(), parties.end(), [&](const Party& one) {
      return agree(one.votes[0].table, vote.table);
    });
    if (party == parties.end()) party = parties.insert(parties.end(), Party{});
    Join(vote, now, &*party);
  }
  return parties;
}

void Sort(std::vector<Party>* parties) {
  std::sort(parties->begin(), parties->end(),
            [](const Party& a, const Party& b) { return a.Weight() > b.Weight(); });
}

std::vector<Party> ByOffset(const Votes& votes, NtpSeconds now) {
  auto parties = Divide(votes, now, [&](const LeapValues& a, const LeapValues& b) {
    return a.OffsetAt(now) == b.OffsetAt(now);
  });
  Sort(&parties);
  return parties;
}

std::vector<Party> ByTable(const Votes& votes, NtpSeconds now) {
  auto parties = Divide(votes, now, SaysTheSame);
  for (Party& party : parties) party.current = !party.votes[0].table.IsAhead(now);
  Sort(&parties);
  return parties;
}

}  // namespace

void LearnedLeap::Choose(NtpSeconds now, const MarkOf& mark_of) {
  Votes truechimers, absent;
  for (const auto& [server, table] : tables_) {
    const Selection mark = mark_of(server);
    if (!table.IsTable() || mark == Selection::kFalsetick) continue;
    if (IsTruechimer(mark)) truechimers.push_back({table, mark});
    if (SaysTheSame(table, best_)) absent.push_back({table, mark});
  }
  best_ = {};
  other_.reset();
  const auto offsets = ByOffset(truechimers.empty() ? absent : truechimers, now);
  if (offsets.empty()) return;
  const auto tables = ByTable(offsets[0].votes, now);
  best_ = tables[0].table();
  if (offsets.size() > 1)
    other_ = offsets[1].table();
  else if (tables.size() > 1 && tables[1].current)
    other_ = tables[1].table();
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
