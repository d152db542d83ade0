#include "ntpd/supervisor/translate.h"

#include <sys/utsname.h>

#include <algorithm>
#include <map>

namespace ntpward::supervisor {
namespace {

using config::RestrictFlag;

// `mru maxmem` counts memory, ntpd-net counts clients.
constexpr uint32_t kClientsPerKibibyte = 16;
constexpr uint32_t kMostClients = 10000000;

// True when it fitted.
template <size_t N>
[[nodiscard]] bool Fits(InlineText<N>* field, std::string_view text) {
  return field->Assign(AsBytes(text));
}
// For texts that are only shown: cut to size.
template <size_t N>
void Show(InlineText<N>* field, std::string_view text) {
  CHECK(field->Assign(AsBytes(text.substr(0, N))));
}

template <size_t N>
std::string TooLong(const InlineText<N>&) {
  return "too long: expected at most " + std::to_string(N) + " octets";
}
template <typename T, size_t N>
std::string TooMany(const InlineVector<T, N>&) {
  return "too many lines of this kind: expected at most " + std::to_string(N);
}

std::string BadName(const std::string& host) {
  const msg::ResolveName message;
  return host.size() > decltype(message.name)::kCapacity
             ? TooLong(message.name)
             : "too many names of hosts: expected at most " + std::to_string(msg::kMaxNames);
}

bool IsGroupKind(config::AssociationKind kind) {
  return kind == config::AssociationKind::kBroadcast ||
         kind == config::AssociationKind::kManycastClient;
}

class Translator {
 public:
  Translator(const config::Config& config, const Options& options, Logger* log,
             std::vector<msg::ResolveName> names)
      : config_(config), options_(options), log_(log) {
    result_.names = std::move(names);
  }

  NetConfiguration Run() {
    FillStart();
    SayWhatIsNotRecorded();
    for (const config::Association& line : config_.associations) AddAssociation(line);
    for (const config::Restriction& line : Restrictions()) AddRestriction(line);
    return std::move(result_);
  }

 private:
  void SayWhatIsNotRecorded();
  void FillStart();
  void FillLimits();
  void FillIdentity();
  void FillGroups();
  void LeaveOut(const config::Location& where, std::string why);
  uint8_t HopLimit(uint8_t index) const;
  void AddAssociation(const config::Association& line);
  void FillLocalClock(const config::Association& line, msg::NetAssociation* message);
  void AddRestriction(const config::Restriction& line);
  void PushRestriction(const msg::NetRestriction& entry);
  std::vector<config::Restriction> Restrictions() const;
  std::optional<uint16_t> NameIndex(const std::string& name, Family family);

