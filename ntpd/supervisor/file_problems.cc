#include "ntpd/supervisor/file_problems.h"

#include <sys/stat.h>

#include <filesystem>
#include <set>

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;

class Finder {
 public:
  Finder(const config::Config& config, const Options& options)
      : config_(config), options_(options) {}

  std::vector<FileProblem> Find() {
    const config::Files& files = config_.output;
    WantDirectory("log file", Either(options_.log_file, files.logfile.value), true);
    WantDirectory("drift file", Either(options_.drift_file, files.driftfile.value), false);
    WantDirectory("pid file", Either(options_.pid_file, files.pidfile.value), false);
    for (size_t i = 0; i < config::kStatisticCount; ++i) WantStatistics(i);
    WantPrivate();
    return std::move(problems_);
  }

 private:
  static const std::string& Either(const std::string& option, const std::string& configured) {
    return option.empty() ? configured : option;
  }

  void WantStatistics(size_t index) {
    const config::Filegen& filegen = config_.output.statistics[index];
    if (!filegen.enabled) return;
    const std::string name = filegen.file.empty()
                                 ? std::string(StatisticName(static_cast<config::Statistic>(index)))
                                 : filegen.file;
    WantDirectory("statistics", config_.output.statsdir.value + name, false);
  }

  // Once for each directory.
  void WantDirectory(const std::string& what, const std::string& file, bool refuses_start) {
    if (file.empty()) return;
    std::error_code failed;
    const fs::path directory = fs::absolute(file, failed).parent_path();
    if (fs::is_directory(directory, failed) || !missing_.insert(directory.string()).second) return;
    problems_.push_back(
        {refuses_start, what + " " + file + ": there is no directory " + directory.string()});
  }

  void WantPrivate() {
    const config::Crypto& crypto = config_.authentication.crypto;
    if (crypto.password_where.known() && crypto.password_where.file < config_.files.size())
      WantPrivate(config_.files[crypto.password_where.file], "'crypto pw'");
    WantPrivate(crypto.password_file.value, "the password");
  }
  void WantPrivate(const std::string& file, const std::string& what) {
    struct stat status {};
    if (file.empty() || stat(file.c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0) return;
    problems_.push_back(
        {false, file + ": everybody can read it, and it holds " + what + ": chmod 600 " + file});
  }

  const config::Config& config_;
  const Options& options_;
  std::set<std::string> missing_;
  std::vector<FileProblem> problems_;
};

}  // namespace

std::vector<FileProblem> FindFileProblems(const config::Config& config, const Options& options) {
  return Finder(config, options).Find();
}

}  // namespace ntpward::supervisor
