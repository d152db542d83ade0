#include "ntpd/supervisor/headway_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "ntpd/supervisor/headway.h"
#include "ntpd/supervisor/state_file.h"
#include "privsep/base/unique_fd.h"

namespace ntpward::supervisor {
namespace {

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";
constexpr double kNanoseconds = 1e9;

// The first words of a small regular file; empty when there are none.
std::string FirstOctets(const std::string& path) {
  // A FIFO must not make us wait.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return "";
  char text[128];
  const ssize_t size = read(file.get(), text, sizeof text);
  return size <= 0 ? "" : std::string(text, static_cast<size_t>(size));
}

}  // namespace

HeadwayFile::HeadwayFile(const std::string& drift_file) {
  const std::string boot = FirstOctets(kBootId);
  boot_ = boot.substr(0, boot.find('\n'));
  if (!drift_file.empty() && !boot_.empty()) path_ = drift_file + ".headway";
}

double HeadwayFile::Read(MonoTime now) const {
  if (path_.empty()) return 0;
  const std::string text = FirstOctets(path_);
  const std::string expected = boot_ + " ";
  int64_t until = 0;
  if (!text.starts_with(expected) ||
      std::from_chars(text.data() + expected.size(), text.data() + text.size(), until).ec !=
          std::errc())
    return 0;
  const double left = MonoTime::FromNanoseconds(until) - now;
  return std::clamp(left, 0.0, Headway::kMost);
}

Status HeadwayFile::Write(double owed, MonoTime now) const {
  if (path_.empty()) return Fail(std::string("no drift file beside which to keep it"));
  const int64_t until = now.nanoseconds() + static_cast<int64_t>(owed * kNanoseconds);
  return ReplaceFile(path_, boot_ + " " + std::to_string(until) + "\n", 0644);
}

}  // namespace ntpward::supervisor
