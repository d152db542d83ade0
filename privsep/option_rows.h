// A command line as a table: one row an option, of which getopt_long's lists are made, so that its
// letter, its name and what it does stand in one place.
#pragma once

#include <getopt.h>

#include <span>
#include <string>
#include <vector>

#include "privsep/base/result.h"

namespace ntpward {

template <typename Options>
struct OptionRow {
  char letter;       // '\0': it has none
  const char* name;  // without "--"; null: it has none
  int value;         // no_argument, required_argument or optional_argument
  // `argument` is null when the option came without a value.
  Status (*take)(char* argument, Options* options);
};

// What getopt_long returns for an option without a letter: its row's place behind all letters.
inline constexpr int kFirstWithoutLetter = 256;

// With the terminating row. Valid as long as `rows` is.
template <typename Options>
std::vector<option> LongOptions(std::span<const OptionRow<Options>> rows) {
  std::vector<option> list;
  for (size_t i = 0; i < rows.size(); ++i)
    if (rows[i].name != nullptr)
      list.push_back(
          {rows[i].name, rows[i].value, nullptr,
           rows[i].letter != '\0' ? rows[i].letter : kFirstWithoutLetter + static_cast<int>(i)});
  list.push_back({nullptr, 0, nullptr, 0});
  return list;
}

// Without '?', which getopt_long returns anyway.
template <typename Options>
std::string ShortOptions(std::span<const OptionRow<Options>> rows) {
  std::string letters;
  for (const OptionRow<Options>& row : rows) {
    if (row.letter == '\0' || row.letter == '?') continue;
    letters += row.letter;
    letters.append(static_cast<size_t>(row.value), ':');  // as many as getopt wants for it
  }
  return letters;
}

// The row of what getopt_long returned, or of what it left in optopt; null: it is none of ours.
template <typename Options>
const OptionRow<Options>* FindOption(std::span<const OptionRow<Options>> rows, int found) {
  if (found >= kFirstWithoutLetter) return &rows[static_cast<size_t>(found - kFirstWithoutLetter)];
  for (const OptionRow<Options>& row : rows)
    if (row.letter != '\0' && row.letter == found) return &row;
  return nullptr;
}

// What the rows of most options do: a switch is set, a text is kept.
template <auto kSwitch, typename Options>
Status SetSwitch(char*, Options* options) {
  options->*kSwitch = true;
  return {};
}
template <auto kText, typename Options>
Status KeepText(char* argument, Options* options) {
  options->*kText = argument;
  return {};
}

}  // namespace ntpward
