#include "ntpd/config/validate.h"

#include <algorithm>

#include "ntpd/config/host.h"
#include "ntpd/config/variable_names.h"

namespace ntpward::config {
namespace {

constexpr uint8_t kUnusableStratum = 16;

// What becomes of a value that cannot be taken as it was written.
enum class OnOutOfRange : uint8_t {
  kAdjust,  // the nearest is taken, with a warning: files of ntpd 4.2.8 go on working
  kRefuse,  // who gave it reads that at once
};

// The built-in access rules are ntpward's own: ntpd 4.2.8 has none and answers everyone everything.
constexpr RestrictFlag kBuiltIn[] = {RestrictFlag::kKod, RestrictFlag::kLimited,
                                     RestrictFlag::kNoModify, RestrictFlag::kNoPeer,
                                     RestrictFlag::kNoQuery};

class Validator {
 public:
  Validator(Config& config, OnOutOfRange on_out_of_range)
      : config_(config), on_out_of_range_(on_out_of_range) {}
  std::vector<Diagnostic> Run();
  std::vector<Diagnostic> RunAlone();

 private:
  void RemoveReferenceClocks();
  void Clamp(Setting<uint32_t>* setting, const std::string& name, uint32_t low, uint32_t high);
  void ClampPolls(Association& a);
  void ClampMru();
  void CheckAssociation(Association& a);
  void CheckAutokey(Association& a);
  void CheckDuplicates();
  void CheckFudges();
  void CheckKeys();
  void CheckKeyRoles();
  void CheckCrypto();
  void CheckRestrictions();
  void CheckDefaults();
  void TellOfStrangers();
  void AddBuiltInRestrictions();
  void CheckSelection();
  void CheckSwitches();
  void CheckStatistics();
  void CheckSources();
  void CheckListening();
  void CheckWithoutEffect();

  void Warn(const Location& where, std::string text) {
    found_.push_back(At(config_, where, Severity::kWarning, std::move(text)));
  }
  void Refuse(const Location& where, std::string text) {
    found_.push_back(At(config_, where, Severity::kError, std::move(text)));
    found_.back().fatal_at_start = true;
  }

  // `wrong`: what is not as `expected`, in whose place `used` is taken.
  void Adjust(const Location& where, const std::string& wrong, const std::string& expected,
              const std::string& used) {
    if (on_out_of_range_ == OnOutOfRange::kAdjust)
      return Warn(where, wrong + " (" + expected + "): " + used);
    found_.push_back(At(config_, where, Severity::kError, wrong + ": expected " + expected));
  }