  const config::Config& config_;
  const Options& options_;
  Logger* log_;
  NetConfiguration result_;
};

// In Debian's ntp.conf since ever, so that it is no mistake to have them there.
void Translator::SayWhatIsNotRecorded() {
  for (const config::Statistic which : {config::Statistic::kClock, config::Statistic::kTiming})
    if (config_.output.statistic(which).enabled)
      log_->Log(LogLevel::kNotice, std::string(StatisticName(which)) +
                                       ": nothing is ever recorded there; no file is written");
}

void Translator::FillStart() {
  msg::NetStart& start = result_.start;
  const config::System& system = config_.system;
  start.authentication = system.switches.auth.value;
  start.allow_panic = options_.allow_panic;
  start.quit = options_.quit;
  start.slew_only = options_.slew_only;
  start.discipline = system.switches.ntp.value;
  start.monitor = system.switches.monitor.value;
  start.crypto_enabled = config_.authentication.crypto.enabled();
  start.identity_optional = config_.authentication.crypto.identity_optional.value;
  start.control_key = config_.authentication.control_key.value;
  start.revoke = config_.authentication.revoke.value;
  start.automax = config_.authentication.automax.value;
  const auto& ident = config_.authentication.ident;
  if (!Fits(&start.ident, ident.value)) LeaveOut(ident.where, TooLong(start.ident));
  start.dscp = system.dscp.value;
  start.log_classes = LogClasses(config_);
  FillLimits();
  FillGroups();
  FillIdentity();
}

// The hop limits of `ttl`, by their index; the default is that of ntpd 4.2.8.
uint8_t Translator::HopLimit(uint8_t index) const {
  const std::vector<uint8_t>& list = config_.system.ttl.value;
  if (list.empty()) return static_cast<uint8_t>(std::min(32 * (index + 1) - 1, 255));
  return list[std::min<size_t>(index, list.size() - 1)];
}

void Translator::FillGroups() {
  msg::NetStart& start = result_.start;
  start.broadcast_client =
      config_.broadcastclient.value || config_.system.switches.bclient.value;
  start.novolley = config_.novolley.value;
  start.broadcast_delay = std::clamp(config_.system.broadcastdelay.value, 0.0, 1.0);
  for (const config::Group& group : config_.multicast_groups)
    if (!start.multicast_groups.Push(group.address))
      LeaveOut(group.where, TooMany(start.multicast_groups));
  for (const config::Group& group : config_.manycast_groups)
    if (!start.manycast_groups.Push(group.address))
      LeaveOut(group.where, TooMany(start.manycast_groups));
  const size_t hops = config_.system.ttl.value.empty() ? 8 : config_.system.ttl.value.size();
  std::vector<uint8_t> ttls;
  for (uint8_t i = 0; i < std::min<size_t>(hops, 8); ++i) ttls.push_back(HopLimit(i));
  CHECK(start.ttls.Assign(ttls));
  start.cohort = config_.system.tos.cohort.value;
  start.beacon = config_.system.tos.beacon.value;
}

void Translator::LeaveOut(const config::Location& where, std::string why) {
  result_.errors.push_back(At(config_, where, config::Severity::kError, std::move(why)));
}

void Translator::FillLimits() {
  msg::NetStart& start = result_.start;
  const config::Tos& tos = config_.system.tos;
  start.minclock = tos.minclock.value;
  start.maxclock = tos.maxclock.value;
  start.minsane = std::max(1U, tos.minsane.value);
  start.floor = tos.floor.value;
  start.ceiling = std::min<uint8_t>(tos.ceiling.value, 16);
  start.mindist = tos.mindist.value;
  start.maxdist = tos.maxdist.value;
  start.orphan = tos.orphan.value;
  start.orphanwait = tos.orphanwait.value;
  const config::Tinker& tinker = config_.system.tinker;
  start.panic = tinker.panic.value;
  start.step_forward = tinker.stepfwd.value;
  start.step_backward = tinker.stepback.value;
  start.stepout = tinker.stepout.value;
  start.dispersion = tinker.dispersion.value;
  start.discard_average = config_.discard.average.value;
  start.discard_minimum = config_.discard.minimum.value;
  const config::MruLimits& mru = config_.mru;
  const uint32_t entries = mru.maxdepth.value != 0
                               ? mru.maxdepth.value
                               : std::min(mru.maxmem.value, kMostClients) * kClientsPerKibibyte;
  start.mru_entries = std::clamp(entries, 1U, kMostClients);
}

void Translator::FillIdentity() {
  msg::NetStart& start = result_.start;
  utsname system{};
  if (uname(&system) == 0) {
    Show(&start.processor, system.machine);
    Show(&start.system, std::string(system.sysname) + "/" + system.release);
  }
  Show(&start.version, VersionText());
  for (const config::SystemVariable& variable : config_.system.variables) {
    InlineText<128> text;
    const std::string item =
        (variable.by_default ? "*" : "") + variable.name + "=" + variable.value;
    if (!Fits(&text, item)) {
      LeaveOut(variable.where, TooLong(text));
    } else if (!start.variables.Push(text)) {
      LeaveOut(variable.where, TooMany(start.variables));
    }
  }
}

std::optional<uint16_t> Translator::NameIndex(const std::string& name, Family family) {
  msg::ResolveName entry;
  entry.family = options_.family != 0 ? static_cast<uint8_t>(options_.family)
                                      : static_cast<uint8_t>(family);
  if (!Fits(&entry.name, name)) return std::nullopt;
  for (const msg::ResolveName& known : result_.names)
    if (known.name == entry.name && known.family == entry.family) return known.index;
  if (result_.names.size() >= msg::kMaxNames) return std::nullopt;
  entry.index = static_cast<uint16_t>(result_.names.size());
  result_.names.push_back(entry);
  return entry.index;
}

void Translator::FillLocalClock(const config::Association& line, msg::NetAssociation* message) {
  message->kind = msg::NetAssociationKind::kLocalClock;
  message->stratum = config::kLocalClockStratum;
  if (const config::Fudge* fudge = config_.FudgeFor(*line.address)) {
    message->stratum = fudge->stratum.value_or(config::kLocalClockStratum);
    Show(&message->refid, fudge->refid);
  }
}

void Translator::AddAssociation(const config::Association& line) {
  msg::NetAssociation message;
  switch (line.kind) {
    case config::AssociationKind::kServer: message.kind = msg::NetAssociationKind::kServer; break;
    case config::AssociationKind::kPool: message.kind = msg::NetAssociationKind::kPool; break;
    case config::AssociationKind::kPeer: message.kind = msg::NetAssociationKind::kPeer; break;
    case config::AssociationKind::kBroadcast:
      message.kind = msg::NetAssociationKind::kBroadcast;
      break;
    case config::AssociationKind::kManycastClient:
      message.kind = msg::NetAssociationKind::kManycastClient;
      break;
  }
  if (!line.address && IsGroupKind(line.kind)) {
    return LeaveOut(line.host_where,
                    "expected a numeric address after '" + std::string(KindName(line.kind)) + "'");
  }
  if (line.address) {
    message.address = *line.address;
  } else {
    message.name = NameIndex(line.host, line.family);
    if (!message.name) return LeaveOut(line.host_where, BadName(line.host));
  }
  Show(&message.label, line.host);
  message.key = line.key.value;
  message.autokey = line.autokey;
  message.identity_optional = line.identity_optional;
  if (!Fits(&message.ident, line.ident)) return LeaveOut(line.where, TooLong(message.ident));
  message.minpoll = static_cast<uint8_t>(line.minpoll.value);
  message.maxpoll = static_cast<uint8_t>(line.maxpoll.value);
  message.version = line.version.value;
  message.iburst = line.iburst;
  message.burst = line.burst;
  message.prefer = line.prefer;
  message.noselect = line.noselect;
  message.always_true = line.always_true;
  message.preempt = line.preempt;
  if (IsGroupKind(line.kind)) message.ttl = HopLimit(line.ttl.value);
  // A broadcast server has no reason to slow down.
  if (line.kind == config::AssociationKind::kBroadcast) message.maxpoll = message.minpoll;
  if (line.is_local_clock()) FillLocalClock(line, &message);
  if (!message.Valid())
    return LeaveOut(line.where,
                    "these options cannot be served together: expected those of ntp.conf(5)");
  result_.associations.push_back(message);
}

// A later line takes the entries of its target away. A line for both families is two lines here, so that
// one of them can go.
std::vector<config::Restriction> Translator::Restrictions() const {
  std::vector<config::Restriction> kept;
  for (const config::Restriction& line : config_.restrictions) {
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
      if (line.family != Family::kNone && line.family != family) continue;
      const bool both = line.target == config::RestrictTarget::kDefault;
      if (!both && line.family == Family::kNone && family == Family::kIpv6) continue;
      config::Restriction entry = line;
      if (both) entry.family = family;
      if (!line.remove) {
        kept.push_back(entry);
        continue;
      }
      std::erase_if(kept, [&entry](const config::Restriction& other) {
        return other.target == entry.target && other.address == entry.address &&
               other.prefix == entry.prefix && other.host == entry.host &&
               other.family == entry.family;
      });
    }
  }
  return kept;
}

void Translator::PushRestriction(const msg::NetRestriction& entry) {
  auto& messages = result_.restrictions;
  if (messages.empty() || messages.back().entries.full()) messages.emplace_back();
  CHECK(messages.back().entries.Push(entry));
}

void Translator::AddRestriction(const config::Restriction& line) {
  msg::NetRestriction entry;
  entry.flags = AccessBits(line.flags);
  entry.port = line.flags.Has(RestrictFlag::kNtpPort)      ? 1
               : line.flags.Has(RestrictFlag::kNonNtpPort) ? 2
                                                           : 0;
  entry.ippeerlimit = line.ippeerlimit.value_or(-1);
  switch (line.target) {
    case config::RestrictTarget::kDefault:
      entry.address.family = line.family;
      break;
    case config::RestrictTarget::kSource:
      entry.source = true;
      break;
    case config::RestrictTarget::kAddress:
      entry.address = line.address;
      entry.prefix = line.prefix;
      break;
    case config::RestrictTarget::kHost:
      entry.name = NameIndex(line.host, line.family);
      break;
  }
  if ((line.target != config::RestrictTarget::kHost || entry.name) && entry.Valid())
    return PushRestriction(entry);
  LeaveOut(line.where, "this rule cannot be served: " + BadName(line.host));
  result_.errors.back().fatal_at_start = true;
}

}  // namespace

