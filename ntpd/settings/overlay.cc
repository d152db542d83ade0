#include "ntpd/settings/overlay.h"

#include <algorithm>

namespace ntpward::settings {
namespace {

using Problem = std::optional<LineError>;

template <typename T, typename U>
void Take(const config::Setting<T>& setting, U* to) {
  if (setting.is_set()) *to = static_cast<U>(setting.value);
}

template <typename T>
Problem Refuse(const config::Setting<T>& setting, std::string text) {
  if (!setting.is_set()) return std::nullopt;
  return LineError{setting.where, std::move(text)};
}

void TakeTos(const config::Tos& tos, msg::NetStart* start) {
  Take(tos.minclock, &start->minclock);
  Take(tos.maxclock, &start->maxclock);
  Take(tos.minsane, &start->minsane);
  start->minsane = std::max(1U, start->minsane);
  Take(tos.floor, &start->floor);
  Take(tos.ceiling, &start->ceiling);
  start->ceiling = std::min<uint8_t>(start->ceiling, 16);
  Take(tos.cohort, &start->cohort);
  Take(tos.mindist, &start->mindist);
  Take(tos.maxdist, &start->maxdist);
  Take(tos.orphan, &start->orphan);
  Take(tos.orphanwait, &start->orphanwait);
  Take(tos.beacon, &start->beacon);
}

// Whether the clock may be stepped at all is a limit of ntpd-clock.
Problem TakeStep(const config::Setting<double>& setting, double* to) {
  if (!setting.is_set()) return std::nullopt;
  if (setting.value == 0 || *to == 0)
    return LineError{setting.where,
                     "whether the clock is ever stepped is for ntp.conf to say: change it and send "
                     "SIGHUP"};
  *to = setting.value;
  return std::nullopt;
}

Problem TakeTinker(const config::Tinker& tinker, msg::NetStart* start) {
  Take(tinker.dispersion, &start->dispersion);
  Take(tinker.stepout, &start->stepout);
  if (auto problem = TakeStep(tinker.stepfwd, &start->step_forward)) return problem;
  if (auto problem = TakeStep(tinker.stepback, &start->step_backward)) return problem;
  if (auto problem =
          Refuse(tinker.panic, "the panic limit is for ntp.conf to say: change it and send SIGHUP"))
    return problem;
  return Refuse(tinker.freq, "the frequency is taken at the start only");
}

Problem TakeSwitches(const config::Switches& switches, msg::NetStart* start) {
  Take(switches.ntp, &start->discipline);
  if (auto problem = Refuse(switches.auth, "auth remote config ignored")) return problem;
  if (auto problem = Refuse(switches.bclient,
                            "whose broadcasts are believed is for ntp.conf to say: change it and "
                            "send SIGHUP"))
    return problem;
  if (auto problem = Refuse(switches.monitor,
                            "monitor has no effect: the rate limit needs the list of clients"))
    return problem;
  if (auto problem = Refuse(switches.calibrate,
                            "calibrate has no effect: there are no reference "
                            "clocks to calibrate"))
    return problem;
  return Refuse(switches.pps, "pps has no effect: there is no PPS signal here");
}

// Signs say that it is shown by default, or may be written.
std::string_view NameOf(std::string_view item) {
  item.remove_prefix(std::min(item.find_first_not_of("*+"), item.size()));
  return item.substr(0, item.find('='));
}

Problem TakeVariable(const config::SystemVariable& variable, msg::NetStart* start) {
  InlineText<128> text;
  if (!Fits(&text, VariableItem(variable))) return LineError{variable.where, TooLong(text)};
  for (auto& item : start->variables)
    if (NameOf(item.text()) == variable.name) {
      item = text;
      return std::nullopt;
    }
  if (start->variables.Push(text)) return std::nullopt;
  return LineError{variable.where, "too many variables: expected at most " +
                                       std::to_string(start->variables.size())};
}

}  // namespace

std::optional<LineError> Overlay(const config::Config& config, msg::NetStart* start) {
  const config::System& system = config.system;
  TakeTos(system.tos, start);
  if (auto problem = TakeTinker(system.tinker, start)) return problem;
  if (auto problem = TakeSwitches(system.switches, start)) return problem;
  for (const config::SystemVariable& variable : system.variables)
    if (auto problem = TakeVariable(variable, start)) return problem;
  Take(system.broadcastdelay, &start->broadcast_delay);
  if (system.ttl.is_set()) CHECK(start->ttls.Assign(system.ttl.value));
  Take(config.discard.average, &start->discard_average);
  Take(config.discard.minimum, &start->discard_minimum);
  if (config.mru.maxdepth.is_set() || config.mru.maxmem.is_set())
    start->mru_entries = ClientsOf(config.mru);
  Take(config.authentication.automax, &start->automax);
  if (config.output.logconfig.is_set())
    start->log_classes = LogClasses(config.output.logconfig.value);
  return std::nullopt;
}

config::LogMask MaskOf(uint8_t log_classes) {
  using config::LogClass;
  using config::LogKind;
  constexpr std::pair<msg::LogClassBit, uint16_t> kBits[] = {
      {msg::kLogSystemEvents, config::LogMask::Bit(LogClass::kSys, LogKind::kEvents)},
      {msg::kLogPeerEvents, config::LogMask::Bit(LogClass::kPeer, LogKind::kEvents)},
      {msg::kLogSystemInfo, config::LogMask::Bit(LogClass::kSys, LogKind::kInfo)},
      {msg::kLogPeerInfo, config::LogMask::Bit(LogClass::kPeer, LogKind::kInfo)},
  };
  uint16_t bits = 0;
  for (const auto& [which, bit] : kBits)
    if ((log_classes & which) != 0) bits = static_cast<uint16_t>(bits | bit);
  return config::LogMask(bits);
}

}  // namespace ntpward::settings
