#include "ntpd/supervisor/directories.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "ntpd/supervisor/first_step_marker.h"
#include "ntpd/supervisor/statistics.h"

namespace ntpward::supervisor {
namespace {

// "/a//b/../c/" -> "/a/c"; a relative path is seen from where the daemon was started.
std::string Normalised(const std::string& path) {
  std::error_code ignored;
  std::string text = std::filesystem::absolute(path, ignored).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string DirectoryOf(const std::string& path) {
  const std::string directory = std::filesystem::path(Normalised(path)).parent_path().string();
  return directory.empty() ? "/" : directory;
}

class Collector {
 public:
  void Directory(const std::string& path, DirectoryAccess access) {
    if (!path.empty()) grants_.push_back({Normalised(path), access});
  }
  void File(const std::string& path, DirectoryAccess access) {
    if (path.empty()) return;
    grants_.push_back({DirectoryOf(path), access});
    char* target = realpath(path.c_str(), nullptr);
    if (target != nullptr && DirectoryOf(target) != DirectoryOf(path))
      grants_.push_back({DirectoryOf(target), access});
    free(target);
  }
  std::vector<DirectoryGrant> Take() { return std::move(grants_); }

 private:
  std::vector<DirectoryGrant> grants_;
};

// `wider` allows all that `access` does.
bool Includes(DirectoryAccess wider, DirectoryAccess access) {
  return wider == access || access == DirectoryAccess::kRead;
}

bool IsBelow(const std::string& path, const std::string& directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

const std::string& Either(const std::string& option, const std::string& configured) {
  return option.empty() ? configured : option;
}

void AddStatistics(const config::Config& config, Collector* collector) {
  for (size_t i = 0; i < config::kStatisticCount; ++i) {
    if (!config.output.statistics[i].enabled) continue;
    const std::string path = StatisticsPath(config, static_cast<config::Statistic>(i));
    collector->Directory(DirectoryOf(path), DirectoryAccess::kWrite);
  }
}

void AddKeys(const config::Authentication& authentication, Collector* collector) {
  collector->File(authentication.keys_file.value, DirectoryAccess::kRead);
  if (!authentication.crypto.enabled()) return;
  const config::Crypto& crypto = authentication.crypto;
  const std::string& seed = crypto.seedfile.value;
  // The server's private value is kept beside the keys unless a place of its own is named.
  collector->Directory(authentication.keys_dir.value,
                       seed.empty() ? DirectoryAccess::kWrite : DirectoryAccess::kRead);
  collector->File(seed, DirectoryAccess::kWrite);
  collector->File(crypto.password_file.value, DirectoryAccess::kRead);
  for (const auto* file : {&crypto.host_key_file, &crypto.sign_key_file, &crypto.certificate_file})
    if (file->value.starts_with('/')) collector->File(file->value, DirectoryAccess::kRead);
  if (const char* credentials = getenv("CREDENTIALS_DIRECTORY"); credentials != nullptr)
    collector->Directory(credentials, DirectoryAccess::kRead);
}

}  // namespace

std::vector<DirectoryGrant> SystemDirectories(const std::string& program_directory) {
  using enum DirectoryAccess;
  return {
      // A role's program, and the loader that the kernel executes with it.
      {Normalised(program_directory), kExecute},
      {"/lib", kExecute},
      {"/lib64", kExecute},
      {"/usr/lib", kExecute},
      {"/usr/lib64", kExecute},
      {"/usr", kRead},
      {"/etc", kRead},
      {"/run", kRead},
      {"/var/run", kRead},
      {"/proc", kRead},
      {"/sys/devices/system/cpu", kRead},
      {"/dev", kDevices},
  };
}

std::vector<DirectoryGrant> ConfiguredDirectories(const config::Config& config,
                                                  const Options& options) {
  Collector collector;
  collector.File(options.config_file, DirectoryAccess::kRead);
  for (const std::string& file : config.files) collector.File(file, DirectoryAccess::kRead);
  collector.File(config.output.leapfile.value, DirectoryAccess::kRead);
  AddKeys(config.authentication, &collector);
  collector.File(Either(options.drift_file, config.output.driftfile.value),
                 DirectoryAccess::kWrite);
  collector.File(Either(options.log_file, config.output.logfile.value), DirectoryAccess::kWrite);
  collector.File(Either(options.pid_file, config.output.pidfile.value), DirectoryAccess::kWrite);
  collector.Directory(FirstStepMarker::DirectoryFromEnvironment(), DirectoryAccess::kWrite);
  collector.Directory(config.output.saveconfigdir.value, DirectoryAccess::kWrite);
  AddStatistics(config, &collector);
  return collector.Take();
}

std::vector<std::string> NotCovered(const std::vector<DirectoryGrant>& granted,
                                    const std::vector<DirectoryGrant>& wanted) {
  std::vector<std::string> missing;
  for (const DirectoryGrant& want : wanted) {
    const bool covered = std::any_of(granted.begin(), granted.end(), [&](const auto& grant) {
      return Includes(grant.access, want.access) && IsBelow(want.path, grant.path);
    });
    if (!covered) missing.push_back(want.path);
  }
  return missing;
}

}  // namespace ntpward::supervisor
