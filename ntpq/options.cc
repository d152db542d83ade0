#include "ntpq/options.h"

#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "ntpd/wire/variable_values.h"
#include "ntpq/presets.h"
#include "ntpq/std_platform.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kMaxHosts = 200;

// Long options without a letter.
enum LongOnly : int {
  kOldRv = 256,
  kVersion,
  kSigns,
  kNoNonce,
  kJson,
  kOpenMetrics,
  kHelp,
  kNoLoadOpts
};

constexpr std::array<option, 25> kLongOptions = {
    {{"ipv4", no_argument, nullptr, '4'},
     {"ipv6", no_argument, nullptr, '6'},
     {"authentication", required_argument, nullptr, 'a'},
     {"command", required_argument, nullptr, 'c'},
     {"debug-level", no_argument, nullptr, 'd'},
     {"set-debug-level", required_argument, nullptr, 'D'},
     {"interactive", no_argument, nullptr, 'i'},
     {"json", no_argument, nullptr, kJson},
     {"keyfile", required_argument, nullptr, 'k'},
     {"no-nonce", no_argument, nullptr, kNoNonce},
     {"numeric", no_argument, nullptr, 'n'},
     {"old-rv", no_argument, nullptr, kOldRv},
     {"openmetrics", optional_argument, nullptr, kOpenMetrics},
     {"peers", no_argument, nullptr, 'p'},
     {"refid", required_argument, nullptr, 'r'},
     {"signs", no_argument, nullptr, kSigns},
     {"unconnected", no_argument, nullptr, 'u'},
     {"wide", no_argument, nullptr, 'w'},
     {"version", no_argument, nullptr, kVersion},
     {"help", no_argument, nullptr, kHelp},
     {"more-help", no_argument, nullptr, '!'},
     {"load-opts", required_argument, nullptr, '<'},
     {"no-load-opts", no_argument, nullptr, kNoLoadOpts},
     {"save-opts", optional_argument, nullptr, '>'},
     {nullptr, 0, nullptr, 0}}};
// The leading "-:" tells a missing argument from an unknown letter, and keeps hosts and options in
// order: -4 and -6 hold for the hosts that follow.
constexpr char kShortOptions[] = "-:46a:c:dD:ik:npr:uw!<:>::";

Result<uint32_t> Number(const char* option, const char* text) {
  const auto number = wire::DecodeUnsigned(text);
  if (!number || *number > 65535)
    return Fail(std::string("option ") + option + " takes a number, not '" + text + "'");
  return static_cast<uint32_t>(*number);
}

Result<RefidStyle> Refid(const std::string& text) {
  if (text == "hash" || text == "0") return RefidStyle::kHash;
  if (text == "ipv4" || text == "1") return RefidStyle::kIpv4;
  return Fail("'" + text + "' does not match any refid keywords: hash or ipv4");
}

Result<MetricsFormat> Format(const char* text) {
  const std::string_view name = text == nullptr ? "openmetrics" : text;
  if (name == "openmetrics") return MetricsFormat::kOpenMetrics;
  if (name == "textfile") return MetricsFormat::kTextfile;
  return Fail("'" + std::string(name) + "' does not match any formats: openmetrics or textfile");
}

Status TakeHost(Options& options, const char* name, Family family) {
  if (options.hosts.size() == kMaxHosts) return Fail("too many hosts");
  options.hosts.push_back({name, family});
  return {};
}

// What getopt stopped at: a letter, or a long option, for which it leaves no letter.
std::string OptionName(char** argv) {
  if (optopt > 0 && optopt < 256) return std::string(1, static_cast<char>(optopt));
  std::string name = argv[optind - 1];
  name.erase(0, name.find_first_not_of('-'));
  return name;
}

Status LoadPresets(Options& options, Family& family, const std::string& path);

