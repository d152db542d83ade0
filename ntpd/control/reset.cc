#include "ntpd/control/reset.h"

#include <algorithm>

namespace ntpward::control {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kReset = "reset";
// Lookups of addresses, in the reference.
constexpr std::string_view kMemory = "mem";

struct Group {
  std::string_view name;
  bool ResetGroups::*member;
};
constexpr Group kGroups[] = {
    {"allpeers", &ResetGroups::peers}, {"auth", &ResetGroups::keys},
    {"ctl", &ResetGroups::control},    {"io", &ResetGroups::io},
    {"sys", &ResetGroups::system},     {"timer", &ResetGroups::timer},
};

}  // namespace

bool IsReset(std::string_view line) {
  return line.substr(0, line.find_first_of(kBlanks)) == kReset;
}

Result<ResetGroups, size_t> ParseReset(std::string_view line) {
  if (!IsReset(line)) return Fail(size_t{0});
  ResetGroups groups;
  size_t position = kReset.size();
  for (bool first = true;; first = false) {
    position = std::min(line.find_first_not_of(kBlanks, position), line.size());
    if (position == line.size() && !first) return groups;
    const size_t end = std::min(line.find_first_of(kBlanks, position), line.size());
    const std::string_view word = line.substr(position, end - position);
    const auto* group = std::find_if(std::begin(kGroups), std::end(kGroups),
                                     [&](const Group& g) { return g.name == word; });
    if (group != std::end(kGroups))
      groups.*group->member = true;
    else if (word != kMemory)
      return Fail(position);
    position = end;
  }
}

}  // namespace ntpward::control
