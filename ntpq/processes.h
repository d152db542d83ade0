// The daemon's processes as `rv 0 privsep` tells of them, read and shown.
//
// What a server sends is text of unknown size and content; what leaves here is fit for a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ntpq/json_writer.h"
#include "ntpq/values.h"

namespace ntpward::ntpq {

// One process. What the server does not say of it stays empty.
struct ProcessRow {
  std::string name;   // "ntpd", "ntpd-net"; printable, as is `state`
  std::string state;  // "running", "starting", "ended", "silent"
  std::optional<uint64_t> uptime_s;
  std::optional<uint64_t> restarts;  // because it had died
  std::optional<uint64_t> refused;   // messages of it that other processes would not accept
  // As its kernel has it in /proc/PID/status.
  std::optional<uint64_t> uid;
  std::optional<uint64_t> seccomp;  // 2: a filter
  std::optional<uint64_t> no_new_privileges;
  std::optional<uint64_t> capabilities;
};

// The items named privsep_NAME, in their order.
std::vector<ProcessRow> ReadProcesses(const Values& values);

// A table, and below it what an operator should look at.
std::string ProcessTable(const std::vector<ProcessRow>& rows);

// {"processes": [{"name": "ntpd-net", "state": "running", ...}]}; null for what is not told.
void WriteProcesses(JsonWriter& json, const std::vector<ProcessRow>& rows);

// "none", "sys_time", "setuid,setgid,0x10000000000": names of <linux/capability.h>.
std::string CapabilityNames(uint64_t bits);
// Seconds in at most two units: "59 s", "4 min", "3 h 20 min", "12 d 4 h".
std::string Duration(uint64_t seconds);

}  // namespace ntpward::ntpq
