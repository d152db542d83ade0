#include "ntpd/config/render.h"

#include <charconv>

#include "ntpd/config/host.h"

namespace ntpward::config {
namespace {

std::string Text(const std::string& text) { return "\"" + text + "\""; }
std::string Text(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}
std::string Text(bool value) { return value ? "1" : "0"; }
std::string Text(uint8_t value) { return std::to_string(value); }
std::string Text(uint32_t value) { return std::to_string(value); }
std::string Text(int32_t value) { return std::to_string(value); }
std::string Text(ControlNonce rule) { return std::string(ControlNonceName(rule)); }
std::string Text(KeyId key) { return std::to_string(key.value); }

// One line under way: a directive and its words.
class Words {
 public:
  explicit Words(std::string_view directive) : text_(directive) {}
  Words& Add(std::string_view word) {
    text_ += " ";
    text_ += word;
    ++count_;
    return *this;
  }
  Words& AddIf(bool condition, std::string_view word) { return condition ? Add(word) : *this; }
  // NAME VALUE, if a line had set it.
  template <typename T>
  Words& Option(std::string_view name, const Setting<T>& setting) {
    return setting.is_set() ? Add(name).Add(Text(setting.value)) : *this;
  }
  void End(std::string& out) const { out += text_ + "\n"; }
  // Only if there is any word besides the directive.
  void EndIfAny(std::string& out) const {
    if (count_ != 0) End(out);
  }

