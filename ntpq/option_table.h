// Every option of ntpq: its names, what it takes, what --help says of it, and what it does.
#pragma once

#include <cstdint>
#include <span>

#include "ntpq/options.h"

namespace ntpward::ntpq {

inline constexpr size_t kMaxHosts = 200;

// What the words so far say.
struct Parsing {
  Options& options;
  Family family = Family::kNone;  // of the hosts that follow
};

// What stands behind an option.
enum class OptionValue : uint8_t { kNone, kNumber, kText, kKeyword, kOptional };

struct OptionRow {
  char letter;  // 0: none
  const char* name;
  OptionValue value;
  const char* purpose;
  // Applies it. `value` is null when there is none; an error is one line.
  Status (*take)(Parsing& parsing, const char* value);
};

// In the order in which --help lists them.
std::span<const OptionRow> OptionRows();

// A host to visit.
Status TakeHost(Parsing& parsing, const char* name);
// The options that a file of presets names; its path is `value`.
Status TakePresetFile(Parsing& parsing, const char* value);
// Each as if it stood on the command line: "--numeric", "--refid=hash".
Status TakePresets(Parsing& parsing, std::span<const std::string> presets);

}  // namespace ntpward::ntpq
