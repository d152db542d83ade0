#include "ntpd/net/daemon_view.h"

#include <openssl/objects.h>

#include <cmath>

#include "ntpd/net/system_counters.h"
#include "ntpd/net/time_server.h"
#include "ntpd/wire/refid.h"

namespace ntpward::net {
namespace {

uint64_t WholeSeconds(double seconds) { return seconds > 0 ? static_cast<uint64_t>(seconds) : 0; }

std::string SchemeName(uint32_t flags) {
  const char* name = OBJ_nid2ln(autokey::SchemeOf(flags));
  return name == nullptr ? "" : name;
}

control::Identity IdentityOf(std::string_view label) {
  if (label == "TC") return control::Identity::kTrusted;
  if (label == "PC") return control::Identity::kPrivate;
  if (label == "IFF") return control::Identity::kIff;
  if (label == "GQ") return control::Identity::kGq;
  if (label == "MV") return control::Identity::kMv;
  return control::Identity::kNone;
}

template <typename Dance>
control::PeerAutokeyView AutokeyOf(const Dance& dance, uint32_t flags,
                                   const std::optional<AutokeyFailure>& failure) {
  control::PeerAutokeyView view;
  view.flags = flags;
  view.host = dance.server_name();
  if (view.flags != 0) view.signature = SchemeName(view.flags);
  view.group = dance.group();
  view.identity = IdentityOf(dance.identity());
  for (const autokey::Certificate& step : dance.trail().steps())
    view.trail.push_back(
        {step.subject, step.issuer, 0, step.not_after - int64_t{kUnixToNtpSeconds}});
  const MonoTime now = Timebase::Mono();
  if (dance.has_cookie()) view.cookie_age_s = WholeSeconds(now - dance.cookie_since());
  if (failure)
    view.failure = {std::string(failure->name), WholeSeconds(now - failure->at), failure->cause};
  return view;
}

// Only who has time can tell how old a signature is.
void FillKeyList(const autokey::AnnouncedList& list, const Node& node,
                 control::PeerAutokeyView* view) {
  view->key_list = {list.sequence(), list.key(), list.timestamp()};
  const autokey::CalendarSeconds age =
      autokey::Unfold(node.time.Seconds()) - autokey::Unfold(list.timestamp());
  if (node.synchronised() && age >= 0) view->key_list_age_s = static_cast<uint64_t>(age);
}

void FillFilter(const core::PeerSnapshot& snapshot, control::PeerView* view) {
  for (size_t i = 0; i < snapshot.filter.size(); ++i) {
    view->filter_delay_s[i] = snapshot.filter[i].delay;
    view->filter_offset_s[i] = snapshot.filter[i].offset;
    view->filter_dispersion_s[i] = snapshot.filter[i].dispersion;
  }
}

void FillCounters(const core::PeerSnapshot& snapshot, control::PeerView* view) {
  view->received = snapshot.counters.received;
  view->sent = snapshot.counters.sent;
  view->since_received_s = static_cast<uint32_t>(WholeSeconds(snapshot.since_received.value_or(0)));
  view->since_reach_s = static_cast<uint32_t>(WholeSeconds(snapshot.since_reachable.value_or(0)));
  view->bad_auth = snapshot.counters.bad_auth;
  view->bogus_origin = snapshot.counters.bogus_origin;
  view->old_packets = snapshot.counters.old;
  view->selection_dispersion = snapshot.counters.bad_distance;
  view->kisses = snapshot.counters.kisses;
}

control::PeerView FromSnapshot(const core::PeerSnapshot& snapshot) {
  control::PeerView view;
  view.status = snapshot.status;
  view.remote = snapshot.remote;
  view.is_refclock = snapshot.refclock;
  view.leap = snapshot.leap;
  view.stratum = snapshot.stratum;
  view.host_mode = snapshot.hmode;
  view.peer_mode = snapshot.pmode;
  view.host_poll = static_cast<int8_t>(snapshot.hpoll);
  view.peer_poll = static_cast<int8_t>(snapshot.ppoll);
  view.precision = snapshot.precision;
  view.root_delay_s = snapshot.root_delay;
  view.root_dispersion_s = snapshot.root_dispersion;
  view.refid = snapshot.refid;
  view.reference = snapshot.reference;
  view.received_at = snapshot.receive;
  view.reach = snapshot.reach;
  view.unreach = static_cast<uint32_t>(snapshot.unreach);
  view.flash = snapshot.flash;
  view.next_poll_s = static_cast<uint32_t>(WholeSeconds(snapshot.until_poll));
  view.headway_s = static_cast<uint32_t>(WholeSeconds(snapshot.headway));
  view.key = snapshot.key;
  view.delay_s = snapshot.delay;
  view.offset_s = snapshot.offset;
  view.jitter_s = snapshot.jitter;
  view.dispersion_s = snapshot.dispersion;
  FillFilter(snapshot, &view);
  FillCounters(snapshot, &view);
  return view;
}

std::string_view StateName(msg::ProcessState state) {
  switch (state) {
    case msg::ProcessState::kEnded:
      return "ended";
    case msg::ProcessState::kStarting:
      return "starting";
    case msg::ProcessState::kSilent:
      return "silent";
    case msg::ProcessState::kRunning:
      break;
  }
  return "running";
}

control::ProcessView ProcessOf(std::string name, const msg::ProcessReport& report, MonoTime now) {
  control::ProcessView view;
  view.name = std::move(name);
  view.state = StateName(report.state);
  view.uptime_s = WholeSeconds(now - report.since);
  view.restarts = report.restarts;
  view.refused = report.refused;
  if (const auto& kernel = report.confinement)
    view.confinement = {kernel->uid, kernel->seccomp, kernel->no_new_privileges,
                        kernel->capabilities};
  return view;
}

std::vector<control::ProcessView> ProcessesOf(const msg::NetProcesses& processes, MonoTime now) {
  std::vector<control::ProcessView> views = {ProcessOf("ntpd", processes.supervisor, now)};
  static constexpr std::pair<msg::Role, const char*> kRoles[] = {{msg::Role::kNet, "net"},
                                                                 {msg::Role::kClock, "clock"},
                                                                 {msg::Role::kKeys, "keys"},
                                                                 {msg::Role::kResolve, "resolve"}};
  for (const auto& [role, name] : kRoles)
    views.push_back(ProcessOf(name, processes.roles[static_cast<size_t>(role)], now));
  return views;
}

}  // namespace

wire::SystemStatus DaemonView::Status() const {
  return wire::SystemStatus::FromWord(node_->engine->SystemStatusWord());
}

std::optional<control::AutokeyView> DaemonView::Autokey() const {
  if (!node_->host.enabled()) return std::nullopt;
  control::AutokeyView view;
  view.host = std::string(node_->host.subject());
  view.group = std::string(node_->start.ident.text());
  view.flags = node_->host.status_word();
  view.digest = std::string(node_->host.digest_name());
  view.signature = SchemeName(view.flags);
  view.update = node_->host.update_time();
  for (const autokey::CachedCertificate& entry : node_->certificates.entries())
    view.certificates.push_back({entry.certificate.subject, entry.certificate.issuer, entry.flags,
                                 entry.certificate.not_after - int64_t{kUnixToNtpSeconds}});
  return view;
}

void DaemonView::FillExtra(control::SystemView* view) const {
  const auto takes = [](std::string_view* text, char sign) {
    const bool there = text->starts_with(sign);
    if (there) text->remove_prefix(1);
    return there;
  };
  for (const auto& item : node_->start.variables) {
    std::string_view text = item.text();
    control::ExtraVariable variable;
    variable.is_default = takes(&text, '*');
    variable.writable = takes(&text, '+');
    const size_t equals = text.find('=');
    variable.name = std::string(text.substr(0, equals));
    if (equals != std::string_view::npos) variable.value = std::string(text.substr(equals + 1));
    if (const auto written = node_->written.find(variable.name);
        variable.writable && written != node_->written.end())
      variable.value = written->second;
    view->extra.push_back(variable);
  }
  view->extra.push_back(
      {.name = "daemon_version", .value = '"' + std::string(node_->start.version.text()) + '"'});
  if (node_->clock_was_stepped)
    view->extra.push_back({.name = "settimeofday", .value = "\"clock_adjtime\""});
  if (!node_->saved_config.empty())
    view->extra.push_back({.name = "savedconfig", .value = node_->saved_config});
}

void DaemonView::SetVariable(std::string_view name, std::string_view value) {
  node_->written.insert_or_assign(std::string(name), std::string(value));
}

control::SystemView DaemonView::System(control::SystemDetail detail) const {
  control::SystemView view;
  const MonoTime now = Timebase::Mono();
  const core::SystemState& system = node_->engine->system();
  const core::Discipline& discipline = node_->engine->discipline();
  view.status = Status();
  view.stratum = system.stratum;
  view.precision = system.precision;
  view.root_delay_s = system.root_delay;
  view.root_dispersion_s = system.RootDispersionAt(now);
  view.refid = system.refid;
  view.reference = system.reference;
  view.now = node_->time.Now();
  view.time_constant = static_cast<uint8_t>(discipline.poll());
  view.min_time_constant = node_->start.discard_average;
  view.system_peer = system.system_peer;
  view.offset_s = system.offset;
  view.frequency = discipline.frequency();
  view.system_jitter_s = system.jitter;
  view.clock_jitter_s = discipline.jitter();
  view.clock_wander = discipline.wander();
  view.processor = std::string(node_->start.processor.text());
  view.system = std::string(node_->start.system.text());
  if (const autokey::LeapValues leap = leap_seconds_->Shown(view.now); leap.IsTable()) {
    view.tai_s = static_cast<int>(leap.tai);
    view.leap_table = control::LeapTableView{leap.epoch, leap.expiry};
  }
  view.autokey = Autokey();
  FillExtra(&view);
  if (detail == control::SystemDetail::kAll) FillRest(now, &view);
  return view;
}

void DaemonView::FillRest(MonoTime now, control::SystemView* view) const {
  if (const Upstream* peer = upstreams_->Find(view->system_peer)) {
    view->peer_address = peer->remote;
    if (const auto snapshot = node_->engine->Snapshot(view->system_peer, now))
      view->peer_mode = snapshot->hmode;
  }
  FillSystemCounters(*node_, server_ == nullptr ? nullptr : server_->recent(), view);
  view->keys.stored += upstreams_->CountOfSessionKeys();
  view->auth_delay_s = node_->sealed.Value().seconds();
  if (node_->start.broadcast_client) view->broadcast_delay_s = node_->start.broadcast_delay;
  if (node_->processes) view->processes = ProcessesOf(*node_->processes, now);
}

std::vector<control::AssociationStatus> DaemonView::Associations() const {
  std::vector<control::AssociationStatus> list;
  for (const AssocId id : node_->engine->Ids())
    list.push_back({id, wire::PeerStatus::FromWord(node_->engine->PeerStatusWord(id))});
  for (const auto& [id, prototype] : upstreams_->prototypes())
    list.push_back({id, prototype.status});
  return list;
}

std::optional<control::PeerView> DaemonView::Peer(AssocId id) const {
  if (const auto found = upstreams_->prototypes().find(id);
      found != upstreams_->prototypes().end()) {
    const msg::NetAssociation& config = found->second.config;
    control::PeerView view;
    view.status = found->second.status;
    const bool manycast = config.kind == msg::NetAssociationKind::kManycastClient;
    view.remote = {manycast ? config.address : IpAddress::V4(0, 0, 0, 0), 123};
    if (!manycast) view.remote_name = std::string(config.label.text());
    view.refid = wire::RefidCode(manycast ? "ACST" : view.status.broadcast ? "POOL" : "INIT");
    view.host_poll = static_cast<int8_t>(config.minpoll);
    view.peer_poll = static_cast<int8_t>(config.minpoll);
    view.filter_dispersion_s.fill(core::kMaxDispersion);
    view.ttl = found->second.hops;
    return view;
  }
  const auto snapshot = node_->engine->Snapshot(id, Timebase::Mono());
  if (!snapshot) return std::nullopt;
  control::PeerView view = FromSnapshot(*snapshot);
  const Upstream* upstream = upstreams_->Find(id);
  if (upstream == nullptr) return view;
  view.local = {upstream->local, 123};
  view.refused_by = upstream->refused_by;
  if (!snapshot->refclock) view.ttl = upstream->config.ttl;
  if (snapshot->refclock) view.local.ip = IpAddress::V4(127, 0, 0, 1);
  if (upstream->dance != nullptr) {
    view.key = upstream->sent_key;
    view.autokey = AutokeyOf(*upstream->dance, upstream->dance->flags(), upstream->failure);
  }
  // A listener has AUTO once it has a list to follow.
  if (const autokey::AnnouncedList* list = upstream->announced.get(); list != nullptr) {
    if (list->accepted())
      FillKeyList(*list, *node_, &*view.autokey);
    else
      view.autokey->flags &= ~uint32_t{autokey::kAutokey};
  }
  if (const autokey::PeerDance* peer = upstream->peer.get()) {
    view.key = upstream->sent_key;
    view.autokey = AutokeyOf(peer->dance(), peer->flags(), upstream->failure);
    view.autokey->trail_loops = peer->dance().ends_in_us();
    if (const autokey::AnnouncedList& list = peer->announced(); list.accepted())
      FillKeyList(list, *node_, &*view.autokey);
  }
  return view;
}

// 0 is the system peer if that is a clock, else any.
std::optional<control::ClockView> DaemonView::Clock(AssocId id) const {
  if (id.value == 0) {
    const Upstream* peer = upstreams_->Find(node_->engine->system().system_peer);
    if (peer != nullptr && peer->remote.ip.is_refclock()) id = peer->id;
  }
  for (const auto& [candidate, upstream] : upstreams_->all()) {
    if (!upstream->remote.ip.is_refclock()) continue;
    if (id.value != 0 && id != candidate) continue;
    control::ClockView view;
    view.device = "Undisciplined local clock";
    view.stratum = upstream->config.stratum;
    view.refid = wire::RefidCode("LOCL");
    if (const auto snapshot = node_->engine->Snapshot(candidate, Timebase::Mono())) {
      view.refid = snapshot->refid;
      view.polls = snapshot->counters.sent;
    }
    return view;
  }
  return std::nullopt;
}

void DaemonView::ClearEvents(AssocId id) {
  node_->engine->ClearEventCount(id);
  upstreams_->ClearPrototypeEvents(id);
}

}  // namespace ntpward::net