  Config& config_;
  const OnOutOfRange on_out_of_range_;
  std::vector<Diagnostic> found_;
};

// --- associations -----------------------------------------------------------------------------

void Validator::RemoveReferenceClocks() {
  std::erase_if(config_.associations, [this](const Association& a) {
    if (!a.is_refclock() || a.is_local_clock()) return false;
    Warn(a.host_where,
         "reference clock " + a.host +
             " is ignored: expected the local clock 127.127.1.UNIT, the only one here");
    return true;
  });
}

void Validator::Clamp(Setting<uint32_t>* setting, const std::string& name, uint32_t low,
                      uint32_t high) {
  const uint32_t clamped = std::clamp(setting->value, low, high);
  if (clamped == setting->value) return;
  Adjust(setting->where, name + " " + std::to_string(setting->value) + " is out of range",
         std::to_string(low) + " to " + std::to_string(high), std::to_string(clamped) + " is used");
  setting->value = clamped;
}

void Validator::ClampPolls(Association& a) {
  Clamp(&a.minpoll, "minpoll", kMinPoll, kMaxPoll);
  Clamp(&a.maxpoll, "maxpoll", kMinPoll, kMaxPoll);
  if (a.minpoll.value <= a.maxpoll.value) return;
  if (!a.maxpoll.is_set()) {
    a.maxpoll.value = a.minpoll.value;
    return;
  }
  if (a.minpoll.is_set())
    Adjust(a.minpoll.where, "minpoll is greater than maxpoll",
           "at most " + std::to_string(a.maxpoll.value),
           std::to_string(a.maxpoll.value) + " is used for both");
  a.minpoll.value = a.maxpoll.value;
}

// The list of recent clients is made as large as they say, at once.
void Validator::ClampMru() {
  MruLimits& mru = config_.mru;
  if (mru.maxdepth.is_set()) Clamp(&mru.maxdepth, "maxdepth", 1, kMostMruEntries);
  if (mru.maxmem.is_set())
    Clamp(&mru.maxmem, "maxmem", 1, kMostMruEntries / kMruEntriesPerKibibyte);
}

void Validator::CheckAutokey(Association& a) {
  if (a.autokey && !config_.authentication.crypto.enabled())
    Refuse(a.where, "autokey needs a crypto line: expected 'crypto pw PASSWORD' or 'crypto'");
  if (!a.autokey && (!a.ident.empty() || a.identity_optional))
    Warn(a.where, "ident and identity have no effect without autokey");
  if (!a.ident.empty() && a.identity_optional) {
    Warn(a.where, "a group that ident names is never optional: 'identity optional' has no effect");
    a.identity_optional = false;
  }
}

void Validator::CheckAssociation(Association& a) {
  const bool client = a.kind == AssociationKind::kServer || a.kind == AssociationKind::kPool;
  const bool group =
      a.kind == AssociationKind::kBroadcast || a.kind == AssociationKind::kManycastClient;
  const std::string kind(KindName(a.kind));
  if ((a.burst || a.iburst) && !client && a.kind != AssociationKind::kManycastClient)
    Warn(a.where, "burst and iburst have no effect on '" + kind + "'");
  if (a.address && a.address->is_loopback() && !a.is_refclock() && !group)
    Warn(a.host_where, a.host +
                           " is this host, whose time is never taken: expected another, or "
                           "127.127.1.0 for its own clock");
  if (a.ttl.is_set() && !group) Warn(a.ttl.where, "ttl has no effect on '" + kind + "'");
  if (a.kind == AssociationKind::kBroadcast && !a.is_authenticated())
    Warn(a.where, "broadcast without key or autokey: clients cannot tell it from a forged one");
  CheckAutokey(a);
}

void Validator::CheckDuplicates() {
  std::vector<const Association*> sorted;
  for (const Association& a : config_.associations) sorted.push_back(&a);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Association* a, const Association* b) { return a->host < b->host; });
  for (size_t i = 1; i < sorted.size(); ++i) {
    const Association& a = *sorted[i - 1];
    const Association& b = *sorted[i];
    if (a.host == b.host && a.kind == b.kind && a.family == b.family)
      Warn(b.where,
           Quoted(b.host) + " was named in line " + std::to_string(a.where.line) + " already");
  }
}

void Validator::CheckFudges() {
  for (const Fudge& fudge : config_.fudges) {
    const bool used = std::any_of(
        config_.associations.begin(), config_.associations.end(),
        [&](const Association& a) { return a.is_refclock() && *a.address == fudge.clock; });
    if (!used && fudge.clock.octets[2] == 1)
      Warn(fudge.where, "there is no 'server " + fudge.clock.ToString() + "' to apply this to");
    if (fudge.stratum && *fudge.stratum + 1 >= kUnusableStratum)
      Warn(fudge.where, "nobody can use a clock of this stratum: expected less than 15");
  }
}

// --- authentication ---------------------------------------------------------------------------

