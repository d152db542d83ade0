// A variable list as values to look up, and lists whose names end in a row's number.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ntpward::ntpq {

struct NamedValue {
  std::string name;
  std::string value;  // quotes removed
};
using Values = std::vector<NamedValue>;

// All items that can be read; a damaged list ends where the damage is.
Values ReadValues(std::string_view text);
// The first item of that name; empty when there is none.
std::optional<std::string_view> Find(const Values& values, std::string_view name);
// The same, fit for a terminal (text.h); empty text when there is none.
std::string TextOf(const Values& values, std::string_view name);
// The same as a number, decimal or "0x" and hexadecimal; empty when there is none, or no number.
std::optional<uint64_t> NumberOf(const Values& values, std::string_view name);

inline constexpr uint32_t kMaxRowNumber = 65535;
// One row of a numbered list: what came as "addr.3" is its "addr".
struct NumberedRow {
  uint32_t number = 0;  // at most kMaxRowNumber
  Values values;
};
struct NumberedList {
  Values unnumbered;
  std::vector<NumberedRow> rows;  // by ascending number
};
// Rows may be mixed. What has a number above kMaxRowNumber is of no row: its name keeps it. A
// server's decoys (items of random name) stay as they are.
NumberedList ReadNumberedList(std::string_view text);

}  // namespace ntpward::ntpq
