// Tables of options: what a directive takes is one table, which also gives its error messages.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "ntpd/config/line.h"

namespace ntpward::config {

// One option of a directive: its name, and how it takes its arguments into a T.
template <typename T>
struct Option {
  std::string_view name;
  void (*take)(Line& line, T& target);
};

// Takes one option and applies it to `target`, or fails the line with all the names.
template <typename T, size_t N>
void TakeOption(Line& line, T& target, const std::array<Option<T>, N>& options,
                std::string_view what) {
  const std::string_view word = line.Next();
  if (line.failed()) return;
  if (!line.last_was_quoted()) {
    for (const Option<T>& option : options)
      if (option.name == word) return option.take(line, target);
  }
  std::array<std::string_view, N> names;
  for (size_t i = 0; i < N; ++i) names[i] = options[i].name;
  line.FailUnknown(what, names);
}

// Takes options up to the end of the line.
template <typename T, size_t N>
void TakeOptions(Line& line, T& target, const std::array<Option<T>, N>& options,
                 std::string_view what) {
  while (!line.AtEnd()) TakeOption(line, target, options, what);
}

// The same where at least one is needed.
template <typename T, size_t N>
void TakeSomeOptions(Line& line, T& target, const std::array<Option<T>, N>& options,
                     std::string_view what) {
  if (line.AtEnd()) line.FailNext(what);
  TakeOptions(line, target, options, what);
}

}  // namespace ntpward::config
