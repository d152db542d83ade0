#include "ntpd/supervisor/file_problems.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "ntpd/supervisor/state_file.h"
#include "ntpd/supervisor/writable_files.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;

// A file that an option or else a line names; an option has no place.
config::Setting<std::string> Either(const std::string& option,
                                    const config::Setting<std::string>& configured) {
  return option.empty() ? configured : config::Setting<std::string>{option, {}};
}

class Finder {
 public:
  Finder(const config::Config& config, const Options& options)
      : config_(config), options_(options) {}

  std::vector<FileProblem> Find() {
    const config::Files& files = config_.output;
    WantDirectory("log file", Either(options_.log_file, files.logfile), true);
    WantDirectory("drift file", Either(options_.drift_file, files.driftfile), false);
    WantDirectory("pid file", Either(options_.pid_file, files.pidfile), false);
    for (size_t i = 0; i < config::kStatisticCount; ++i) WantStatistics(i);
    WantPrivate();
    return std::move(problems_);
  }

 private:
  void WantStatistics(size_t index) {
    const config::Filegen& filegen = config_.output.statistics[index];
    if (!filegen.enabled) return;
    const std::string name = filegen.file.empty()
                                 ? std::string(StatisticName(static_cast<config::Statistic>(index)))
                                 : filegen.file;
    WantDirectory("statistics", {config_.output.statsdir.value + name, filegen.where}, false);
  }

  // Once for each directory.
  void WantDirectory(const std::string& what, const config::Setting<std::string>& file,
                     bool refuses_start) {
    if (file.value.empty()) return;
    std::error_code failed;
    const fs::path directory = fs::absolute(file.value, failed).parent_path();
    if (fs::is_directory(directory, failed) || !missing_.insert(directory.string()).second) return;
    problems_.push_back({refuses_start,
                         what + " " + file.value + ": there is no directory " + directory.string(),
                         file.where});
  }

  void WantPrivate() {
    const config::Crypto& crypto = config_.authentication.crypto;
    if (crypto.password_where.known() && crypto.password_where.file < config_.files.size())
      WantPrivate({config_.files[crypto.password_where.file], crypto.password_where},
                  "'crypto pw'");
    WantPrivate(crypto.password_file, "the password");
  }
  void WantPrivate(const config::Setting<std::string>& setting, const std::string& what) {
    const std::string& file = setting.value;
    struct stat status {};
    if (file.empty() || stat(file.c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0) return;
    problems_.push_back(
        {false, file + ": everybody can read it, and it holds " + what + ": chmod 600 " + file,
         setting.where});
  }

  const config::Config& config_;
  const Options& options_;
  std::set<std::string> missing_;
  std::vector<FileProblem> problems_;
};

class Unusable {
 public:
  Unusable(const config::Config& config, const Options& options)
      : log_(Either(options.log_file, config.output.logfile)),
        drift_(Either(options.drift_file, config.output.driftfile)),
        pid_(Either(options.pid_file, config.output.pidfile)) {}

  std::vector<FileProblem> Find() {
    FindOfLog();
    FindOfDrift();
    FindOfPid();
    return std::move(problems_);
  }

 private:
  void FindOfLog() {
    if (log_.value.empty()) return;
    const auto hindrance = HindersAppending(log_.value);
    if (!hindrance) return;
    const bool refuses = !hindrance->of_account;
    Say(log_, refuses, "a log file that can be appended to",
        log_.value + ": " + hindrance->text + (refuses ? "; ntpd would not start" : ""));
  }
  void FindOfDrift() {
    if (drift_.value.empty()) return;
    struct stat status {};
    // Not opened: that would wake whoever waits at the other end of a FIFO.
    if (stat(drift_.value.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
      return Say(drift_, false, "a drift file", drift_.value + ": is no regular file");
    const auto drift = ReadDrift(drift_.value);
    if (!drift.ok()) return Say(drift_, false, "a drift file", drift.error().text);
    SayUnlessReplaceable(drift_, "a drift file that can be written");
  }
  void FindOfPid() {
    if (pid_.value.empty()) return;
    const Status permitted = MayReplacePidFile(pid_.value);
    if (!permitted.ok()) return Say(pid_, false, "a pid file", permitted.error().text);
    SayUnlessReplaceable(pid_, "a pid file that can be written");
  }

  void SayUnlessReplaceable(const config::Setting<std::string>& file, const std::string& expected) {
    if (const auto hindrance = HindersReplacing(file.value))
      Say(file, false, expected, file.value + ": " + hindrance->text);
  }
  void Say(const config::Setting<std::string>& file, bool refuses_start,
           const std::string& expected, const std::string& found) {
    problems_.push_back({refuses_start, "expected " + expected + ": " + found, file.where});
  }

  config::Setting<std::string> log_;
  config::Setting<std::string> drift_;
  config::Setting<std::string> pid_;
  std::vector<FileProblem> problems_;
};

}  // namespace

std::vector<FileProblem> FindFileProblems(const config::Config& config, const Options& options) {
  return Finder(config, options).Find();
}

std::vector<FileProblem> FindUnusableFiles(const config::Config& config, const Options& options) {
  return Unusable(config, options).Find();
}

}  // namespace ntpward::supervisor
