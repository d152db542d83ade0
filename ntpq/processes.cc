#include "ntpq/processes.h"

#include <algorithm>
#include <array>

#include "ntpd/wire/variable_values.h"
#include "ntpq/json_values.h"
#include "ntpq/text.h"
#include "privsep/base/text.h"

namespace ntpward::ntpq {
namespace {

constexpr std::string_view kPrefix = "privsep_";
constexpr size_t kMostRows = 16;

// By number; <linux/capability.h>.
constexpr std::array<std::string_view, 41> kCapabilities = {"chown",
                                                            "dac_override",
                                                            "dac_read_search",
                                                            "fowner",
                                                            "fsetid",
                                                            "kill",
                                                            "setgid",
                                                            "setuid",
                                                            "setpcap",
                                                            "linux_immutable",
                                                            "net_bind_service",
                                                            "net_broadcast",
                                                            "net_admin",
                                                            "net_raw",
                                                            "ipc_lock",
                                                            "ipc_owner",
                                                            "sys_module",
                                                            "sys_rawio",
                                                            "sys_chroot",
                                                            "sys_ptrace",
                                                            "sys_pacct",
                                                            "sys_admin",
                                                            "sys_boot",
                                                            "sys_nice",
                                                            "sys_resource",
                                                            "sys_time",
                                                            "sys_tty_config",
                                                            "mknod",
                                                            "lease",
                                                            "audit_write",
                                                            "audit_control",
                                                            "setfcap",
                                                            "mac_override",
                                                            "mac_admin",
                                                            "syslog",
                                                            "wake_alarm",
                                                            "block_suspend",
                                                            "audit_read",
                                                            "perfmon",
                                                            "bpf",
                                                            "checkpoint_restore"};

struct NumberField {
  std::string_view name;
  std::optional<uint64_t> ProcessRow::*field;
};
constexpr NumberField kNumbers[] = {
    {"uptime", &ProcessRow::uptime_s},          {"restarts", &ProcessRow::restarts},
    {"refused", &ProcessRow::refused},          {"uid", &ProcessRow::uid},
    {"seccomp", &ProcessRow::seccomp},          {"no_new_privs", &ProcessRow::no_new_privileges},
    {"capabilities", &ProcessRow::capabilities}};

void ReadWord(std::string_view word, ProcessRow& row) {
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos) return;
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = word.substr(equals + 1);
  if (name == "state") row.state = Printable(value);
  for (const NumberField& number : kNumbers)
    if (number.name == name) row.*number.field = wire::DecodeNumber(value);
}

ProcessRow ReadRow(std::string_view name, std::string_view text) {
  ProcessRow row;
  row.name = name == "ntpd" ? "ntpd" : "ntpd-" + Printable(name);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    ReadWord(word, row);
  }
  return row;
}

std::string NumberText(const std::optional<uint64_t>& number) {
  return number ? std::to_string(*number) : "?";
}

std::string SeccompText(const std::optional<uint64_t>& mode) {
  constexpr std::string_view kModes[] = {"none", "strict", "filter"};
  return mode && *mode < std::size(kModes) ? std::string(kModes[*mode]) : "?";
}

std::string YesNo(const std::optional<uint64_t>& flag) {
  return !flag ? "?" : *flag != 0 ? "yes" : "no";
}

std::string RowText(const ProcessRow& row) {
  return PadRight(row.name, 13) + " " + PadRight(row.state.empty() ? "?" : row.state, 9) + " " +
         PadLeft(row.uptime_s ? Duration(*row.uptime_s) : "?", 11) + " " +
         PadLeft(NumberText(row.restarts), 8) + " " + PadLeft(NumberText(row.refused), 7) + " " +
         PadLeft(NumberText(row.uid), 6) + " " + PadLeft(SeccompText(row.seccomp), 7) + " " +
         PadLeft(YesNo(row.no_new_privileges), 7) + "  " +
         (row.capabilities ? CapabilityNames(*row.capabilities) : "?") + "\n";
}

std::vector<std::string> CapabilityList(uint64_t bits) {
  std::vector<std::string> names;
  for (size_t i = 0; i < kCapabilities.size(); ++i) {
    if ((bits >> i & 1) == 0) continue;
    names.emplace_back(kCapabilities[i]);
    bits &= ~(uint64_t{1} << i);
  }
  // Of a newer kernel.
  if (bits != 0) names.push_back(HexNumber(bits));
  return names;
}