// A key that a line names is in use for that line, whether or not trustedkey names it too:
// ntpd 4.2.8 wants both, and we must not ask for a role that the key would be better without.
void Validator::CheckKeys() {
  const Authentication& auth = config_.authentication;
  const bool have_file = auth.keys_file.is_set();
  for (const Association& a : config_.associations) {
    if (!a.key.is_set()) continue;
    if (!have_file)
      Refuse(a.key.where, "key " + std::to_string(a.key.value.value) +
                              " needs a key file: expected a line 'keys FILE'");
  }
  if (auth.control_key.is_set() && !have_file)
    Warn(auth.control_key.where, "controlkey has no effect without a line 'keys FILE'");
  if (!auth.trusted.empty() && !have_file)
    Warn(auth.trusted.front().where, "trustedkey has no effect without a line 'keys FILE'");
  CheckKeyRoles();
}

// Whoever shares a key can forge what it protects, in every role that the key has.
void Validator::CheckKeyRoles() {
  const auto is_upstream = [](const Association& a) {
    return a.kind != AssociationKind::kPeer && a.kind != AssociationKind::kBroadcast;
  };
  const Setting<KeyId>& control = config_.authentication.control_key;
  for (const Association& a : config_.associations) {
    if (!a.key.is_set()) continue;
    const std::string number = std::to_string(a.key.value.value);
    if (control.is_set() && a.key.value == control.value)
      Warn(a.key.where, "key " + number +
                            " is the control key too: whoever shares it may "
                            "reconfigure this server");
    if (!is_upstream(a)) continue;
    for (const Association& b : config_.associations)
      if (!is_upstream(b) && b.key.is_set() && b.key.value == a.key.value) {
        Warn(a.key.where, "key " + number + " is for an upstream here and for clients in line " +
                              std::to_string(b.where.line) +
                              ": those clients could forge the upstream's replies");
        break;
      }
  }
}

void Validator::CheckCrypto() {
  const Crypto& crypto = config_.authentication.crypto;
  if (!crypto.password.empty() && crypto.password_file.is_set())
    Refuse(crypto.password_file.where, "both pw and pwfile are given: expected one of them");
}

// --- access -----------------------------------------------------------------------------------

void Validator::AddBuiltInRestrictions() {
  Restriction everyone;
  for (RestrictFlag flag : kBuiltIn) everyone.flags.Add(flag);
  config_.restrictions.push_back(everyone);
  for (const char* address : {"127.0.0.1", "::1"}) {
    Restriction loopback;
    loopback.target = RestrictTarget::kAddress;
    loopback.address = IpAddress::Parse(address).value_or(IpAddress{});
    loopback.mask = MaskOfPrefix(loopback.address.family, FullPrefix(loopback.address.family));
    config_.restrictions.push_back(loopback);
  }
}

// As with ntpd 4.2.8, whoever matches no line has no restriction.
void Validator::CheckDefaults() {
  bool ipv4 = false, ipv6 = false;
  Location last;
  for (const Restriction& r : config_.restrictions) {
    last = r.where;
    if (r.target != RestrictTarget::kDefault) continue;
    // A removal takes away what stands before it.
    if (r.family != Family::kIpv6) ipv4 = !r.remove;
    if (r.family != Family::kIpv4) ipv6 = !r.remove;
  }
  if (ipv4 && ipv6) return;
  const std::string which = ipv4 ? "IPv6" : ipv6 ? "IPv4" : "any family";
  Warn(last, "no 'restrict default' for " + which +
                 ": whom no line names is served without limit and may query");
}

// What tools of other makers make of it would be a riddle.
void Validator::TellOfStrangers() {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const Restriction* last = nullptr;
    bool closed = false;
    for (const Restriction& r : config_.restrictions) {
      const bool other = r.family != Family::kNone && r.family != family;
      if (r.target != RestrictTarget::kDefault || other || r.flags.Has(RestrictFlag::kNtpPort))
        continue;
      last = r.remove ? nullptr : &r;
      closed = !r.remove && (closed || r.flags.Has(RestrictFlag::kNoQuery) ||
                             r.flags.Has(RestrictFlag::kIgnore));
    }
    if (last == nullptr || closed) continue;
    found_.push_back(
        At(config_, last->where, Severity::kNote,
           "without noquery everybody may ask, but gets answers that are longer than the question "
           "only when ntpq of ntpward has proved the address; for other tools on a host that "
           "watches this one add 'restrict ADDRESS nomodify'"));
    return;
  }
}

