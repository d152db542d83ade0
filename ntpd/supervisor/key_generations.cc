#include "ntpd/supervisor/key_generations.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "ntpd/supervisor/filestamp_name.h"

namespace ntpward::supervisor {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

struct Dated {
  std::string name;
  int64_t date = 0;
};

// When PREFIX.FILESTAMP is from; none when `name` is no such name.
std::optional<int64_t> DateOf(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  return name.starts_with('.') ? DateOfFilestamp(name.substr(1)) : std::nullopt;
}

// "ntpkey_IFFkey_GROUP" of a link to a dated file with the same kind of key; else empty.
std::string DatedTarget(const std::string& path, std::string_view dated) {
  std::array<char, 512> target{};
  const ssize_t size = readlink(path.c_str(), target.data(), target.size());
  if (size <= 0) return {};
  std::string_view name(target.data(), static_cast<size_t>(size));
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  const std::string_view kind = dated.substr(0, dated.find('_', dated.find('_') + 1) + 1);
  name = name.substr(0, name.rfind('.'));
  return std::string(name.starts_with(kind) ? name : std::string_view());
}

}  // namespace

std::vector<std::string> DatedKeys(const std::string& directory, const std::string& link,
                                   const std::string& dated) {
  const std::unique_ptr<DIR, CloseDirectory> entries(opendir(directory.c_str()));
  if (entries == nullptr) return {};
  const std::string target = DatedTarget(directory + "/" + link, dated);
  const std::string& stem = target.empty() ? dated : target;
  std::vector<Dated> found;
  while (const dirent* entry = readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    auto date = DateOf(name, stem);
    if (!date) date = DateOf(name, link + ".saved");
    if (date) found.push_back({std::string(name), *date});
  }
  std::sort(found.begin(), found.end(),
            [](const Dated& a, const Dated& b) { return a.date > b.date; });
  found.resize(std::min(found.size(), kMaxDatedKeys));
  std::vector<std::string> names;
  names.reserve(found.size());
  for (Dated& one : found) names.push_back(std::move(one.name));
  return names;
}

}  // namespace ntpward::supervisor
