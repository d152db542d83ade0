// The command line of ntpq: the options of ntpq 4.2.8, NTPsec's -a and -k, and --signs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ntpq/command.h"
#include "ntpq/metrics_writer.h"
#include "ntpq/session.h"

namespace ntpward::ntpq {

struct Options {
  Settings settings;
  std::vector<std::string> commands;  // -c and -p in their order; empty: read lines
  std::vector<HostArgument> hosts;    // "localhost" when none was named
  bool interactive = false;
  std::optional<MetricsFormat> metrics;  // of one host, instead of commands
  bool show_version = false;
  bool show_help = false;
  std::optional<uint32_t> key;
  std::string key_file;
  std::optional<std::string> save_to;  // write PresetText there, and nothing else
};

// `argc` and `argv` as main() has them; the words are put into another order. The error is one
// line, what getopt would complain about: it follows the program's name. ~/.ntprc and NTPQ_NUMERIC
// and its like in the environment are presets (presets.h).
Result<Options> ParseOptions(int argc, char** argv);

// A file of presets that has the same effect.
std::string PresetText(const Options& options);

// Three lines that follow a complaint; the whole text of --help.
std::string UsageHint();
std::string HelpText();

}  // namespace ntpward::ntpq