uint16_t AccessBits(config::RestrictFlags flags) {
  static constexpr std::pair<RestrictFlag, uint16_t> kBits[] = {
      {RestrictFlag::kIgnore, 0x0001},   {RestrictFlag::kNoServe, 0x0002},
      {RestrictFlag::kNoTrust, 0x0004},  {RestrictFlag::kVersion, 0x0008},
      {RestrictFlag::kNoPeer, 0x0010},   {RestrictFlag::kNoEpeer, 0x0020},
      {RestrictFlag::kLimited, 0x0040},  {RestrictFlag::kNoQuery, 0x0080},
      {RestrictFlag::kNoModify, 0x0100}, {RestrictFlag::kNoTrap, 0x0200},
      {RestrictFlag::kLowPrioTrap, 0x0400}, {RestrictFlag::kKod, 0x0800},
      {RestrictFlag::kMsSntp, 0x1000},   {RestrictFlag::kFlake, 0x2000},
      {RestrictFlag::kNoMruList, 0x4000}, {RestrictFlag::kServerResponseFuzz, 0x8000},
  };
  uint16_t bits = 0;
  for (const auto& [flag, bit] : kBits)
    if (flags.Has(flag)) bits = static_cast<uint16_t>(bits | bit);
  return bits;
}

uint8_t LogClasses(const config::Config& config) {
  using config::LogClass;
  using config::LogKind;
  if (!config.output.logconfig.is_set()) return msg::kLogEverything;
  const config::LogMask mask = config.output.logconfig.value;
  unsigned classes = 0;
  if (mask.Has(LogClass::kSys, LogKind::kEvents)) classes |= msg::kLogSystemEvents;
  if (mask.Has(LogClass::kPeer, LogKind::kEvents)) classes |= msg::kLogPeerEvents;
  if (mask.Has(LogClass::kSys, LogKind::kInfo)) classes |= msg::kLogSystemInfo;
  if (mask.Has(LogClass::kPeer, LogKind::kInfo)) classes |= msg::kLogPeerInfo;
  return static_cast<uint8_t>(classes);
}

