#include "ntpq/option_table.h"

#include <algorithm>

#include "ntpd/wire/variable_values.h"
#include "ntpq/presets.h"
#include "ntpq/std_platform.h"

namespace ntpward::ntpq {
namespace {

template <bool Settings::*kFlag>
Status Set(char*, Parsing* parsing) {
  parsing->options.settings.*kFlag = true;
  return {};
}

template <bool Options::*kFlag>
Status Set(char*, Parsing* parsing) {
  parsing->options.*kFlag = true;
  return {};
}

template <Family kFamily>
Status SetFamily(char*, Parsing* parsing) {
  parsing->family = kFamily;
  return {};
}

Status Ignore(char*, Parsing*) { return {}; }

Result<uint32_t> Number(const char* option, const char* text) {
  const auto number = wire::DecodeUnsigned(text);
  if (!number || *number > 65535)
    return Fail(std::string("option ") + option + " takes a number, not '" + text + "'");
  return static_cast<uint32_t>(*number);
}

Status TakeKeyNumber(char* value, Parsing* parsing) {
  parsing->options.key = TRY(Number("-a", value));
  return {};
}

Status TakeCommand(char* value, Parsing* parsing) {
  parsing->options.commands.emplace_back(value);
  return {};
}

Status TakePeers(char*, Parsing* parsing) {
  parsing->options.commands.emplace_back("peers");
  return {};
}

Status RaiseDebugLevel(char*, Parsing* parsing) {
  ++parsing->options.settings.debug;
  return {};
}

Status SetDebugLevel(char* value, Parsing* parsing) {
  parsing->options.settings.debug = TRY(Number("-D", value));
  return {};
}

Status TakeKeyFile(char* value, Parsing* parsing) {
  parsing->options.key_file = value;
  return {};
}

Status TakeMetrics(char* value, Parsing* parsing) {
  const std::string name = value == nullptr ? "openmetrics" : value;
  if (name != "openmetrics" && name != "textfile")
    return Fail("'" + name + "' does not match any formats: openmetrics or textfile");
  parsing->options.metrics =
      name == "textfile" ? MetricsFormat::kTextfile : MetricsFormat::kOpenMetrics;
  return {};
}

Status TakeRefid(char* value, Parsing* parsing) {
  const std::string text = value;
  const bool hash = text == "hash" || text == "0";
  if (!hash && text != "ipv4" && text != "1")
    return Fail("'" + text + "' does not match any refid keywords: hash or ipv4");
  parsing->options.settings.refid = hash ? RefidStyle::kHash : RefidStyle::kIpv4;
  return {};
}

Status TakeFileToSave(char* value, Parsing* parsing) {
  parsing->options.save_to = value == nullptr ? PresetFile() : value;
  return {};
}

constexpr QueryOption kOptions[] = {
    {{'4', "ipv4", no_argument, SetFamily<Family::kIpv4>},
     "no",
     "use IPv4 for the hosts that follow"},
    {{'6', "ipv6", no_argument, SetFamily<Family::kIpv6>},
     "no",
     "use IPv6 for the hosts that follow"},
    {{'a', "authentication", required_argument, TakeKeyNumber},
     "Num",
     "key identifier for authenticated requests"},
    {{'c', "command", required_argument, TakeCommand},
     "Str",
     "run a command and exit; may appear multiple times"},
    {{'d', "debug-level", no_argument, RaiseDebugLevel}, "no", "increase the debug level"},
    {{'D', "set-debug-level", required_argument, SetDebugLevel}, "Num", "set the debug level"},
    {{'i', "interactive", no_argument, Set<&Options::interactive>},
     "no",
     "prompt for commands, whatever stdin is"},
    {{0, "json", no_argument, Set<&Settings::json>},
     "no",
     "print a line of JSON for each command and host"},
    {{'k', "keyfile", required_argument, TakeKeyFile}, "Str", "take the key of -a from this file"},
    {{0, "no-nonce", no_argument, Set<&Settings::no_nonce>},
     "no",
     "configure servers that give no nonce, too"},
    {{'n', "numeric", no_argument, Set<&Settings::numeric>}, "no", "show addresses as numbers"},
    {{0, "old-rv", no_argument, Set<&Settings::old_rv>},
     "no",
     "show the status line before named variables too"},
    {{0, "openmetrics", optional_argument, TakeMetrics},
     "opt",
     "print metrics of one host, for Prometheus ('textfile': for\n"
     "                           node_exporter) and exit"},
    {{'p', "peers", no_argument, TakePeers}, "no", "same as -c peers"},
    {{'r', "refid", required_argument, TakeRefid},
     "KWd",
     "show reference identifiers as 'hash' or 'ipv4'"},
    {{0, "signs", no_argument, Set<&Settings::signs>},
     "no",
     "show '+' before positive offsets and frequencies"},
    // Sockets are always connected: safer, and no server minds.
    {{'u', "unconnected", no_argument, Ignore}, "no", "accepted, without effect"},
    {{'w', "wide", no_argument, Set<&Settings::wide>}, "no", "show remote names in full"},
    {{0, "version", no_argument, Set<&Options::show_version>}, "no", "show the version and exit"},
    {{'?', "help", no_argument, Set<&Options::show_help>}, "no", "show this text and exit"},
    {{'!', "more-help", no_argument, Set<&Options::show_help>}, "no", "the same"},
    {{'<', "load-opts", required_argument, TakePresetFile}, "Str", "take options from this file"},
    // Looked at before all others.
    {{0, "no-load-opts", no_argument, Ignore}, "no", "take none from ~/.ntprc"},
    {{'>', "save-opts", optional_argument, TakeFileToSave},
     "opt",
     "write the options to this file, or to ~/.ntprc, and exit"},
};

}  // namespace

std::span<const QueryOption> OptionTable() { return kOptions; }

Status TakeHost(Parsing* parsing, const char* name) {
  if (parsing->options.hosts.size() == kMaxHosts) return Fail("too many hosts");
  parsing->options.hosts.push_back({name, parsing->family});
  return {};
}

Status TakePresetFile(char* value, Parsing* parsing) {
  const std::string text = TRY(StdPlatform().ReadFile(value));
  return TakePresets(PresetsOfFile(text), parsing);
}

Status TakePresets(std::span<const std::string> presets, Parsing* parsing) {
  for (const std::string& preset : presets) {
    const size_t sign = std::min(preset.find('='), preset.size());
    const std::string name = preset.substr(2, sign - 2);
    std::string value = preset.substr(std::min(sign + 1, preset.size()));
    for (const QueryOption& row : kOptions)
      if (name == row.name) TRY_VOID(row.take(value.data(), parsing));
  }
  return {};
}

}  // namespace ntpward::ntpq
