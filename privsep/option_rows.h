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

// What getopt_long returns for a long option: its row's place behind all letters.
inline constexpr int kFirstLong = 256;

// `Row` here and below is an OptionRow or made from one. With the terminating row. Valid as long as
// `rows` is.
template <typename Row>
std::vector<option> LongOptions(std::span<const Row> rows) {
  std::vector<option> list;
  for (size_t i = 0; i < rows.size(); ++i)
    if (rows[i].name != nullptr)
      list.push_back({rows[i].name, rows[i].value, nullptr, kFirstLong + static_cast<int>(i)});
  list.push_back({nullptr, 0, nullptr, 0});
  return list;
}

// Without '?', which getopt_long returns anyway.
template <typename Row>
std::string ShortOptions(std::span<const Row> rows) {
  std::string letters;
  for (const Row& row : rows) {
    if (row.letter == '\0' || row.letter == '?') continue;
    letters += row.letter;
    letters.append(static_cast<size_t>(row.value), ':');  // as many as getopt wants for it
  }
  return letters;
}

// The row of what getopt_long returned, or of what it left in optopt; null: it is none of ours.
template <typename Row>
const Row* FindOption(std::span<const Row> rows, int found) {
  if (found >= kFirstLong) return &rows[static_cast<size_t>(found - kFirstLong)];
  for (const Row& row : rows)
    if (row.letter != '\0' && row.letter == found) return &row;
  return nullptr;
}

// What getopt_long stopped at and left in optopt, when it returned '?': "-c", "--farm". It leaves
// nothing of a long option that it does not know.
template <typename Row>
std::string OptionStoppedAt(std::span<const Row> rows, char** argv) {
  if (optopt == 0) return argv[optind - 1];
  if (optopt < kFirstLong) return std::string("-") + static_cast<char>(optopt);
  return std::string("--") + FindOption(rows, optopt)->name;
}

// What the rows of most options do: switches are set, a text is kept.
template <auto... kSwitches, typename Options>
Status SetSwitch(char*, Options* options) {
  ((options->*kSwitches = true), ...);
  return {};
}
template <auto kText, typename Options>
Status KeepText(char* argument, Options* options) {
  options->*kText = argument;
  return {};
}

}  // namespace ntpward
