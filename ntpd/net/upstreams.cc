#include "ntpd/net/upstreams.h"

#include <algorithm>
#include <utility>

#include "ntpd/net/random.h"
#include "ntpd/wire/refid.h"
#include "privsep/msg/same.h"

namespace ntpward::net {
namespace {

// Requests without any answer before another address gets its chance: as many as a volley has.
constexpr uint64_t kPatientRequests = 8;
constexpr int kPatientPolls =
    10;  // the same for one that did answer once (ntpd 4.2.8: NTP_UNREACH)

core::HostMode ModeOf(msg::NetAssociationKind kind) {
  switch (kind) {
    case msg::NetAssociationKind::kPeer:
      return core::HostMode::kSymmetricActive;
    case msg::NetAssociationKind::kBroadcast:
      return core::HostMode::kBroadcast;
    default:
      return core::HostMode::kClient;
  }
}

// `owed`: what a dead predecessor may still owe the server, s.
core::AssociationConfig EngineConfig(const msg::NetAssociation& line, double owed) {
  core::AssociationConfig config;
  config.mode = ModeOf(line.kind);
  // Found by asking a group: it is measured at once, and forgotten when it falls silent.
  config.ephemeral = line.kind == msg::NetAssociationKind::kManycastClient;
  config.poll.minpoll = line.minpoll;
  config.poll.maxpoll = line.maxpoll;
  const bool client = config.mode == core::HostMode::kClient;
  config.poll.iburst = client && (line.iburst || config.ephemeral);
  config.poll.burst = client && line.burst;
  config.poll.owed = owed;
  config.version = line.version;
  if (!line.key.is_none()) config.key = line.key;
  config.autokey = line.autokey;
  config.prefer = line.prefer;
  config.noselect = line.noselect;
  config.always_true = line.always_true;
  config.preempt = line.preempt;
  return config;
}

uint32_t LocalRefid(std::string_view text) {
  if (text.empty()) return wire::RefidCode("LOCL");
  uint32_t refid = 0;
  for (size_t i = 0; i < 4; ++i)
    refid = refid << 8 | (i < text.size() ? static_cast<uint8_t>(text[i]) : 0U);
  return refid;
}

}  // namespace

Upstreams::Upstreams(Node* node, Channel* resolve, std::function<void()> on_update, uint16_t port)
    : node_(node),
      resolve_(resolve),
      suspicion_(resolve, &node->link, msg::Role::kResolve),
      on_update_(std::move(on_update)),
      port_(port),
      last_id_(static_cast<uint16_t>(RandomNumber())),
      batch_(std::make_unique<ReceiveBatch>()) {}

bool Upstreams::IsTaken(AssocId id) const {
  if (upstreams_.contains(id) || prototypes_.contains(id)) return true;
  const auto ids = node_->engine->Ids();
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

AssocId Upstreams::NewId() {
  for (;;) {
    const AssocId id{++last_id_};
    if (id.value != 0 && !IsTaken(id)) return id;
  }
}

void Upstreams::Configure(const std::vector<msg::NetAssociation>& lines) {
  TellOwnRefids();
  // A line that stands in both configurations keeps its associations, whatever its place.
  std::vector<size_t> moved(lines_.size(), SIZE_MAX);
  std::vector<bool> known(lines.size(), false);
  for (size_t i = 0; i < lines.size(); ++i)
    for (size_t j = 0; j < lines_.size() && !known[i]; ++j)
      if (moved[j] == SIZE_MAX && msg::Same(lines[i], lines_[j])) moved[j] = i, known[i] = true;
  for (const AssocId id : node_->engine->Ids()) {
    const auto found = upstreams_.find(id);
    if (found == upstreams_.end()) continue;
    if (found->second->line == kNoLine) continue;
    const size_t line = moved[found->second->line];
    if (line == SIZE_MAX) {
      Remove(id);
    } else {
      found->second->line = line;
    }
  }
  for (auto entry = prototypes_.begin(); entry != prototypes_.end();) {
    entry->second.line = moved[entry->second.line];
    entry = entry->second.line == SIZE_MAX ? prototypes_.erase(entry) : std::next(entry);
  }
  RemoveUnheard();
  lines_ = lines;
  for (const auto& [id, prototype] : prototypes_)
    if (prototype.config.name) (void)lookups_[*prototype.config.name];
  for (Deferred& entry : deferred_) entry.line = moved[entry.line];
  std::erase_if(deferred_, [](const Deferred& entry) { return entry.line == SIZE_MAX; });
  for (size_t i = 0; i < lines_.size(); ++i)
    if (!known[i]) AddLine(i);
  ApplyPolicies();
  ForgetRefusals();
}

autokey::DancePolicy Upstreams::PolicyOf(const Upstream& upstream) const {
  autokey::DancePolicy policy;
  policy.group = std::string(upstream.config.ident.text());
  policy.optional_here = upstream.config.identity_optional;
  policy.optional_everywhere = node_->start.identity_optional;
  policy.chosen = upstream.line != kNoLine;
  return policy;
}

void Upstreams::ApplyPolicies() {
  for (const auto& [id, upstream] : upstreams_) {
    if (upstream->line == kNoLine) upstream->config.ident = node_->start.ident;
    const autokey::DancePolicy policy = PolicyOf(*upstream);
    if (upstream->dance != nullptr)
      Carry(upstream.get(), upstream->dance->OnPolicy(policy, node_->Dance()));
    if (upstream->peer != nullptr)
      Carry(upstream.get(), upstream->peer->OnPolicy(policy, node_->Dance()));
  }
}

void Upstreams::AddLine(size_t line) {
  const msg::NetAssociation& config = lines_[line];
  if (config.kind == msg::NetAssociationKind::kLocalClock) {
    core::LocalClockConfig local;
    local.unit = config.address.octets[3];
    local.stratum = std::min<uint8_t>(config.stratum, 15);
    local.refid = LocalRefid(config.refid.text());
    local.prefer = config.prefer;
    local.noselect = config.noselect;
    local.poll = config.minpoll;
    const AssocId id = NewId();
    CHECK(node_->engine->AddLocalClock(id, local, Timebase::Mono()));
    auto upstream = std::make_unique<Upstream>();
    upstream->id = id;
    upstream->line = line;
    upstream->config = config;
    upstream->remote = {config.address, port_};
    upstreams_.emplace(id, std::move(upstream));
    return;
  }
  // It is a search, and never an association itself (see ManycastClient).
  if (config.kind == msg::NetAssociationKind::kManycastClient) return AddPrototype(line);
  // Two votes for one server would outvote an honest one.
  if (!config.address.is_none() && Has(config.address))
    return node_->reporter.Log(LogLevel::kWarning,
                               config.address.ToString() + ": named twice, used once");
  if (!config.address.is_none())
    return AddServer(line, config.address, config.kind == msg::NetAssociationKind::kPool);
  AddPrototype(line);
}

void Upstreams::AddPrototype(size_t line) {
  const msg::NetAssociation& config = lines_[line];
  Prototype prototype{NewId(), line, config, {}};
  prototype.status.configured = true;
  prototype.status.auth_enabled = config.autokey || !config.key.is_none();
  prototype.status.broadcast = config.kind != msg::NetAssociationKind::kServer;
  prototype.status.events = 1;
  prototype.status.last_event = wire::PeerEvent::kMobilize;
  core::EngineEvent event;
  event.id = prototype.id;
  event.code = static_cast<uint8_t>(wire::PeerEvent::kMobilize);
  event.status_word = prototype.status.word();
  node_->reporter.Event(event, std::string(config.label.text()));
  prototypes_.emplace(prototype.id, prototype);
  if (config.name) (void)lookups_[*config.name];
}

void Upstreams::ClearPrototypeEvents(AssocId id) {
  const auto found = prototypes_.find(id);
  if (found != prototypes_.end()) found->second.status.events = 0;
}

void Upstreams::AddServer(size_t line, const IpAddress& address, bool pooled) {
  const msg::NetAssociation& config = lines_[line];
  if (config.autokey && !node_->has_material) {
    deferred_.push_back({line, address, pooled});
    return;
  }
  auto upstream = std::make_unique<Upstream>();
  const bool lists = config.autokey && config.kind == msg::NetAssociationKind::kBroadcast;
  upstream->id = lists ? IdOfBroadcasts(address) : NewId();
  upstream->line = line;
  upstream->config = config;
  upstream->remote = {address, port_};
  upstream->pooled = pooled;
  const AssocId id = upstream->id;
  const MonoTime now = Timebase::Mono();
  if (lists) {
    upstream->own_list = std::make_unique<autokey::OwnKeyList>(id, msg::KeyListUse::kBroadcast,
                                                               node_->start.automax);
  } else if (config.autokey && config.kind != msg::NetAssociationKind::kPeer) {
    upstream->dance = std::make_unique<autokey::RenewingDance>(id, PolicyOf(*upstream), now);
  }
  double owed = std::max(0.0, node_->start.owed_headway - (now - node_->started));
  // It has just answered our question to its group: another at once would be too soon for it.
  if (config.kind == msg::NetAssociationKind::kManycastClient) owed += core::PollSchedule::kHeadway;
  const core::AssociationConfig engine_config = EngineConfig(config, owed);
  if (engine_config.mode != core::HostMode::kClient) LearnLocal(upstream.get());
  Store(std::move(upstream), engine_config);
}

void Upstreams::Store(std::unique_ptr<Upstream> upstream, const core::AssociationConfig& config) {
  const SocketAddress remote = upstream->remote;
  CHECK(node_->engine->AddAssociation(upstream->id, remote, RefidOf(remote.ip), config,
                                      Timebase::Mono()));
  node_->access.AddSource(remote.ip);
  const AssocId id = upstream->id;
  upstream->mobilised = Timebase::Mono();
  upstream->trial = core::Trial(upstream->mobilised);
  upstreams_.emplace(id, std::move(upstream));
}

void Upstreams::Remove(AssocId id) {
  const auto found = upstreams_.find(id);
  if (found == upstreams_.end()) return;
  if (found->second->dance != nullptr || found->second->own_list != nullptr ||
      found->second->peer != nullptr)
    node_->keys.Forget(id);
  node_->learned_leap.Forget(id);
  node_->certificates.Drop(id);
  if (!found->second->remote.ip.is_refclock()) node_->access.RemoveSource(found->second->remote.ip);
  node_->engine->Remove(id);
  // The last event wants the address that goes now.
  ReportEvents();
  upstreams_.erase(found);
}

void Upstreams::ReportEvents() {
  for (const core::EngineEvent& event : node_->engine->TakeEvents())
    node_->reporter.Event(event, LabelOf(event.id), CauseOf(event.id));
}

Cause Upstreams::CauseOf(const Upstream& upstream) {
  const bool anybody =
      upstream.line == kNoLine && !upstream.config.autokey && upstream.config.key.is_none();
  return anybody || UnprovenKindOf(upstream) ? Cause::kStranger : Cause::kOurs;
}

Cause Upstreams::CauseOf(AssocId id) const {
  const Upstream* upstream = Find(id);
  return upstream == nullptr ? Cause::kOurs : CauseOf(*upstream);
}

const Upstream* Upstreams::Find(AssocId id) const {
  const auto found = upstreams_.find(id);
  return found == upstreams_.end() ? nullptr : found->second.get();
}

std::string Upstreams::LabelOf(AssocId id) const {
  const Upstream* upstream = Find(id);
  return upstream == nullptr ? "0.0.0.0" : upstream->label();
}

bool Upstreams::Has(const IpAddress& address) const {
  return std::any_of(upstreams_.begin(), upstreams_.end(),
                     [&](const auto& entry) { return entry.second->remote.ip == address; }) ||
         std::any_of(deferred_.begin(), deferred_.end(),
                     [&](const Deferred& entry) { return entry.address == address; });
}

std::optional<Upstreams::Origin> Upstreams::OriginOf(AssocId id) const {
  const auto of_line = [this](size_t line) {
    return Origin{true, std::string(lines_[line].label.text())};
  };
  if (const auto found = prototypes_.find(id); found != prototypes_.end())
    return of_line(found->second.line);
  const Upstream* upstream = Find(id);
  if (upstream == nullptr) return std::nullopt;
  const bool own = upstream->line != kNoLine &&
                   (!upstream->pooled || upstream->remote.ip == upstream->config.address);
  return own ? of_line(upstream->line) : Origin{};
}

std::optional<AssocId> Upstreams::FindAddress(const IpAddress& address) const {
  for (const auto& [id, upstream] : upstreams_)
    if (upstream->remote.ip == address) return id;
  return std::nullopt;
}

bool Upstreams::IsSilent(const Upstream& upstream) const {
  const core::Association* association = node_->engine->Find(upstream.id);
  if (association == nullptr) return false;
  if (association->stopped()) return true;
  const core::PollSchedule& schedule = association->schedule();
  if (schedule.reach() != 0) return false;
  return association->heard() ? schedule.unreach() >= kPatientPolls
                              : association->counters().sent >= kPatientRequests;
}

}  // namespace ntpward::net
