// ntpd's command line (as ntpd 4.2.8, plus --check-config and --no-clock).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "privsep/base/result.h"

namespace ntpward::supervisor {

inline constexpr int kMostDebug = 9;  // -D, and what SIGUSR1 raises the level to

struct Options {
  std::string config_file = "/etc/ntp.conf";  // -c
  std::string drift_file;                     // -f; empty: as configured
  std::string log_file;                       // -l
  std::string pid_file;                       // -p
  std::string user;                           // -u USER[:GROUP]: the account of all roles
  std::string chroot_directory;               // -i: accepted; every role has an empty root anyway
  std::vector<std::string> interfaces;        // -I: listen here only (names or addresses)
  // -v, -V: mode 6 variables that may be written by mode 6, as msg::NetStart has them
  std::vector<std::string> variables;
  bool allow_panic = false;        // -g
  bool quit = false;               // -q
  bool foreground = false;         // -n; also with -d, -q and --check-config
  bool slew_only = false;          // -x
  int debug = 0;                   // -d (repeatable), -D LEVEL
  int family = 0;                  // -4, -6: names resolve to this family only
  bool check_config = false;       // -t, --check-config
  bool renew_certificate = false;  // --renew-certificate
  bool show_version = false;       // --version, -V without a value
  bool show_help = false;          // -?, --help
  bool no_clock = false;           // --no-clock[=OFFSET[,PPM]]
  double clock_offset = 0;         // seconds that the virtual clock starts off
  // --ready-timeout: s that a process may take from its start until it serves
  double ready_timeout = 30;
  double clock_error_ppm = 0;  // how wrong its oscillator runs
};

// The error is what to print before "try --help"; ntpd then exits with status 1.
Result<Options> ParseOptions(int argc, char** argv);
std::string HelpText();
std::string VersionText();

}  // namespace ntpward::supervisor