std::string Times(uint64_t count) { return count == 1 ? "once" : std::to_string(count) + " times"; }

// What is not as it should be with one process.
std::string Remarks(const ProcessRow& row) {
  std::string text;
  if (row.state == "silent")
    text += row.name + " leaves the supervisor's questions unanswered" +
            (row.name == "ntpd-resolve" ? ": it waits for a name server, or hangs.\n"
                                        : ": it hangs, and is killed after half a minute.\n");
  if (row.state == "ended")
    text += row.name + " has died and is to be started again: the log says why it died.\n";
  if (row.restarts.value_or(0) > 0)
    text +=
        row.name + " died and was started again " + Times(*row.restarts) + ": the log says why.\n";
  if (row.refused.value_or(0) > 0)
    text += row.name + " sent what it must not send, " + Times(*row.refused) +
            ": it was killed for that. It may have been broken into.\n";
  if (row.state == "running" && row.seccomp && *row.seccomp != 2)
    text += row.name + " runs without a system call filter.\n";
  if (row.state == "running" && row.no_new_privileges && *row.no_new_privileges == 0)
    text += row.name + " could gain privileges.\n";
  return text;
}

}  // namespace

std::vector<ProcessRow> ReadProcesses(const Values& values) {
  std::vector<ProcessRow> rows;
  for (const NamedValue& value : values) {
    if (!value.name.starts_with(kPrefix) || rows.size() == kMostRows) continue;
    rows.push_back(ReadRow(std::string_view(value.name).substr(kPrefix.size()), value.value));
  }
  return rows;
}

std::string ProcessTable(const std::vector<ProcessRow>& rows) {
  std::string text =
      "process       state          uptime restarts refused    uid seccomp nonewpr  capabilities\n"
      "=======================================================================================\n";
  std::string remarks;
  bool unknown = false;
  for (const ProcessRow& row : rows) {
    text += RowText(row);
    remarks += Remarks(row);
    unknown = unknown || !row.seccomp;
  }
  if (unknown)
    remarks += "Where it says ? the supervisor cannot read what the kernel says (/proc).\n";
  return remarks.empty() ? text : text + "\n" + remarks;
}

void WriteProcesses(JsonWriter& json, const std::vector<ProcessRow>& rows) {
  const auto number = [&](std::string_view name, const std::optional<uint64_t>& value) {
    json.Key(name);
    value ? json.Unsigned(*value) : json.Null();
  };
  json.BeginObject();
  json.Key("processes");
  json.BeginArray();
  for (const ProcessRow& row : rows) {
    json.BeginObject();
    json.Key("name").Text(row.name);
    json.Key("state").Text(row.state);
    number("uptime_s", row.uptime_s);
    number("restarts", row.restarts);
    number("refused", row.refused);
    number("uid", row.uid);
    json.Key("seccomp");
    row.seccomp ? WriteCode(json, *row.seccomp, SeccompText(row.seccomp)) : json.Null();
    json.Key("no_new_privs");
    row.no_new_privileges ? json.Bool(*row.no_new_privileges != 0) : json.Null();
    json.Key("capabilities");
    if (row.capabilities) {
      json.BeginArray();
      for (const std::string& name : CapabilityList(*row.capabilities)) json.Text(name);
      json.EndArray();
    } else {
      json.Null();
    }
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

std::string CapabilityNames(uint64_t bits) {
  std::string names;
  for (const std::string& name : CapabilityList(bits)) names += (names.empty() ? "" : ",") + name;
  return names.empty() ? "none" : names;
}

std::string Duration(uint64_t seconds) {
  constexpr uint64_t kMinute = 60;
  constexpr uint64_t kHour = 3600;
  constexpr uint64_t kDay = 86400;
  const auto number = [](uint64_t count, const char* unit) {
    return std::to_string(count) + " " + unit;
  };
  if (seconds < kMinute) return number(seconds, "s");
  if (seconds < kHour) return number(seconds / kMinute, "min");
  if (seconds < kDay)
    return number(seconds / kHour, "h") + " " + number(seconds % kHour / kMinute, "min");
  return number(seconds / kDay, "d") + " " + number(seconds % kDay / kHour, "h");
}

}  // namespace ntpward::ntpq
