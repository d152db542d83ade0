#include "keys/aside_name.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <vector>

#include "privsep/base/result.h"

namespace ntpward::keys {
namespace {

constexpr std::string_view kPrefix = ".ntpkey_";
constexpr std::string_view kDecimal = "0123456789", kHexadecimal = "0123456789abcdef";

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

std::string AsideName(const std::string& what) {
  uint64_t value = 0;
  CHECK(getrandom(&value, sizeof value, 0) == sizeof value);
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016" PRIx64, value);
  return std::string(kPrefix) + what + "." + digits;
}

// Any number of digits: earlier releases took the process's.
bool IsAsideName(std::string_view name) {
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos || dot + 1 == name.size()) return false;
  const std::string_view what = name.substr(0, dot);
  if (name.find_first_not_of(kHexadecimal, dot + 1) != std::string_view::npos) return false;
  if (what == "new") return true;
  for (const std::string_view kind : {"link", "old"})
    if (what.starts_with(kind))
      return what.size() > kind.size() &&
             what.find_first_not_of(kDecimal, kind.size()) == std::string_view::npos;
  return false;
}

void RemoveAsides(const KeyDirectory& directory) {
  UniqueFd fd(openat(directory.fd(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::unique_ptr<DIR, CloseDirectory> entries(fd.valid() ? fdopendir(fd.get()) : nullptr);
  if (entries == nullptr) return;
  (void)fd.Release();  // closedir() closes it
  std::vector<std::string> left;
  while (const dirent* entry = readdir(entries.get()))
    if (IsAsideName(entry->d_name)) left.emplace_back(entry->d_name);
  // The name goes, not what it may point to; a directory of that name stays.
  for (const std::string& name : left) (void)unlinkat(directory.fd(), name.c_str(), 0);
}

}  // namespace ntpward::keys
