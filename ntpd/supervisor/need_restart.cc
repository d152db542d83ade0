#include "ntpd/supervisor/need_restart.h"

namespace ntpward::supervisor {

std::vector<std::string> NeedRestart(const config::Config& running, const config::Config& fresh,
                                     const Options& options) {
  std::vector<std::string> changed;
  const auto compare = [&changed](const char* name, const auto& before, const auto& after) {
    if (before.is_set() != after.is_set() || before.value != after.value)
      changed.emplace_back(name);
  };
  // The frequency that the clock runs at by now is better than one from a file.
  compare("tinker freq", running.system.tinker.freq, fresh.system.tinker.freq);
  if (options.log_file.empty()) compare("logfile", running.output.logfile, fresh.output.logfile);
  if (options.pid_file.empty()) compare("pidfile", running.output.pidfile, fresh.output.pidfile);
  return changed;
}

}  // namespace ntpward::supervisor
