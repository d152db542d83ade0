#include "ntpd/supervisor/file_problems.h"

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <set>

#include "ntpd/supervisor/key_files.h"
#include "ntpd/supervisor/state_file.h"
#include "ntpd/supervisor/statistics.h"
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
    WantSaveDirectory();
    WantOwnKeys();
    WantPrivate();
    return std::move(problems_);
  }

 private:
  void WantStatistics(size_t index) {
    const config::Filegen& filegen = config_.output.statistics[index];
    if (!filegen.enabled) return;
    const auto statistic = static_cast<config::Statistic>(index);
    WantDirectory("statistics", {StatisticsPath(config_, statistic), filegen.where}, false);
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

  void WantSaveDirectory() {
    const config::Setting<std::string>& directory = config_.output.saveconfigdir;
    std::error_code failed;
    if (directory.value.empty() || fs::is_directory(directory.value, failed)) return;
    problems_.push_back({false,
                         "saveconfigdir " + directory.value +
                             ": there is no such directory; saveconfig will write nothing",
                         directory.where});
  }

  // Who may write there chooses this host's keys.
  void WantOwnKeys() {
    const config::Setting<std::string>& directory = config_.authentication.keys_dir;
    struct stat status {};
    if (!config_.authentication.crypto.enabled() || stat(directory.value.c_str(), &status) != 0 ||
        !S_ISDIR(status.st_mode))
      return;
    const bool ours = status.st_uid == 0 || status.st_uid == geteuid();
    if (ours && (status.st_mode & S_IWOTH) == 0) return;
    const std::string keys_dir = "keysdir " + directory.value + ": ";
    problems_.push_back(
        {false,
         ours ? keys_dir + "everybody may replace the keys in it: chmod o-w " + directory.value
              : keys_dir + "its owner, uid " + std::to_string(status.st_uid) +
                    ", may replace the keys in it: chown root " + directory.value,
         directory.where});
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
    if (file.empty() || stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
        (status.st_mode & S_IROTH) == 0)
      return;
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
      : config_(config),
        log_(Either(options.log_file, config.output.logfile)),
        drift_(Either(options.drift_file, config.output.driftfile)),
        pid_(Either(options.pid_file, config.output.pidfile)) {}

  std::vector<FileProblem> Find() {
    FindOfLog();
    FindOfDrift();
    FindOfPid();
    FindOfSeed();
    for (size_t i = 0; i < config::kStatisticCount; ++i) FindOfStatistics(i);
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

  void FindOfSeed() {
    if (!config_.authentication.crypto.enabled()) return;
    const config::Setting<std::string>& seedfile = config_.authentication.crypto.seedfile;
    const std::string path = SeedFilePath(config_);
    if (const auto hindrance = HindersSeedFile(path))
      problems_.push_back({false,
                           "expected a file for the server's private value, which will not "
                           "survive a restart: " +
                               path + ": " + hindrance->text,
                           seedfile.where});
  }
  // Of their newest generations.
  void FindOfStatistics(size_t index) {
    const config::Filegen& filegen = config_.output.statistics[index];
    if (!filegen.enabled || !config_.system.switches.stats.value) return;
    const auto name = StatisticsPath(config_, static_cast<config::Statistic>(index));
    const timespec now{std::time(nullptr), 0};
    const std::string path = GenerationName(filegen, name, NtpTimestamp::FromUnix(now), getpid());
    if (const auto hindrance = HindersAppending(path))
      problems_.push_back({false,
                           "expected a file for statistics: " + path + ": " + hindrance->text,
                           filegen.where});
  }

  void SayUnlessReplaceable(const config::Setting<std::string>& file, const std::string& expected) {
    if (const auto hindrance = HindersReplacing(file.value))
      Say(file, false, expected, file.value + ": " + hindrance->text);
  }
  void Say(const config::Setting<std::string>& file, bool refuses_start,
           const std::string& expected, const std::string& found) {
    problems_.push_back({refuses_start, "expected " + expected + ": " + found, file.where});
  }

  const config::Config& config_;
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
