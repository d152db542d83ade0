#include "ntpd/supervisor/first_step_marker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {

std::string FirstStepMarker::DirectoryFromEnvironment() {
  const char* value = getenv("RUNTIME_DIRECTORY");
  if (value == nullptr) return "";
  const std::string directories = value;
  return directories.substr(0, directories.find(':'));
}

FirstStepMarker::FirstStepMarker(const std::string& directory) {
  if (directory.empty()) return;
  path_ = directory + "/first-step-done";
  // Whatever has that name counts: in doubt the gate stays shut.
  struct stat status {};
  found_ = written_ = lstat(path_.c_str(), &status) == 0;
}

Status FirstStepMarker::Write() {
  if (path_.empty() || written_) return {};
  written_ = true;
  const UniqueFd file(
      open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644));
  if (!file.valid()) return Fail(path_ + ": " + std::strerror(errno));
  return {};
}

void FirstStepMarker::Remove() {
  if (!path_.empty()) (void)unlink(path_.c_str());
  written_ = false;
}

}  // namespace ntpward::supervisor
