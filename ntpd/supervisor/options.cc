#include "ntpd/supervisor/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "privsep/option_rows.h"

namespace ntpward::supervisor {
namespace {

constexpr size_t kLongestVariable = 120;
constexpr double kMostClockOffset = 10 * 365.25 * 86400;  // seconds
constexpr double kMostClockError = 500;                   // ppm, as much as a discipline corrects

bool ParseDouble(const char* text, const char** rest, double* value) {
  char* end = nullptr;
  *value = std::strtod(text, &end);
  *rest = end;
  return end != text;
}

// OFFSET[,PPM], both optional in meaning but not in syntax once the '=' is there.
Status ParseNoClock(char* text, Options* options) {
  options->no_clock = true;
  if (text == nullptr) return {};
  const char* rest = text;
  const bool offset = ParseDouble(text, &rest, &options->clock_offset);
  if (offset && *rest == ',') {
    if (!ParseDouble(rest + 1, &rest, &options->clock_error_ppm)) rest = "?";
  }
  // In this form also for what is not finite.
  const bool in_range = std::abs(options->clock_offset) <= kMostClockOffset &&
                        std::abs(options->clock_error_ppm) <= kMostClockError;
  if (!offset || *rest != '\0' || !in_range)
    return Fail(std::string("--no-clock: '") + text +
                "' is not OFFSET[,PPM]: seconds (up to 10 years) and ppm (up to 500)");
  return {};
}

Status ParseLevel(const char* text, int* level) {
  const char* end = text + std::strlen(text);
  const auto [stop, failed] = std::from_chars(text, end, *level);
  if (failed != std::errc{} || stop != end || *level < 0 || *level > kMostDebug)
    return Fail(std::string("-D: '") + text + "' is not a level from 0 to 9");
  return {};
}

Status ParseReadyTimeout(const char* text, double* seconds) {
  const char* rest = text;
  if (!ParseDouble(text, &rest, seconds) || *rest != '\0' || !(*seconds > 0) || *seconds > 3600)
    return Fail(std::string("--ready-timeout: '") + text + "' is not a time of up to 3600 s");
  return {};
}

// NAME=VALUE, where the name can stand in a list of mode 6.
Status TakeVariable(std::string_view text, const char* signs, Options* options) {
  const std::string_view name = text.substr(0, text.find('='));
  const bool good = !name.empty() && name.size() < text.size() &&
                    std::all_of(text.begin(), text.end(),
                                [](char c) { return c >= ' ' && c < 0x7f && c != '"'; }) &&
                    name.find_first_of(" ,*+") == std::string_view::npos;
  if (!good || text.size() > kLongestVariable)
    return Fail("'" + std::string(text) + "' is not NAME=VALUE of up to " +
                std::to_string(kLongestVariable) + " characters");
  options->variables.push_back(signs + std::string(text));
  return {};
}

template <int kFamily>
Status TakeFamily(char*, Options* options) {
  if (options->family != 0 && options->family != kFamily)
    return Fail("-4 and -6 exclude each other");
  options->family = kFamily;
  return {};
}

// What ntpd 4.2.8 takes and nothing here needs.
Status Accept(char*, Options*) { return {}; }

using Row = OptionRow<Options>;

constexpr Row kRows[] = {
    {'4', "ipv4", no_argument, TakeFamily<4>},
    {'6', "ipv6", no_argument, TakeFamily<6>},
    {'c', "configfile", required_argument, KeepText<&Options::config_file>},
    {'d', "debug-level", no_argument, [](char*, Options* o) { return ++o->debug, Status(); }},
    {'D', "set-debug-level", required_argument,
     [](char* text, Options* o) { return ParseLevel(text, &o->debug); }},
    {'f', "driftfile", required_argument, KeepText<&Options::drift_file>},
    {'g', "panicgate", no_argument, SetSwitch<&Options::allow_panic>},
    {'i', "jaildir", required_argument, KeepText<&Options::chroot_directory>},
    {'I', "interface", required_argument,
     [](char* text, Options* o) { return o->interfaces.emplace_back(text), Status(); }},
    {'l', "logfile", required_argument, KeepText<&Options::log_file>},
    {'n', "nofork", no_argument, SetSwitch<&Options::foreground>},
    {'p', "pidfile", required_argument, KeepText<&Options::pid_file>},
    {'q', "quit", no_argument, SetSwitch<&Options::quit>},
    {'t', "check-config", no_argument, SetSwitch<&Options::check_config>},
    {'u', "user", required_argument, KeepText<&Options::user>},
    {'v', "var", required_argument,
     [](char* text, Options* o) { return TakeVariable(text, "+", o); }},
    {'V', "dvar", required_argument,
     [](char* text, Options* o) { return TakeVariable(text, "*+", o); }},
    {0, "version", no_argument, SetSwitch<&Options::show_version>},
    {'x', "slew", no_argument, SetSwitch<&Options::slew_only>},
    {'?', "help", no_argument, SetSwitch<&Options::show_help>},
    {0, "no-clock", optional_argument, ParseNoClock},
    {0, "ready-timeout", required_argument,
     [](char* text, Options* o) { return ParseReadyTimeout(text, &o->ready_timeout); }},
    {0, "renew-certificate", no_argument, SetSwitch<&Options::renew_certificate>},
    // Of priority: the roles need none.
    {0, "nice", no_argument, Accept},
    {'N', nullptr, no_argument, Accept},
};

}  // namespace

Result<Options> ParseOptions(int argc, char** argv) {
  Options options;
  opterr = 0;
  // 0 and not 1: what getopt remembers of a parse before goes too.
  optind = 0;
  const std::span<const Row> rows = kRows;
  const std::string letters = ":" + ShortOptions(rows);  // that says what lacks its value
  const std::vector<option> names = LongOptions(rows);
  for (;;) {
    const int index = std::max(optind, 1);
    const int letter = getopt_long(argc, argv, letters.c_str(), names.data(), nullptr);
    if (letter == -1) break;
    // getopt says '?' for this and for what it does not know.
    const bool asked_for_help =
        std::strcmp(argv[index], "--help") == 0 || std::strcmp(argv[index], "-?") == 0;
    // What -V has always asked here; with a value it is ntpd 4.2.8's.
    if (letter == ':' && optopt == 'V' && std::strcmp(argv[index], "-V") == 0) {
      options.show_version = true;
      continue;
    }
    if (letter == ':') return Fail(std::string("option '") + argv[index] + "' needs a value");
    if (letter == '?' && !asked_for_help)
      return Fail(std::string("illegal option '") + argv[index] + "'");
    // Mostly a variable of a script that is not set: to go on without it would surprise.
    if (optarg != nullptr && *optarg == '\0')
      return Fail(std::string("option '") + argv[index] + "' needs a value, not an empty one");
    TRY_VOID(FindOption(rows, letter)->take(optarg, &options));
  }
  if (optind < argc)
    return Fail(std::string("unexpected argument '") + argv[optind] +
                "': servers go into ntp.conf");
  if (options.debug > 0 || options.quit) options.foreground = true;
  return options;
}

std::string VersionText() { return "ntpd 4.2.8 (ntpward " NTPWARD_VERSION ")"; }

std::string HelpText() {
  return "usage: ntpd [OPTION]...\n"
         "ntpward's NTP daemon: one process for each job, none that reads the network may set the "
         "clock.\n"
         "\n"
         "  -c, --configfile=FILE   configuration (/etc/ntp.conf)\n"
         "  -t, --check-config      check the configuration, print every error, change nothing\n"
         "      --renew-certificate make a new Autokey certificate under the same keys, and exit\n"
         "  -n, --nofork            stay in the foreground\n"
         "  -g, --panicgate         allow the first correction to be of any size\n"
         "  -q, --quit              set the clock once and exit\n"
         "  -x, --slew              slew instead of stepping, up to 600 s\n"
         "      --no-clock[=OFFSET[,PPM]]\n"
         "                          leave the system's clock alone: serve system time plus a "
         "correction\n"
         "                          (OFFSET and PPM make it start wrong, for tests)\n"
         "      --ready-timeout=SECONDS\n"
         "                          how long a process may take to be ready (30)\n"
         "  -f, --driftfile=FILE    where the frequency is kept\n"
         "  -l, --logfile=FILE      log there instead of to syslog\n"
         "  -p, --pidfile=FILE      write the process id there\n"
         "  -u, --user=USER[:GROUP] account of the caged processes (default: one account each)\n"
         "  -i, --jaildir=DIR       accepted; the caged processes see no file system at all\n"
         "  -I, --interface=NAME    listen on this interface or address only (repeatable)\n"
         "  -4, --ipv4  -6, --ipv6  resolve names to this family only\n"
         "  -d, --debug-level       stay in the foreground and log more; -D N: the same\n"
         "  -v, --var=NAME=VALUE    a variable for ntpq that it may write (repeatable)\n"
         "  -V, --dvar=NAME=VALUE   the same, shown by default\n"
         "      --version           print the version\n"
         "  -?, --help              print this\n";
}

}  // namespace ntpward::supervisor
