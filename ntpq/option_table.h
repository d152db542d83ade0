// Every option of ntpq: its names, what it takes, what --help says of it, and what it does.
#pragma once

#include <span>

#include "ntpq/options.h"
#include "privsep/option_rows.h"

namespace ntpward::ntpq {

inline constexpr size_t kMaxHosts = 200;

// What the words so far say.
struct Parsing {
  Options& options;
  Family family = Family::kNone;  // of the hosts that follow
};

// Its `take` gets null where there is no value; an error is one line.
struct QueryOption : OptionRow<Parsing> {
  const char* takes;  // as --help shows it: "no", "Num", "Str", "KWd", "opt"
  const char* purpose;
};

// In the order in which --help lists them.
std::span<const QueryOption> OptionTable();

// A host to visit.
Status TakeHost(Parsing* parsing, const char* name);
// The options that a file of presets names; its path is `value`.
Status TakePresetFile(char* value, Parsing* parsing);
// Each as if it stood on the command line: "--numeric", "--refid=hash".
Status TakePresets(std::span<const std::string> presets, Parsing* parsing);

}  // namespace ntpward::ntpq
