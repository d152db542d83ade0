#include "ntpd/config/system.h"

#include <cmath>

#include "ntpd/config/directive.h"
#include "ntpd/config/host.h"
#include "ntpd/config/options.h"

namespace ntpward::config {
namespace {

constexpr double kMaxSeconds = 1e9;
constexpr int64_t kMaxCount = 1000000;

// An option that sets one number of a settings struct.
template <auto kMember, int64_t kLow, int64_t kHigh, typename S>
void TakeInteger(Line& line, S& settings) {
  auto& setting = settings.*kMember;
  using Value = decltype(setting.value);
  const auto value = static_cast<Value>(line.Integer("whole number", kLow, kHigh));
  setting.Set(value, line.where());
}

template <auto kMember, typename S>
void TakeSeconds(Line& line, S& settings) {
  const double value = line.Number("seconds", 0, kMaxSeconds);
  (settings.*kMember).Set(value, line.where());
}

// --- tos --------------------------------------------------------------------------------------

constexpr auto kTosOptions = std::to_array<Option<Tos>>({
    {"minclock", TakeInteger<&Tos::minclock, 1, kMaxCount>},
    {"maxclock", TakeInteger<&Tos::maxclock, 1, kMaxCount>},
    {"minsane", TakeInteger<&Tos::minsane, 0, kMaxCount>},
    {"floor", TakeInteger<&Tos::floor, 0, 16>},
    {"ceiling", TakeInteger<&Tos::ceiling, 1, 17>},
    {"cohort",
     [](Line& l, Tos& t) {
       const bool value = l.Boolean("cohort");
       t.cohort.Set(value, l.where());
     }},
    {"mindist", TakeSeconds<&Tos::mindist>},
    {"maxdist", TakeSeconds<&Tos::maxdist>},
    {"orphan", TakeInteger<&Tos::orphan, 1, kNoOrphanStratum>},
    {"orphanwait", TakeInteger<&Tos::orphanwait, 0, kMaxCount>},
    {"beacon", TakeInteger<&Tos::beacon, 0, kMaxCount>},
    {"bcpollbstep", TakeInteger<&Tos::bcpollbstep, 0, 4>},
    {"basedate",
     [](Line& l, Tos&) {
       (void)l.String("date");
       l.Warn("basedate has no effect: the date of the build is used");
     }},
});

void ParseTos(Line& line, Config& config) {
  Tos tos = config.system.tos;
  TakeSomeOptions(line, tos, kTosOptions, "option");
  if (line.Finish()) config.system.tos = tos;
}

// --- tinker -----------------------------------------------------------------------------------

constexpr double kMaxAllanLog = 17;

// Files from before 4.2.4 give seconds, later ones log2 of seconds.
void TakeAllan(Line& line, Tinker& tinker) {
  double value = line.Number("log2 of seconds", 0, 131072);
  if (value > kMaxAllanLog) {
    value = std::round(std::log2(value));
    line.Warn("the Allan intercept is log2 of seconds: " + std::to_string(static_cast<int>(value)) +
              " is meant");
  }
  tinker.allan.Set(static_cast<uint8_t>(std::lround(value)), line.where());
}

void TakeStep(Line& line, Tinker& tinker) {
  const double value = line.Number("seconds", 0, kMaxSeconds);
  tinker.step.Set(value, line.where());
  tinker.stepback.Set(value, line.where());
  tinker.stepfwd.Set(value, line.where());
}

constexpr auto kTinkerOptions = std::to_array<Option<Tinker>>({
    {"allan", TakeAllan},
    {"dispersion",
     [](Line& l, Tinker& t) {
       const double ppm = l.Number("parts per million", 0, 500);
       t.dispersion.Set(ppm, l.where());
     }},
    {"freq",
     [](Line& l, Tinker& t) {
       const double ppm = l.Number("parts per million", -500, 500);
       t.freq.Set(ppm, l.where());
     }},
    {"huffpuff", TakeSeconds<&Tinker::huffpuff>},
    {"panic", TakeSeconds<&Tinker::panic>},
    {"step", TakeStep},
    {"stepback", TakeSeconds<&Tinker::stepback>},
    {"stepfwd", TakeSeconds<&Tinker::stepfwd>},
    {"stepout", TakeSeconds<&Tinker::stepout>},
    {"tick",
     [](Line& l, Tinker& t) {
       const double tick = l.Number("seconds", 0, 1);
       t.tick.Set(tick, l.where());
       l.Warn("tick has no effect");
     }},
});

void ParseTinker(Line& line, Config& config) {
  Tinker tinker = config.system.tinker;
  TakeSomeOptions(line, tinker, kTinkerOptions, "option");
  if (line.Finish()) config.system.tinker = tinker;
}

// --- enable, disable --------------------------------------------------------------------------

struct SwitchLine {
  Switches switches;
  bool on = false;
};

template <Setting<bool> Switches::*kMember>
void Flip(Line& line, SwitchLine& said) {
  (said.switches.*kMember).Set(said.on, line.where());
}

template <Setting<bool> Switches::*kMember>
void FlipInFile(Line& line, SwitchLine& said) {
  if (line.remote()) return line.Fail(line.Cite() + " is accepted in the configuration file only");
  Flip<kMember>(line, said);
}

void IgnoreSwitch(Line& line, SwitchLine&) {
  if (line.remote()) return line.Fail(line.Cite() + " is accepted in the configuration file only");
  line.Warn(line.Cite() + " has no effect");
}

constexpr auto kSwitches = std::to_array<Option<SwitchLine>>({
    {"auth", Flip<&Switches::auth>},
    {"bclient", Flip<&Switches::bclient>},
    {"calibrate", Flip<&Switches::calibrate>},
    {"kernel", Flip<&Switches::kernel>},
    {"mode7", FlipInFile<&Switches::mode7>},
    {"monitor", Flip<&Switches::monitor>},
    {"ntp", Flip<&Switches::ntp>},
    {"pps", Flip<&Switches::pps>},
    {"stats", FlipInFile<&Switches::stats>},
    {"peer_clear_digest_early", IgnoreSwitch},
    {"unpeer_crypto_early", IgnoreSwitch},
    {"unpeer_crypto_nak_early", IgnoreSwitch},
    {"unpeer_digest_early", IgnoreSwitch},
});

template <bool kOn>
void ParseSwitches(Line& line, Config& config) {
  SwitchLine said{config.system.switches, kOn};
  TakeSomeOptions(line, said, kSwitches, "switch");
  if (line.Finish()) config.system.switches = said.switches;
}

// --- interface --------------------------------------------------------------------------------

constexpr size_t kMaxInterfaceName = 15;  // IFNAMSIZ - 1

constexpr auto kActions = std::to_array<Option<InterfaceRule>>({
    {"listen", [](Line&, InterfaceRule& r) { r.action = InterfaceAction::kListen; }},
    {"ignore", [](Line&, InterfaceRule& r) { r.action = InterfaceAction::kIgnore; }},
    {"drop", [](Line&, InterfaceRule& r) { r.action = InterfaceAction::kDrop; }},
});

void TakeInterface(Line& line, InterfaceRule& rule) {
  if (line.Accept("all")) return;
  if (line.Accept("ipv4")) return void(rule.match = InterfaceMatch::kIpv4);
  if (line.Accept("ipv6")) return void(rule.match = InterfaceMatch::kIpv6);
  if (line.Accept("wildcard")) return void(rule.match = InterfaceMatch::kWildcard);
  std::string word = line.String("'all', 'ipv4', 'ipv6', 'wildcard', a name or an address");
  if (line.failed()) return;
  if (const auto network = TakeNetwork(line, word)) {
    rule.match = InterfaceMatch::kAddress;
    rule.address = network->address;
    rule.prefix = network->prefix;
    return;
  }
  if (word.size() > kMaxInterfaceName || word.find('/') != std::string::npos)
    return line.Fail(line.Cite() + " is neither an interface's name nor an address");
  rule.match = InterfaceMatch::kName;
  rule.name = std::move(word);
}

void ParseInterface(Line& line, Config& config) {
  InterfaceRule rule;
  rule.where = line.where();
  if (line.AtEnd()) line.FailNext("'listen', 'ignore' or 'drop'");
  TakeOption(line, rule, kActions, "action");
  TakeInterface(line, rule);
  if (line.Finish()) config.system.interfaces.push_back(std::move(rule));
}

// --- setvar and single values -----------------------------------------------------------------

constexpr size_t kMaxVariable = 256;

void ParseSetvar(Line& line, Config& config) {
  SystemVariable variable;
  if (line.AtEnd()) line.FailNext("NAME = VALUE");
  variable.name = line.Next();
  variable.where = line.where();
  for (char c : variable.name)
    if (c <= 0x20 || c >= 0x7f || c == ',' || c == '"' || c == '*' || c == '+')
      line.Fail("bad name of a variable");
  if (variable.name.empty() || variable.name == "=" || variable.name.size() > kMaxVariable)
    line.Fail("bad name of a variable: expected NAME = VALUE");
  if (!line.Accept("=")) line.FailNext("'=' after the variable's name");
  variable.value = line.String("value");
  if (variable.value.size() > kMaxVariable) line.Fail("the value is too long: expected 256 octets");
  variable.by_default = line.Accept("default");
  if (line.Finish()) config.system.variables.push_back(std::move(variable));
}

void ParseBroadcastdelay(Line& line, Config& config) {
  const double delay = line.Number("seconds", 0, 1);
  const Location where = line.where();
  if (line.Finish()) config.system.broadcastdelay.Set(delay, where);
}

constexpr size_t kMaxTtls = 8;

void ParseTtl(Line& line, Config& config) {
  const Location where = line.where();
  std::vector<uint8_t> hops;
  if (line.AtEnd()) line.FailNext("hop limits");
  while (!line.AtEnd()) {
    hops.push_back(static_cast<uint8_t>(line.Integer("hop limit", 1, 255)));
    if (hops.size() > kMaxTtls) line.Fail("too many hop limits: expected at most 8");
  }
  if (line.Finish()) config.system.ttl.Set(std::move(hops), where);
}

void ParseDscp(Line& line, Config& config) {
  const auto dscp = static_cast<uint8_t>(line.Integer("code point", 0, 63));
  const Location where = line.where();
  if (line.Finish()) config.system.dscp.Set(dscp, where);
}

constexpr auto kDirectives = std::to_array<Directive>({
    {"tos", ParseTos},
    {"tinker", ParseTinker},
    {"enable", ParseSwitches<true>},
    {"disable", ParseSwitches<false>},
    {"interface", ParseInterface},
    {"nic", ParseInterface},
    {"setvar", ParseSetvar},
    {"broadcastdelay", ParseBroadcastdelay},
    {"ttl", ParseTtl},
    {"dscp", ParseDscp},
});

}  // namespace

std::span<const Directive> SystemDirectives() { return kDirectives; }

}  // namespace ntpward::config