void Validator::CheckRestrictions() {
  const bool none = std::all_of(config_.restrictions.begin(), config_.restrictions.end(),
                                [](const Restriction& r) { return r.remove; });
  if (none) return AddBuiltInRestrictions();
  for (const Restriction& r : config_.restrictions) {
    if (r.flags.Has(RestrictFlag::kKod) && !r.flags.Has(RestrictFlag::kLimited))
      Warn(r.where, "'kod' does nothing without 'limited'");
    if (r.flags.Has(RestrictFlag::kNoEpeer) && r.flags.Has(RestrictFlag::kEpeer))
      Warn(r.where, "noepeer and epeer contradict each other: noepeer holds");
    if (r.flags.Has(RestrictFlag::kNtpPort) && r.flags.Has(RestrictFlag::kNonNtpPort))
      Warn(r.where, "ntpport and non-ntpport together match every port, as neither does");
  }
  CheckDefaults();
  TellOfStrangers();
}

// --- the system -------------------------------------------------------------------------------

void Validator::CheckSelection() {
  const Tos& tos = config_.system.tos;
  const Location where = tos.minclock.is_set()   ? tos.minclock.where
                         : tos.maxclock.is_set() ? tos.maxclock.where
                                                 : tos.minsane.where;
  if (tos.minsane.value >= tos.minclock.value || tos.minclock.value > tos.maxclock.value)
    Warn(where, "expected tos minsane (" + std::to_string(tos.minsane.value) + ") < minclock (" +
                    std::to_string(tos.minclock.value) + ") <= maxclock (" +
                    std::to_string(tos.maxclock.value) + ")");
  if (tos.floor.value > tos.ceiling.value)
    Warn(tos.floor.where, "tos floor is above the ceiling: no server can be used");
  if (tos.orphan.is_set() && tos.orphan.value < kNoOrphanStratum &&
      tos.orphan.value >= kUnusableStratum)
    Warn(tos.orphan.where, "nobody can use an orphan of this stratum: expected less than 16");
}

void Validator::CheckSwitches() {
  const Switches& s = config_.system.switches;
  if (!s.auth.value)
    Warn(s.auth.where, "authentication is off: unauthenticated peers and broadcasts are believed");
  if (s.mode7.value) Warn(s.mode7.where, "mode 7 does not exist here: no effect");
  if (s.calibrate.value) Warn(s.calibrate.where, "there are no reference clocks to calibrate");
  if (s.pps.value) Warn(s.pps.where, "there is no PPS signal here: no effect");
}

void Validator::CheckStatistics() {
  const Files& output = config_.output;
  for (const Filegen& filegen : output.statistics) {
    if (!filegen.enabled || output.statsdir.is_set()) continue;
    found_.push_back(At(config_, filegen.where, Severity::kNote,
                        "statistics are not written: expected a line 'statsdir DIRECTORY/'"));
    break;
  }
  if (output.statsdir.is_set() && !output.statsdir.value.ends_with('/'))
    Warn(output.statsdir.where, "statsdir is put before file names as it is: expected a last '/'");
}

void Validator::CheckSources() {
  const bool listens = config_.broadcastclient.value || !config_.multicast_groups.empty() ||
                       config_.system.tos.orphan.value < kNoOrphanStratum;
  const bool asks = std::any_of(
      config_.associations.begin(), config_.associations.end(),
      [](const Association& a) { return a.kind != AssociationKind::kBroadcast && !a.noselect; });
  if (listens || asks) return;
  Warn({}, "no source of time is configured: expected a line 'server' or 'pool'");
  if (!config_.files.empty()) found_.back().file = config_.files[0];
}