namespace {

void BindKey(const config::Association& line, msg::TrustedKey* key) {
  switch (line.kind) {
    case config::AssociationKind::kPeer:
      key->peer = true;
      return;
    case config::AssociationKind::kBroadcast:
      key->broadcast = true;
      return;
    default:
      key->upstream = true;
  }
}

}  // namespace

NetConfiguration Translate(const config::Config& config, const Options& options, Logger* log,
                           std::vector<msg::ResolveName> names) {
  return Translator(config, options, log, std::move(names)).Run();
}

std::vector<msg::KeysTrusted> TrustedKeys(const config::Config& config) {
  std::map<uint32_t, msg::TrustedKey> keys;
  const auto entry = [&keys](KeyId key) -> msg::TrustedKey& {
    keys[key.value].key = key;
    return keys[key.value];
  };
  for (const config::KeyRange& range : config.authentication.trusted)
    for (uint32_t id = range.first.value; id <= range.last.value; ++id) {
      entry({id}).serve = true;
      // No line names a broadcast server: any trusted key may be its.
      entry({id}).listen = config.listens();
    }
  if (const KeyId control = config.authentication.control_key.value; !control.is_none())
    entry(control).control = true;
  // A key that an association uses is bound to that; see the key process about keys with both roles.
  for (const config::Association& line : config.associations)
    if (!line.key.value.is_none()) BindKey(line, &entry(line.key.value));
  std::vector<msg::KeysTrusted> messages;
  for (const auto& [id, key] : keys) {
    if (messages.empty() || messages.back().keys.full()) messages.emplace_back();
    CHECK(messages.back().keys.Push(key));
  }
  return messages;
}

}  // namespace ntpward::supervisor
