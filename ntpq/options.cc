#include "ntpq/options.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "ntpd/wire/variable_values.h"
#include "ntpq/option_table.h"
#include "ntpq/presets.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

constexpr const char* kUsage =
    "ntpq - standard NTP query program - Ver. " NTPWARD_VERSION
    " of ntpward\n"
    "Usage:  ntpq [ -<flag> [<val>] | --<name>[{=| }<val>] ]... [ host ...]\n";

// What getopt returns for a word that is no option, where those keep their place.
constexpr int kHost = 1;

// The numbers of /dev/null.
constexpr unsigned kMemoryDevices = 1;
constexpr unsigned kNullDevice = 3;

// What getopt stopped at: a letter, or a long option, for which it leaves no letter.
std::string OptionName(char** argv) {
  if (optopt > 0 && optopt < kFirstLong) return std::string(1, static_cast<char>(optopt));
  std::string name = argv[optind - 1];
  name.erase(0, name.find_first_not_of('-'));
  return name;
}

Status TakeFound(int found, char** argv, Parsing* parsing) {
  if (found == kHost) return TakeHost(parsing, optarg);
  if (found == ':') return Fail("option requires an argument -- " + OptionName(argv));
  const QueryOption* row = FindOption(OptionTable(), found);
  if (row == nullptr || (found == '?' && optopt != '?'))
    return Fail("illegal option -- " + OptionName(argv));
  return row->take(optarg, parsing);
}

// "ntpq watch [SECONDS] [HOST...]", where no command was asked for by an option.
void TakeWatch(Options& options) {
  std::vector<HostArgument>& words = options.hosts;
  if (!options.commands.empty() || options.interactive || options.metrics || words.empty() ||
      words.front().name != "watch")
    return;
  std::string command = "watch";
  words.erase(words.begin());
  if (!words.empty() && wire::DecodeUnsigned(words.front().name)) {
    command += ' ' + words.front().name;
    words.erase(words.begin());
  }
  options.commands.push_back(std::move(command));
}

// What may be read as presets without waiting for anybody. /dev/null stands for no presets.
bool HoldsPresets(const struct stat& file) {
  return S_ISREG(file.st_mode) ||
         (S_ISCHR(file.st_mode) && file.st_rdev == makedev(kMemoryDevices, kNullDevice));
}

// Those of the user's home, if there is such a file, and of the environment, which win.
Status TakeUsersPresets(int argc, char** argv, Parsing* parsing) {
  const bool wanted = std::none_of(argv, argv + argc, [](const char* word) {
    return std::string_view(word) == "--no-load-opts";
  });
  std::string path = PresetFile();
  if (wanted && !path.empty() && ::access(path.c_str(), R_OK) == 0) {
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0 || !HoldsPresets(file))
      return Fail(path + ": is no regular file; --no-load-opts goes without it");
    TRY_VOID(TakePresetFile(path.data(), parsing));
  }
  return TakePresets(PresetsOfEnvironment(), parsing);
}

std::string HelpLine(const QueryOption& row) {
  const std::string letter = row.letter == 0 ? "  " : std::string("-") + row.letter;
  return "   " + letter + " " + PadRight(row.takes, 3) + " " + PadRight(row.name, 16) + " " +
         row.purpose + "\n";
}

}  // namespace

Result<Options> ParseOptions(int argc, char** argv) {
  Options options;
  Parsing parsing{options};
  TRY_VOID(TakeUsersPresets(argc, argv, &parsing));
  // The leading "-:" tells a missing argument from an unknown letter, and keeps hosts and options
  // in order: -4 and -6 hold for the hosts that follow.
  const std::string letters = "-:" + ShortOptions(OptionTable());
  const std::vector<option> names = LongOptions(OptionTable());
  opterr = 0;
  optind = 0;  // from the start, whatever was parsed before
  int found;
  while ((found = getopt_long(argc, argv, letters.c_str(), names.data(), nullptr)) != -1)
    TRY_VOID(TakeFound(found, argv, &parsing));
  for (int i = optind; i < argc; ++i) TRY_VOID(TakeHost(&parsing, argv[i]));
  TakeWatch(options);
  if (options.interactive && !options.commands.empty())
    return Fail("the 'interactive' and 'command' options conflict");
  const bool commands = options.interactive || !options.commands.empty() || options.settings.json;
  if (options.metrics && (commands || options.hosts.size() > 1))
    return Fail("the 'openmetrics' option takes one host, and no commands");
  if (options.hosts.empty()) options.hosts.push_back({"localhost", parsing.family});
  return options;
}

std::string PresetText(const Options& options) {
  const Settings& settings = options.settings;
  std::string text = "# options of ntpq\n";
  if (settings.numeric) text += "numeric\n";
  if (settings.old_rv) text += "old-rv\n";
  if (settings.signs) text += "signs\n";
  if (settings.wide) text += "wide\n";
  if (settings.refid == RefidStyle::kHash) text += "refid = hash\n";
  if (options.key) text += "authentication = " + std::to_string(*options.key) + "\n";
  if (!options.key_file.empty()) text += "keyfile = " + options.key_file + "\n";
  return text;
}

std::string UsageHint() { return std::string(kUsage) + "Try 'ntpq --help' for more information."; }

std::string HelpText() {
  std::string text = std::string(kUsage) +
                     "        ntpq [ ... ] watch [ seconds ] [ host ]\n"
                     "  Flg Arg Option-Name      Description\n";
  for (const QueryOption& row : OptionTable()) text += HelpLine(row);
  return text +
         "\n"
         "Options are preset by ~/.ntprc, a long name and its value on each line, and by "
         "NTPQ_NUMERIC,\n"
         "NTPQ_WIDE, NTPQ_OLD_RV, NTPQ_SIGNS, NTPQ_REFID, NTPQ_IPV4, NTPQ_IPV6, "
         "NTPQ_AUTHENTICATION\n"
         "and NTPQ_KEYFILE in the environment.\n";
}

}  // namespace ntpward::ntpq