// With symmetric keys, or without any, a broadcast is believed as it comes. Autokey asks the server
// to prove itself first, whatever `identity optional` says.
void Validator::CheckListening() {
  const Authentication& auth = config_.authentication;
  if (!config_.novolley.value || !auth.crypto.enabled()) return;
  const bool others = !auth.trusted.empty() || !config_.system.switches.auth.value;
  if (others && !auth.ident.is_set()) return;
  Warn(config_.novolley.where,
       "novolley shuts out every server that broadcasts under Autokey, with 'identity optional' "
       "too: "
       "without a volley it is asked nothing and can prove nothing: expected 'broadcastclient' "
       "alone");
}

// Settings that files of ntpd 4.2.8 have and that nothing here follows. What is silently ignored is
// believed to hold.
void Validator::CheckWithoutEffect() {
  const auto check = [this](const auto& setting, const char* text) {
    if (setting.is_set()) Warn(setting.where, text);
  };
  const System& system = config_.system;
  check(system.tos.bcpollbstep, "bcpollbstep has no effect: a broadcast is believed as it comes");
  check(system.tinker.allan,
        "allan has no effect: the discipline weighs phase and frequency itself");
  check(system.tinker.huffpuff, "huffpuff has no effect: there is no such filter here");
  check(system.switches.kernel, "kernel has no effect: the kernel's own discipline is never used");
  check(config_.discard.monitor, "monitor has no effect: the oldest client makes room");
  check(config_.mru.mindepth, "mindepth has no effect: the oldest client makes room");
  check(config_.mru.maxage, "maxage has no effect: the oldest client makes room");
  check(config_.output.nonvolatile,
        "nonvolatile has no effect: the drift file follows each change");
  check(config_.authentication.request_key, "requestkey has no effect: mode 7 does not exist here");
  for (const Fudge& fudge : config_.fudges) {
    const bool flagged = std::any_of(fudge.flags.begin(), fudge.flags.end(),
                                     [](const auto& flag) { return flag.has_value(); });
    if (fudge.clock.octets[2] == 1 && (fudge.time1 || fudge.time2 || flagged))
      Warn(fudge.where, "of fudge only stratum and refid have an effect on the local clock");
  }
  for (const SystemVariable& variable : system.variables)
    if (IsDaemonsVariable(variable.name))
      Warn(variable.where, "setvar " + variable.name +
                               " has no effect: the daemon has a variable of that name itself");
  for (const Association& a : config_.associations)
    if (a.xleave) Warn(a.where, "xleave has no effect: there is no interleaved mode");
}

std::vector<Diagnostic> Validator::Run() {
  RemoveReferenceClocks();
  for (Association& a : config_.associations) ClampPolls(a);
  for (Association& a : config_.associations) CheckAssociation(a);
  ClampMru();
  CheckDuplicates();
  CheckFudges();
  CheckKeys();
  CheckCrypto();
  CheckRestrictions();
  CheckSelection();
  CheckSwitches();
  CheckStatistics();
  CheckSources();
  CheckListening();
  CheckWithoutEffect();
  return std::move(found_);
}

std::vector<Diagnostic> Validator::RunAlone() {
  RemoveReferenceClocks();
  CheckWithoutEffect();
  for (Diagnostic& without_effect : found_) without_effect.severity = Severity::kError;
  for (Association& a : config_.associations) ClampPolls(a);
  ClampMru();
  for (Association& a : config_.associations) CheckAssociation(a);
  return std::move(found_);
}

}  // namespace

std::vector<Diagnostic> Validate(Config& config) {
  return Validator(config, OnOutOfRange::kAdjust).Run();
}

std::vector<Diagnostic> ValidateAlone(Config& config) {
  return Validator(config, OnOutOfRange::kRefuse).RunAlone();
}

}  // namespace ntpward::config