Status TakeOption(Options& options, int letter, Family& family, char** argv) {
  Settings& settings = options.settings;
  switch (letter) {
    case 1:
      return TakeHost(options, optarg, family);
    case '4':
      family = Family::kIpv4;
      return {};
    case '6':
      family = Family::kIpv6;
      return {};
    case 'a':
      options.key = TRY(Number("-a", optarg));
      return {};
    case 'c':
      options.commands.emplace_back(optarg);
      return {};
    case 'd':
      ++settings.debug;
      return {};
    case 'D':
      settings.debug = TRY(Number("-D", optarg));
      return {};
    case 'i':
      options.interactive = true;
      return {};
    case 'k':
      options.key_file = optarg;
      return {};
    case 'n':
      settings.numeric = true;
      return {};
    case 'p':
      options.commands.emplace_back("peers");
      return {};
    case 'r':
      settings.refid = TRY(Refid(optarg));
      return {};
    case 'u':
      return {};  // sockets are always connected: safer, and no server minds
    case 'w':
      settings.wide = true;
      return {};
    case kOldRv:
      settings.old_rv = true;
      return {};
    case kSigns:
      settings.signs = true;
      return {};
    case kNoNonce:
      settings.no_nonce = true;
      return {};
    case kJson:
      settings.json = true;
      return {};
    case kOpenMetrics:
      options.metrics = TRY(Format(optarg));
      return {};
    case kVersion:
      options.show_version = true;
      return {};
    case kHelp:
    case '!':
      options.show_help = true;
      return {};
    case '<':
      return LoadPresets(options, family, optarg);
    case kNoLoadOpts:
      return {};  // looked at before all others
    case '>':
      options.save_to = optarg == nullptr ? PresetFile() : optarg;
      return {};
    case ':':
      return Fail("option requires an argument -- " + OptionName(argv));
    case '?':
      if (optopt != '?') return Fail("illegal option -- " + OptionName(argv));
      options.show_help = true;
      return {};
    default:
      return Fail("illegal option -- " + OptionName(argv));
  }
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

// Each as if it stood on the command line: "--numeric", "--refid=hash".
Status TakePresets(Options& options, Family& family, const std::vector<std::string>& presets) {
  for (const std::string& preset : presets) {
    const size_t sign = std::min(preset.find('='), preset.size());
    const std::string name = preset.substr(2, sign - 2);
    std::string value = preset.substr(std::min(sign + 1, preset.size()));
    for (const option& known : kLongOptions) {
      if (known.name == nullptr || name != known.name) continue;
      optarg = value.data();
      TRY_VOID(TakeOption(options, known.val, family, nullptr));
    }
  }
  return {};
}

Status LoadPresets(Options& options, Family& family, const std::string& path) {
  const std::string text = TRY(StdPlatform().ReadFile(path));
  return TakePresets(options, family, PresetsOfFile(text));
}

// Those of the user's home, if there is such a file, and of the environment, which win.
Status TakeUsersPresets(Options& options, Family& family, int argc, char** argv) {
  const bool wanted = std::none_of(argv, argv + argc, [](const char* word) {
    return std::string_view(word) == "--no-load-opts";
  });
  const std::string path = PresetFile();
  if (wanted && !path.empty() && ::access(path.c_str(), R_OK) == 0)
    TRY_VOID(LoadPresets(options, family, path));
  return TakePresets(options, family, PresetsOfEnvironment());
}

}  // namespace

Result<Options> ParseOptions(int argc, char** argv) {
  Options options;
  Family family = Family::kNone;
  TRY_VOID(TakeUsersPresets(options, family, argc, argv));
  opterr = 0;
  optind = 0;  // from the start, whatever was parsed before
  int letter;
  while ((letter = getopt_long(argc, argv, kShortOptions, kLongOptions.data(), nullptr)) != -1)
    TRY_VOID(TakeOption(options, letter, family, argv));
  for (int i = optind; i < argc; ++i) TRY_VOID(TakeHost(options, argv[i], family));
  TakeWatch(options);
  if (options.interactive && !options.commands.empty())
    return Fail("the 'interactive' and 'command' options conflict");
  const bool commands = options.interactive || !options.commands.empty() || options.settings.json;
  if (options.metrics && (commands || options.hosts.size() > 1))
    return Fail("the 'openmetrics' option takes one host, and no commands");
  if (options.hosts.empty()) options.hosts.push_back({"localhost", family});
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

std::string UsageHint() {
  return "ntpq - standard NTP query program - Ver. " NTPWARD_VERSION
         " of ntpward\n"
         "Usage:  ntpq [ -<flag> [<val>] | --<name>[{=| }<val>] ]... [ host ...]\n"
         "Try 'ntpq --help' for more information.";
}

std::string HelpText() {
  return "ntpq - standard NTP query program - Ver. " NTPWARD_VERSION
         " of ntpward\n"
         "Usage:  ntpq [ -<flag> [<val>] | --<name>[{=| }<val>] ]... [ host ...]\n"
         "        ntpq [ ... ] watch [ seconds ] [ host ]\n"
         "  Flg Arg Option-Name      Description\n"
         "   -4 no  ipv4             use IPv4 for the hosts that follow\n"
         "   -6 no  ipv6             use IPv6 for the hosts that follow\n"
         "   -a Num authentication   key identifier for authenticated requests\n"
         "   -c Str command          run a command and exit; may appear multiple times\n"
         "   -d no  debug-level      increase the debug level\n"
         "   -D Num set-debug-level  set the debug level\n"
         "   -i no  interactive      prompt for commands, whatever stdin is\n"
         "      no  json             print a line of JSON for each command and host\n"
         "   -k Str keyfile          take the key of -a from this file\n"
         "      no  no-nonce         configure servers that give no nonce, too\n"
         "   -n no  numeric          show addresses as numbers\n"
         "      no  old-rv           show the status line before named variables too\n"
         "      opt openmetrics      print metrics of one host, for Prometheus ('textfile': for\n"
         "                           node_exporter) and exit\n"
         "   -p no  peers            same as -c peers\n"
         "   -r KWd refid            show reference identifiers as 'hash' or 'ipv4'\n"
         "      no  signs            show '+' before positive offsets and frequencies\n"
         "   -u no  unconnected      accepted, without effect\n"
         "   -w no  wide             show remote names in full\n"
         "      no  version          show the version and exit\n"
         "   -? no  help             show this text and exit\n"
         "   -! no  more-help        the same\n"
         "   -< Str load-opts        take options from this file\n"
         "      no  no-load-opts     take none from ~/.ntprc\n"
         "   -> opt save-opts        write the options to this file, or to ~/.ntprc, and exit\n"
         "\n"
         "Options are preset by ~/.ntprc, a long name and its value on each line, and by "
         "NTPQ_NUMERIC,\n"
         "NTPQ_WIDE, NTPQ_OLD_RV, NTPQ_SIGNS, NTPQ_REFID, NTPQ_IPV4, NTPQ_IPV6, "
         "NTPQ_AUTHENTICATION\n"
         "and NTPQ_KEYFILE in the environment.\n";
}

}  // namespace ntpward::ntpq
