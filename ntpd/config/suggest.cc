#include "ntpd/config/suggest.h"

#include <algorithm>
#include <array>

namespace ntpward::config {
namespace {

constexpr size_t kLongest = 32;
using Row = std::array<size_t, kLongest + 1>;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Mistypings between two words: one for each wrong, missing, added or swapped letter.
size_t Distance(std::string_view a, std::string_view b) {
  Row two_back{}, back{}, row{};
  for (size_t j = 0; j <= b.size(); ++j) back[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = Lower(a[i - 1]) == Lower(b[j - 1]);
      row[j] = std::min({back[j] + 1, row[j - 1] + 1, back[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) &&
                           Lower(a[i - 2]) == Lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], two_back[j - 2] + 1);
    }
    two_back = back;
    back = row;
  }
  return back[b.size()];
}

}  // namespace

std::string_view Nearest(std::string_view word, std::span<const std::string_view> names,
                         size_t most) {
  if (word.empty() || word.size() > kLongest) return {};
  std::string_view nearest;
  size_t least = (word.size() <= 4 ? std::min(most, size_t{1}) : most) + 1;
  for (std::string_view name : names) {
    const size_t longer = std::max(name.size(), word.size());
    const size_t shorter = std::min(name.size(), word.size());
    if (name.size() > kLongest || longer - shorter >= least) continue;
    const size_t distance = Distance(word, name);
    if (distance < least && distance < name.size()) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace ntpward::config