 private:
  std::string text_;
  size_t count_ = 0;
};

template <typename T>
void Single(std::string& out, std::string_view name, const Setting<T>& setting) {
  if (setting.is_set()) Words(name).Add(Text(setting.value)).End(out);
}

std::string_view FamilyOption(Family family) { return family == Family::kIpv4 ? "-4" : "-6"; }

void RenderAssociation(std::string& out, const Association& a) {
  Words words(KindName(a.kind));
  words.AddIf(a.family != Family::kNone, FamilyOption(a.family)).Add(Text(a.host));
  words.Option("key", a.key).AddIf(a.autokey, "autokey");
  if (!a.ident.empty()) words.Add("ident").Add(Text(a.ident));
  words.AddIf(a.identity_optional, "identity optional");
  words.Option("minpoll", a.minpoll).Option("maxpoll", a.maxpoll);
  words.AddIf(a.iburst, "iburst").AddIf(a.burst, "burst").AddIf(a.prefer, "prefer");
  words.AddIf(a.noselect, "noselect").AddIf(a.always_true, "true").AddIf(a.preempt, "preempt");
  words.AddIf(a.xleave, "xleave").Option("version", a.version).Option("ttl", a.ttl);
  if (a.mode != 0) words.Add("mode").Add(Text(a.mode));
  words.End(out);
}

void RenderFudge(std::string& out, const Fudge& f) {
  Words words("fudge");
  words.Add(f.clock.ToString());
  if (f.time1) words.Add("time1").Add(Text(*f.time1));
  if (f.time2) words.Add("time2").Add(Text(*f.time2));
  if (f.stratum) words.Add("stratum").Add(Text(*f.stratum));
  if (!f.refid.empty()) words.Add("refid").Add(Text(f.refid));
  for (size_t i = 0; i < f.flags.size(); ++i)
    if (f.flags[i]) words.Add("flag" + std::to_string(i + 1)).Add(Text(*f.flags[i]));
  words.End(out);
}

void RenderRestriction(std::string& out, const Restriction& r) {
  Words words(r.remove ? "delrestrict" : "restrict");
  words.AddIf(r.family != Family::kNone, FamilyOption(r.family));
  if (r.target == RestrictTarget::kSource) words.Add("source");
  if (r.target == RestrictTarget::kDefault) words.Add("default");
  if (r.target == RestrictTarget::kHost) words.Add(Text(r.host));
  if (!r.address.is_none()) words.Add(NetworkText(r.address, r.mask));
  if (r.ippeerlimit) words.Add("ippeerlimit").Add(Text(*r.ippeerlimit));
  const std::string flags = r.flags.ToString();
  words.AddIf(!flags.empty(), flags).End(out);
}

void RenderGroups(std::string& out, std::string_view directive, const std::vector<Group>& groups) {
  Words words(directive);
  for (const Group& group : groups) words.Add(group.address.ToString());
  words.EndIfAny(out);
}

void RenderAccess(std::string& out, const Config& config) {
  for (const Restriction& r : config.restrictions) RenderRestriction(out, r);
  const Discard& d = config.discard;
  Words("discard")
      .Option("average", d.average)
      .Option("minimum", d.minimum)
      .Option("monitor", d.monitor)
      .EndIfAny(out);
  const MruLimits& m = config.mru;
  Words("mru")
      .Option("maxdepth", m.maxdepth)
      .Option("maxmem", m.maxmem)
      .Option("mindepth", m.mindepth)
      .Option("maxage", m.maxage)
      .EndIfAny(out);
}

void RenderAuthentication(std::string& out, const Authentication& a,
                          std::span<const KeyRange> ranges) {
  Single(out, "keys", a.keys_file);
  Words trusted("trustedkey");
  for (const KeyRange& range : ranges)
    trusted.Add("(").Add(Text(range.first)).Add("...").Add(Text(range.last)).Add(")");
  trusted.EndIfAny(out);
  Single(out, "controlkey", a.control_key);
  Single(out, "requestkey", a.request_key);
  Single(out, "controlnonce", a.control_nonce);
  Single(out, "keysdir", a.keys_dir);
  Single(out, "revoke", a.revoke);
  Single(out, "automax", a.automax);
  Single(out, "ident", a.ident);
  if (!a.crypto.enabled()) return;
  Words crypto("crypto");
  crypto.Option("pwfile", a.crypto.password_file).Option("host", a.crypto.host);
  crypto.Option("ident", a.crypto.ident).Option("digest", a.crypto.digest);
  crypto.Option("randfile", a.crypto.randfile).Option("seedfile", a.crypto.seedfile);
  crypto.Option("farm", a.crypto.farm);
  crypto.Option("privatekey", a.crypto.host_key_file).Option("sign", a.crypto.sign_key_file);
  crypto.Option("cert", a.crypto.certificate_file);
  crypto.AddIf(a.crypto.identity_optional.value, "identity optional").End(out);
}

void RenderFiles(std::string& out, const Files& f) {
  Single(out, "driftfile", f.driftfile);
  Single(out, "nonvolatile", f.nonvolatile);
  if (f.leapfile.is_set())
    Words("leapfile")
        .Add(Text(f.leapfile.value))
        .Add(f.leapfile_check_hash.value ? "checkhash" : "ignorehash")
        .End(out);
  Single(out, "logfile", f.logfile);
  if (f.logconfig.is_set()) Words("logconfig").Add(f.logconfig.value.ToString()).End(out);
  Single(out, "statsdir", f.statsdir);
  Single(out, "pidfile", f.pidfile);
  Single(out, "saveconfigdir", f.saveconfigdir);
  for (size_t i = 0; i < f.statistics.size(); ++i) {
    const Filegen& filegen = f.statistics[i];
    if (!filegen.where.known()) continue;
    Words words("filegen");
    words.Add(StatisticName(static_cast<Statistic>(i)));
    if (!filegen.file.empty()) words.Add("file").Add(Text(filegen.file));
    words.Add("type").Add(FilegenTypeName(filegen.type));
    words.Add(filegen.link ? "link" : "nolink").Add(filegen.enabled ? "enable" : "disable");
    words.End(out);
  }
}

void RenderSwitches(std::string& out, const Switches& s) {
  const std::pair<std::string_view, const Setting<bool>*> all[] = {
      {"auth", &s.auth},     {"bclient", &s.bclient}, {"calibrate", &s.calibrate},
      {"kernel", &s.kernel}, {"mode7", &s.mode7},     {"monitor", &s.monitor},
      {"ntp", &s.ntp},       {"pps", &s.pps},         {"stats", &s.stats},
  };
  Words enable("enable"), disable("disable");
  for (const auto& [name, setting] : all)
    if (setting->is_set()) (setting->value ? enable : disable).Add(name);
  enable.EndIfAny(out);
  disable.EndIfAny(out);
}

void RenderInterface(std::string& out, const InterfaceRule& rule) {
  constexpr std::string_view kActions[] = {"listen", "ignore", "drop"};
  constexpr std::string_view kMatches[] = {"all", "ipv4", "ipv6", "wildcard"};
  Words words("interface");
  words.Add(kActions[static_cast<size_t>(rule.action)]);
  if (rule.match == InterfaceMatch::kName)
    words.Add(Text(rule.name));
  else if (rule.match == InterfaceMatch::kAddress)
    words.Add(NetworkText(rule.address, MaskOfPrefix(rule.address.family, rule.prefix)));
  else
    words.Add(kMatches[static_cast<size_t>(rule.match)]);
  words.End(out);
}

void RenderSystem(std::string& out, const System& s) {
  const Tos& tos = s.tos;
  Words words("tos");
  words.Option("minclock", tos.minclock).Option("maxclock", tos.maxclock);
  words.Option("minsane", tos.minsane).Option("floor", tos.floor).Option("ceiling", tos.ceiling);
  words.Option("cohort", tos.cohort).Option("mindist", tos.mindist).Option("maxdist", tos.maxdist);
  words.Option("orphan", tos.orphan).Option("orphanwait", tos.orphanwait);
  words.Option("beacon", tos.beacon).Option("bcpollbstep", tos.bcpollbstep).EndIfAny(out);
  const Tinker& t = s.tinker;
  Words tinker("tinker");
  tinker.Option("allan", t.allan).Option("dispersion", t.dispersion).Option("freq", t.freq);
  tinker.Option("huffpuff", t.huffpuff).Option("panic", t.panic).Option("step", t.step);
  tinker.Option("stepback", t.stepback).Option("stepfwd", t.stepfwd);
  tinker.Option("stepout", t.stepout).Option("tick", t.tick).EndIfAny(out);
  RenderSwitches(out, s.switches);
  for (const InterfaceRule& rule : s.interfaces) RenderInterface(out, rule);
  for (const SystemVariable& v : s.variables)
    Words("setvar")
        .Add(Text(v.name) + " = " + Text(v.value))
        .AddIf(v.by_default, "default")
        .End(out);
  Single(out, "broadcastdelay", s.broadcastdelay);
  Words ttl("ttl");
  for (uint8_t hops : s.ttl.value) ttl.Add(Text(hops));
  ttl.EndIfAny(out);
  Single(out, "dscp", s.dscp);
}

}  // namespace

std::string Render(const Config& config) { return Render(config, config.authentication.trusted); }

std::string Render(const Config& config, std::span<const KeyRange> trusted) {
  std::string out;
  RenderSystem(out, config.system);
  RenderFiles(out, config.output);
  RenderAuthentication(out, config.authentication, trusted);
  RenderAccess(out, config);
  for (const Association& a : config.associations) RenderAssociation(out, a);
  for (const Fudge& f : config.fudges) RenderFudge(out, f);
  RenderGroups(out, "multicastclient", config.multicast_groups);
  RenderGroups(out, "manycastserver", config.manycast_groups);
  if (config.broadcastclient.value)
    out += config.novolley.value ? "broadcastclient novolley\n" : "broadcastclient\n";
  for (const Unpeer& u : config.unpeers)
    Words("unpeer").Add(u.host.empty() ? std::to_string(u.assoc.value) : Text(u.host)).End(out);
  return out;
}

}  // namespace ntpward::config
