#include "ntpd/supervisor/file_conflicts.h"

#include <filesystem>
#include <map>

#include "ntpd/supervisor/key_files.h"
#include "ntpd/supervisor/statistics.h"

namespace ntpward::supervisor {
namespace {

namespace fs = std::filesystem;

// The path that a name leads to; none of what is there and no regular file, such as /dev/null.
fs::path Target(const std::string& name) {
  std::error_code failed;
  const fs::path path = fs::weakly_canonical(fs::absolute(name, failed), failed);
  const bool other = fs::exists(path, failed) && !fs::is_regular_file(path, failed);
  return other ? fs::path() : path;
}

class Conflicts {
 public:
  Conflicts(const config::Config& config, const Options& options)
      : config_(config), options_(options) {}

  std::vector<FileProblem> Find() {
    UseRead();
    const config::Files& files = config_.output;
    Write("log file", options_.log_file, files.logfile);
    Write("drift file", options_.drift_file, files.driftfile);
    Write("pid file", options_.pid_file, files.pidfile);
    for (size_t i = 0; i < config::kStatisticCount; ++i) {
      if (!files.statistics[i].enabled) continue;
      const auto which = static_cast<config::Statistic>(i);
      Write("statistics", "", {StatisticsPath(config_, which), files.statistics[i].where});
    }
    return std::move(problems_);
  }

 private:
  void UseRead() {
    const config::Authentication& authentication = config_.authentication;
    const config::Crypto& crypto = authentication.crypto;
    Use("configuration", options_.config_file);
    for (const std::string& file : config_.files) Use("configuration", file);
    Use("leap second file", config_.output.leapfile.value);
    Use("keys", authentication.keys_file.value);
    if (!crypto.enabled()) return;
    Use("password", crypto.password_file.value);
    Use("server's private value", SeedFilePath(config_));
    for (const auto* file :
         {&crypto.host_key_file, &crypto.sign_key_file, &crypto.certificate_file})
      if (file->value.starts_with('/')) Use("Autokey key or certificate", file->value);
  }
  void Use(const std::string& what, const std::string& name) {
    if (!name.empty()) used_.emplace(Target(name), what);
  }

  // An option has no place.
  void Write(const std::string& what, const std::string& option,
             const config::Setting<std::string>& configured) {
    const std::string& name = option.empty() ? configured.value : option;
    if (name.empty()) return;
    const fs::path target = Target(name);
    if (target.empty()) return;
    const auto found = used_.emplace(target, what);
    const bool other = !found.second && found.first->second != what;
    if (!other && !IsKey(target)) return;
    const std::string holds = other ? found.first->second : "Autokey key or certificate";
    problems_.push_back({true,
                         what + " " + name + ": is the file of the " + holds +
                             " too, and would be written over; ntpd would not start",
                         option.empty() ? configured.where : config::Location{}});
  }
  bool IsKey(const fs::path& target) const {
    const std::string& directory = config_.authentication.keys_dir.value;
    std::error_code failed;
    return !directory.empty() && target.filename().string().starts_with("ntpkey_") &&
           target.parent_path() == fs::weakly_canonical(fs::absolute(directory, failed), failed);
  }

  const config::Config& config_;
  const Options& options_;
  std::map<fs::path, std::string> used_;  // and what for
  std::vector<FileProblem> problems_;
};

}  // namespace

std::vector<FileProblem> FindFileConflicts(const config::Config& config, const Options& options) {
  return Conflicts(config, options).Find();
}

}  // namespace ntpward::supervisor
