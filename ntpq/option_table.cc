#include "ntpq/option_table.h"

#include <algorithm>

#include "ntpd/wire/variable_values.h"
#include "ntpq/presets.h"
#include "ntpq/std_platform.h"

namespace ntpward::ntpq {
namespace {

template <bool Settings::*kFlag>
Status Set(Parsing& parsing, const char*) {
  parsing.options.settings.*kFlag = true;
  return {};
}

template <bool Options::*kFlag>
Status Set(Parsing& parsing, const char*) {
  parsing.options.*kFlag = true;
  return {};
}

template <Family kFamily>
Status SetFamily(Parsing& parsing, const char*) {
  parsing.family = kFamily;
  return {};
}

Status Ignore(Parsing&, const char*) { return {}; }

Result<uint32_t> Number(const char* option, const char* text) {
  const auto number = wire::DecodeUnsigned(text);
  if (!number || *number > 65535)
    return Fail(std::string("option ") + option + " takes a number, not '" + text + "'");
  return static_cast<uint32_t>(*number);
}

Status TakeKeyNumber(Parsing& parsing, const char* value) {
  parsing.options.key = TRY(Number("-a", value));
  return {};
}

Status TakeCommand(Parsing& parsing, const char* value) {
  parsing.options.commands.emplace_back(value);
  return {};
}

Status TakePeers(Parsing& parsing, const char*) { return TakeCommand(parsing, "peers"); }

Status RaiseDebugLevel(Parsing& parsing, const char*) {
  ++parsing.options.settings.debug;
  return {};
}

Status SetDebugLevel(Parsing& parsing, const char* value) {
  parsing.options.settings.debug = TRY(Number("-D", value));
  return {};
}

Status TakeKeyFile(Parsing& parsing, const char* value) {
  parsing.options.key_file = value;
  return {};
}

Status TakeMetrics(Parsing& parsing, const char* value) {
  const std::string name = value == nullptr ? "openmetrics" : value;
  if (name != "openmetrics" && name != "textfile")
    return Fail("'" + name + "' does not match any formats: openmetrics or textfile");
  parsing.options.metrics =
      name == "textfile" ? MetricsFormat::kTextfile : MetricsFormat::kOpenMetrics;
  return {};
}

Status TakeRefid(Parsing& parsing, const char* value) {
  const std::string text = value;
  const bool hash = text == "hash" || text == "0";
  if (!hash && text != "ipv4" && text != "1")
    return Fail("'" + text + "' does not match any refid keywords: hash or ipv4");
  parsing.options.settings.refid = hash ? RefidStyle::kHash : RefidStyle::kIpv4;
  return {};
}

Status TakeFileToSave(Parsing& parsing, const char* value) {
  parsing.options.save_to = value == nullptr ? PresetFile() : value;
  return {};
}

using enum OptionValue;

constexpr OptionRow kOptions[] = {
    {'4', "ipv4", kNone, "use IPv4 for the hosts that follow", SetFamily<Family::kIpv4>},
    {'6', "ipv6", kNone, "use IPv6 for the hosts that follow", SetFamily<Family::kIpv6>},
    {'a', "authentication", kNumber, "key identifier for authenticated requests", TakeKeyNumber},
    {'c', "command", kText, "run a command and exit; may appear multiple times", TakeCommand},
    {'d', "debug-level", kNone, "increase the debug level", RaiseDebugLevel},
    {'D', "set-debug-level", kNumber, "set the debug level", SetDebugLevel},
    {'i', "interactive", kNone, "prompt for commands, whatever stdin is",
     Set<&Options::interactive>},
    {0, "json", kNone, "print a line of JSON for each command and host", Set<&Settings::json>},
    {'k', "keyfile", kText, "take the key of -a from this file", TakeKeyFile},
    {0, "no-nonce", kNone, "configure servers that give no nonce, too", Set<&Settings::no_nonce>},
    {'n', "numeric", kNone, "show addresses as numbers", Set<&Settings::numeric>},
    {0, "old-rv", kNone, "show the status line before named variables too", Set<&Settings::old_rv>},
    {0, "openmetrics", kOptional,
     "print metrics of one host, for Prometheus ('textfile': for\n"
     "                           node_exporter) and exit",
     TakeMetrics},
    {'p', "peers", kNone, "same as -c peers", TakePeers},
    {'r', "refid", kKeyword, "show reference identifiers as 'hash' or 'ipv4'", TakeRefid},
    {0, "signs", kNone, "show '+' before positive offsets and frequencies", Set<&Settings::signs>},
    // Sockets are always connected: safer, and no server minds.
    {'u', "unconnected", kNone, "accepted, without effect", Ignore},
    {'w', "wide", kNone, "show remote names in full", Set<&Settings::wide>},
    {0, "version", kNone, "show the version and exit", Set<&Options::show_version>},
    {'?', "help", kNone, "show this text and exit", Set<&Options::show_help>},
    {'!', "more-help", kNone, "the same", Set<&Options::show_help>},
    {'<', "load-opts", kText, "take options from this file", TakePresetFile},
    // Looked at before all others.
    {0, "no-load-opts", kNone, "take none from ~/.ntprc", Ignore},
    {'>', "save-opts", kOptional, "write the options to this file, or to ~/.ntprc, and exit",
     TakeFileToSave},
};

}  // namespace

std::span<const OptionRow> OptionRows() { return kOptions; }

Status TakeHost(Parsing& parsing, const char* name) {
  if (parsing.options.hosts.size() == kMaxHosts) return Fail("too many hosts");
  parsing.options.hosts.push_back({name, parsing.family});
  return {};
}

Status TakePresetFile(Parsing& parsing, const char* value) {
  const std::string text = TRY(StdPlatform().ReadFile(value));
  return TakePresets(parsing, PresetsOfFile(text));
}

Status TakePresets(Parsing& parsing, std::span<const std::string> presets) {
  for (const std::string& preset : presets) {
    const size_t sign = std::min(preset.find('='), preset.size());
    const std::string name = preset.substr(2, sign - 2);
    const std::string value = preset.substr(std::min(sign + 1, preset.size()));
    for (const OptionRow& row : kOptions)
      if (name == row.name) TRY_VOID(row.take(parsing, value.c_str()));
  }
  return {};
}

}  // namespace ntpward::ntpq
