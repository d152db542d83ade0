// Associations that a packet made and that have yet to prove themselves: their places, and their
// end.
#include <algorithm>
#include <cmath>
#include <utility>

#include "ntpd/autokey/identity_policy.h"
#include "ntpd/net/upstreams.h"

namespace ntpward::net {
namespace {

// As long as a dance takes.
constexpr double kProofSeconds = 180;
// A peer that hears us may have to get its time from us first.
constexpr double kPeerProofSeconds = 1800;
// Of one that follows us, until it is tried like any other.
constexpr double kSilentPolls = 3;

// Between two lines about peers that found no place.
constexpr double kTurnedAwaySeconds = 600;

int ProgressOf(const Upstream& upstream) {
  if (upstream.peer != nullptr) return upstream.peer->dance().progress();
  return upstream.dance != nullptr ? upstream.dance->progress() : 0;
}

std::string_view IdentityOf(const Upstream& upstream) {
  if (upstream.peer != nullptr) return upstream.peer->dance().identity();
  return upstream.dance != nullptr ? upstream.dance->identity() : std::string_view();
}

}  // namespace

// None: it stands on a line, or has proved itself. A cookie is no part of that: it goes with our
// ntpd-keys, and is asked for at the next poll, which may be far.
std::optional<Upstreams::UnprovenKind> Upstreams::UnprovenKindOf(const Upstream& upstream) {
  if (upstream.peer != nullptr && upstream.line == kNoLine && !upstream.peer->identified())
    return UnprovenKind::kPassivePeer;
  const bool followed = upstream.announced != nullptr && upstream.announced->followed();
  if (upstream.announced != nullptr && !(followed && upstream.dance->identified()))
    return UnprovenKind::kBroadcastServer;
  const bool manycast = upstream.config.kind == msg::NetAssociationKind::kManycastClient;
  if (manycast && upstream.dance != nullptr && !upstream.dance->identified())
    return UnprovenKind::kManycastServer;
  return std::nullopt;
}

// It proves nothing to us, and goes by our time as far as it tells: a client of ours in symmetric
// modes. It sets the pace, but has no place for the hours of silence that its slowest would take.
bool Upstreams::FollowsUs(const Upstream& upstream, MonoTime now) const {
  if (UnprovenKindOf(upstream) != UnprovenKind::kPassivePeer ||
      !upstream.peer->follower_since().has_value())
    return false;
  const core::Association* association = node_->engine->Find(upstream.id);
  if (association == nullptr || !association->heard() || !association->last_received())
    return false;
  const double polls = kSilentPolls * std::exp2(association->schedule().poll());
  return now - *association->last_received() < std::max(core::kSilenceSeconds, polls);
}

void Upstreams::NoteTrials(MonoTime now) {
  for (const auto& [id, upstream] : upstreams_) {
    upstream->trial.Note(ProgressOf(*upstream), !UnprovenKindOf(*upstream), now);
    upstream->settled = FollowsUs(*upstream, now);
    if (upstream->settled || !UnprovenKindOf(*upstream)) upstream->keeps_others_out = false;
  }
  for (const AssocId id : TooManyLetIn(now)) upstreams_.at(id)->settled = false;
}

std::vector<core::Unproven> Upstreams::Tried(UnprovenKind kind) const {
  std::vector<core::Unproven> tried;
  for (const auto& [id, upstream] : upstreams_) {
    if (UnprovenKindOf(*upstream) != kind || upstream->settled) continue;
    const core::Association* association = node_->engine->Find(id);
    const bool heard = association != nullptr && association->heard();
    tried.push_back({id, upstream->remote.ip, upstream->trial,
                     heard ? association->last_received() : std::nullopt, upstream->refused});
  }
  return tried;
}

// Who was let in without a proof of identity may stay, and so may who follows us and has none for
// us, but neither takes the places of those that can prove theirs.
std::vector<AssocId> Upstreams::TooManyLetIn(MonoTime now) const {
  std::vector<core::LetIn> let_in;
  for (const auto& [id, upstream] : upstreams_) {
    if (upstream->line != kNoLine) continue;
    const bool by_trail = !UnprovenKindOf(*upstream) &&
                          IdentityOf(*upstream) == autokey::SchemeLabel(msg::IdentityScheme::kNone);
    if (!by_trail && !FollowsUs(*upstream, now)) continue;
    // A peer that followed us before it showed its trail keeps its rank.
    const auto followed =
        upstream->peer != nullptr ? upstream->peer->follower_since() : std::nullopt;
    const MonoTime proved = upstream->trial.proved_since();
    const bool first = followed && (!by_trail || *followed < proved);
    let_in.push_back({id, upstream->remote.ip, first ? *followed : proved, by_trail});
  }
  return core::TooManyLetIn(std::move(let_in));
}

bool Upstreams::MakePlace(std::span<const core::Unproven> tried, const IpAddress& newcomer,
                          const core::UnprovenLimits& limits) {
  const MonoTime now = Timebase::Mono();
  const core::UnprovenPlace place = core::PlaceForUnproven(tried, newcomer, limits, now);
  if (const Upstream* goes = Find(place.goes); goes != nullptr) {
    if (goes->refused) kept_out_[goes->line].Add(goes->remote.ip, now);
    LetOthersIn(*goes, now);
    Remove(place.goes);
  }
  return place.free;
}

// Who waited comes before who had its time. One that fell silent has perhaps been started anew.
void Upstreams::LetOthersIn(const Upstream& upstream, MonoTime now) {
  const core::Association* association = node_->engine->Find(upstream.id);
  const bool silent = association == nullptr || !association->last_received() ||
                      now - *association->last_received() >= core::kSilenceSeconds;
  if (upstream.keeps_others_out && !silent) kept_out_peers_.Add(upstream.remote.ip, now);
}

// Those in its way are the ones of its network, or all.
void Upstreams::TurnAway(std::span<const core::Unproven> tried, const IpAddress& newcomer,
                         MonoTime now) {
  const auto neighbour = [&](const core::Unproven& one) {
    return core::InOneNetwork(one.address, newcomer);
  };
  const auto first = std::find_if(tried.begin(), tried.end(), neighbour);
  for (const core::Unproven& one : tried)
    if (first == tried.end() || neighbour(one)) upstreams_.at(one.id)->keeps_others_out = true;
  if (said_turned_away_ && now - *said_turned_away_ < kTurnedAwaySeconds) return;
  said_turned_away_ = now;
  node_->reporter.Log(
      LogLevel::kInfo,
      newcomer.ToString() + ": no association yet: " +
          (first == tried.end()
               ? std::to_string(tried.size()) + " other peers have yet to prove themselves"
               : first->address.ToString() +
                     ", another peer of its network, has yet to prove itself"),
      Cause::kStranger);
}

// What it answered us, and nobody off the path can, is that it is of another group or none, or was
// wrong too often. While nobody else asks for its place it may go on trying.
void Upstreams::NoteRefusal(Upstream* upstream, const autokey::DanceResult& result) {
  using autokey::Restart;
  const auto kind = UnprovenKindOf(*upstream);
  if (!kind) upstream->refused = false;
  if (!kind || *kind == UnprovenKind::kPassivePeer) return;
  // Before the identity is proved that one means another generation of the group's key.
  const bool refused = result.outcome == autokey::Outcome::kIdentityType ||
                       result.outcome == autokey::Outcome::kFilestamp ||
                       result.restart == Restart::kIdentity || result.restart == Restart::kFailures;
  upstream->refused = (upstream->refused || refused) && !upstream->dance->identified();
}

// Our keys or what we demand may be others now.
void Upstreams::ForgetRefusals() {
  kept_out_.clear();
  kept_out_peers_ = {};
  for (const auto& [id, upstream] : upstreams_) upstream->refused = false;
}

bool Upstreams::IsKeptOut(size_t line, const IpAddress& address, MonoTime now) const {
  const auto found = kept_out_.find(line);
  return found != kept_out_.end() && found->second.Holds(address, now);
}

size_t Upstreams::CountOfRefused(size_t line) const {
  return static_cast<size_t>(std::count_if(upstreams_.begin(), upstreams_.end(), [&](auto& entry) {
    return entry.second->line == line && entry.second->refused;
  }));
}

bool Upstreams::MakePlaceForUnproven(UnprovenKind kind, const IpAddress& newcomer) {
  const MonoTime now = Timebase::Mono();
  if (kind == UnprovenKind::kBroadcastServer && IsKeptOut(kNoLine, newcomer, now)) return false;
  NoteTrials(now);
  const bool peer = kind == UnprovenKind::kPassivePeer;
  if (peer && kept_out_peers_.Holds(newcomer, now)) return false;
  const std::vector<core::Unproven> tried = Tried(kind);
  if (MakePlace(tried, newcomer, {})) return true;
  if (peer) TurnAway(tried, newcomer, now);
  return false;
}

bool Upstreams::MakePlaceForManycast(size_t line, const IpAddress& newcomer) {
  const MonoTime now = Timebase::Mono();
  if (IsKeptOut(line, newcomer, now)) return false;
  NoteTrials(now);
  std::vector<core::Unproven> tried = Tried(UnprovenKind::kManycastServer);
  std::erase_if(tried, [&](const auto& one) { return upstreams_.at(one.id)->line != line; });
  const size_t most = node_->start.maxclock;
  const size_t proved = CountOfPool(line) - tried.size();
  const core::UnprovenLimits limits{.places = most - std::min(most, proved),
                                    .of_network = std::max<size_t>(1, most / 2),
                                    .all_count = true};
  return MakePlace(tried, newcomer, limits);
}

// Those that did not prove themselves, and those whose proof has got old and could not be renewed:
// if they are there, their next broadcast begins anew.
void Upstreams::RemoveUnproven(MonoTime now) {
  NoteTrials(now);
  std::vector<AssocId> gone = TooManyLetIn(now);
  // Those of them that have proved nothing are tried on, like others.
  std::erase_if(gone, [&](AssocId id) { return UnprovenKindOf(*upstreams_.at(id)).has_value(); });
  for (const auto& [id, upstream] : upstreams_) {
    const auto kind = UnprovenKindOf(*upstream);
    const double tried_for = now - upstream->trial.since();
    if (upstream->settled) continue;  // its silence ends it, like one that is proved
    if (kind == UnprovenKind::kPassivePeer) {
      const core::Association* association = node_->engine->Find(id);
      const bool heard = association != nullptr && association->heard();
      if (tried_for > (heard ? kPeerProofSeconds : kProofSeconds)) gone.push_back(id);
    } else if (kind) {
      if (tried_for > kProofSeconds) gone.push_back(id);
    } else if (upstream->announced != nullptr &&
               now - upstream->dance->started() > autokey::ClientDance::kRefreshSeconds) {
      gone.push_back(id);
    }
  }
  for (const AssocId id : gone) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end()) continue;
    LetOthersIn(*found->second, now);
    Remove(id);
  }
}

}  // namespace ntpward::net
