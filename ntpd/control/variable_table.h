// Tables of variables: which names exist, in which order they are written, and which are written
// when a request names none.
//
// Named variables come in the table's order, each once, and one unknown name fails the request (as
// ntpd 4.2.8 does; clients depend on the second).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/wire/control_message.h"
#include "ntpd/wire/variable_list.h"
#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/base/types.h"

namespace ntpward::control {

// Writes one variable under `name`, or nothing when it does not apply now.
template <typename View>
struct VariableEntry {
  std::string_view name;
  void (*write)(std::string_view name, const View& view, wire::VariableListWriter& out);
};

// The names that a request asks for, in its order; values given with them are ignored. Empty: the
// defaults. The views point into `data`. Fails with kBadFormat for a value of 128 octets and more
// (an old attack on the reference) or a quote without end, kUnknownVariable for an overlong name.
Result<std::vector<std::string_view>, wire::ControlError> RequestedNames(Bytes data);

// Where in `table` the names of `order` are, for what is asked often; a name that is in no entry
// does not compile.
template <typename View, size_t kEntries, size_t kNames>
consteval std::array<uint16_t, kNames> PlacesOf(const VariableEntry<View> (&table)[kEntries],
                                                const std::string_view (&order)[kNames]) {
  std::array<uint16_t, kNames> places{};
  for (size_t i = 0; i < kNames; ++i)
    while (table[places[i]].name != order[i]) ++places[i];
  return places;
}

// "a,b,c": the value of the variables that list the variables.
template <typename View>
std::string JoinNames(std::span<const VariableEntry<View>> table) {
  std::string names;
  for (const auto& entry : table) {
    if (!names.empty()) names += ',';
    names += entry.name;
  }
  return names;
}

template <typename View>
const VariableEntry<View>* FindVariable(std::span<const VariableEntry<View>> table,
                                        std::string_view name) {
  for (const auto& entry : table)
    if (entry.name == name) return &entry;
  return nullptr;
}

// Writes the entries of `table` that `names` contains.
template <typename View>
void WriteNamed(std::span<const VariableEntry<View>> table, const View& view,
                std::span<const std::string_view> names, wire::VariableListWriter& out) {
  for (const auto& entry : table)
    if (std::find(names.begin(), names.end(), entry.name) != names.end())
      entry.write(entry.name, view, out);
}

// Writes the entries of `table` at `places`, in that order.
template <typename View>
void WriteAt(std::span<const VariableEntry<View>> table, const View& view,
             std::span<const uint16_t> places, wire::VariableListWriter& out) {
  for (uint16_t place : places) table[place].write(table[place].name, view, out);
}

// Writes the entries of `table` that `order` lists, in that order.
template <typename View>
void WriteInOrder(std::span<const VariableEntry<View>> table, const View& view,
                  std::span<const std::string_view> order, wire::VariableListWriter& out) {
  for (std::string_view name : order) {
    const auto* entry = FindVariable(table, name);
    CHECK(entry != nullptr);
    entry->write(name, view, out);
  }
}

// Seconds as milliseconds with three decimals: how most times are written.
void AddMilliseconds(wire::VariableListWriter& out, std::string_view name, double seconds,
                     int digits = 3);
// As printf's %g with six significant digits.
void AddGeneral(wire::VariableListWriter& out, std::string_view name, double value);

// UTC as YYYYMMDDhhmm; "0" outside the years 1 to 9999.
std::string MinuteText(int64_t unix_s);
// Seconds of 1968 to 2104: values with the top bit clear are of era 1 (RFC 4330 section 3).
int64_t UnixSeconds(NtpSeconds time);

}  // namespace ntpward::control
