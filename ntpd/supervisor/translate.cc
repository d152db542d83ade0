#include "ntpd/supervisor/translate.h"

#include <sys/utsname.h>

#include <algorithm>
#include <map>

#include "ntpd/config/variable_names.h"
#include "ntpd/settings/lines.h"

namespace ntpward::supervisor {
namespace {

using settings::Fits;
using settings::Show;
using settings::TooLong;

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
  void SayIfDaemons(std::string_view item);
  void ShowVariable(const config::Location& where, const std::string& item);
  void FillGroups();
  void LeaveOut(const config::Location& where, std::string why);
  void RefuseInterfacesTwice();
  uint8_t HopLimit(uint8_t index) const;
  void AddAssociation(const config::Association& line);
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
  RefuseInterfacesTwice();
}

// As ntpd 4.2.8 does: one of the two would have to be passed over, and open what the other closes.
void Translator::RefuseInterfacesTwice() {
  const auto& lines = config_.system.interfaces;
  if (options_.interfaces.empty() || lines.empty()) return;
  LeaveOut(lines.front().where, "not together with the option -I: expected one of the two");
  result_.errors.back().fatal_at_start = true;
}

// The hop limits of `ttl`, by their index; the default is that of ntpd 4.2.8.
uint8_t Translator::HopLimit(uint8_t index) const {
  const std::vector<uint8_t>& list = config_.system.ttl.value;
  if (list.empty()) return static_cast<uint8_t>(std::min(32 * (index + 1) - 1, 255));
  return list[std::min<size_t>(index, list.size() - 1)];
}

void Translator::FillGroups() {
  msg::NetStart& start = result_.start;
  start.broadcast_client = config_.broadcastclient.value || config_.system.switches.bclient.value;
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
  start.mru_entries = settings::ClientsOf(config_.mru);
}

void Translator::FillIdentity() {
  msg::NetStart& start = result_.start;
  utsname system{};
  if (uname(&system) == 0) {
    Show(&start.processor, system.machine);
    Show(&start.system, std::string(system.sysname) + "/" + system.release);
  }
  Show(&start.version, VersionText());
  // The command line's first: a line of the file cannot crowd them out.
  for (const std::string& item : options_.variables) {
    SayIfDaemons(item);
    ShowVariable({}, item);
  }
  for (const config::SystemVariable& variable : config_.system.variables)
    ShowVariable(variable.where, settings::VariableItem(variable));
  start.saves_configuration = !config_.output.saveconfigdir.value.empty();
  start.control_nonce = config_.authentication.control_nonce.value != config::ControlNonce::kNever;
}

void Translator::SayIfDaemons(std::string_view item) {
  item.remove_prefix(std::min(item.find_first_not_of("*+"), item.size()));
  const std::string name(item.substr(0, item.find('=')));
  if (config::IsDaemonsVariable(name))
    log_->Log(LogLevel::kWarning, "variable " + name +
                                      " of the command line has no effect: the "
                                      "daemon has one of that name itself");
}

void Translator::ShowVariable(const config::Location& where, const std::string& item) {
  InlineText<128> text;
  if (!Fits(&text, item)) {
    LeaveOut(where, TooLong(text));
  } else if (!result_.start.variables.Push(text)) {
    LeaveOut(where, TooMany(result_.start.variables));
  }
}

std::optional<uint16_t> Translator::NameIndex(const std::string& name, Family family) {
  msg::ResolveName entry;
  entry.family =
      options_.family != 0 ? static_cast<uint8_t>(options_.family) : static_cast<uint8_t>(family);
  if (!Fits(&entry.name, name)) return std::nullopt;
  for (const msg::ResolveName& known : result_.names)
    if (known.name == entry.name && known.family == entry.family) return known.index;
  if (result_.names.size() >= msg::kMaxNames) return std::nullopt;
  entry.index = static_cast<uint16_t>(result_.names.size());
  result_.names.push_back(entry);
  return entry.index;
}

void Translator::AddAssociation(const config::Association& line) {
  settings::NameIndex name;
  if (!line.address && !settings::IsGroupKind(line.kind)) {
    name = NameIndex(line.host, line.family);
    if (!name) return LeaveOut(line.host_where, BadName(line.host));
  }
  const config::Fudge* fudge = line.address ? config_.FudgeFor(*line.address) : nullptr;
  auto message = settings::AssociationOf(line, name, result_.start.ttls.span(), fudge);
  if (!message.ok()) return LeaveOut(message.error().where, message.error().text);
  // One measurement is wanted, and soon: the second poll may be a minute away. As ntpd 4.2.8.
  if (options_.quit) message->iburst = true;
  result_.associations.push_back(*message);
}

// A later line takes the entries of its target away. A line for both families is two lines here, so
// that one of them can go.
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
               other.mask == entry.mask && other.host == entry.host && other.family == entry.family;
      });
    }
  }
  return kept;
}

void Translator::PushRestriction(const msg::NetRestriction& entry) {
  auto& messages = result_.restrictions;
  const bool full = messages.empty() || messages.back().entries.full();
  if (full || !entry.label.empty()) messages.emplace_back();
  CHECK(messages.back().entries.Push(entry));
}

void Translator::AddRestriction(const config::Restriction& line) {
  settings::NameIndex name;
  if (line.target == config::RestrictTarget::kHost) name = NameIndex(line.host, line.family);
  const auto entry = settings::RestrictionOf(line, name);
  if (entry.ok()) return PushRestriction(*entry);
  LeaveOut(line.where, "this rule cannot be served: " + BadName(line.host));
  result_.errors.back().fatal_at_start = true;
}

}  // namespace

uint8_t LogClasses(const config::Config& config) {
  const auto& mask = config.output.logconfig;
  return mask.is_set() ? settings::LogClasses(mask.value) : uint8_t{msg::kLogEverything};
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
  // A key that an association uses is bound to that; see the key process about keys with both
  // roles.
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
