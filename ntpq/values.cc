#include "ntpq/values.h"

#include <map>

#include "ntpd/wire/variable_list.h"
#include "ntpd/wire/variable_values.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {

Values ReadValues(std::string_view text) {
  Values values;
  wire::VariableListReader reader(text);
  while (true) {
    const auto next = reader.Next();
    if (!next.ok() && next.error() == wire::VariableReject::kValueTooLong) continue;
    if (!next.ok() || !next->has_value()) return values;
    const wire::Variable& variable = **next;
    values.push_back(
        {std::string(variable.name), std::string(wire::Unquoted(variable.value.value_or("")))});
  }
}

std::optional<std::string_view> Find(const Values& values, std::string_view name) {
  for (const NamedValue& value : values)
    if (value.name == name) return value.value;
  return std::nullopt;
}

std::string TextOf(const Values& values, std::string_view name) {
  return Printable(Find(values, name).value_or(""));
}

std::optional<uint64_t> NumberOf(const Values& values, std::string_view name) {
  return wire::DecodeNumber(Find(values, name).value_or(""));
}

NumberedList ReadNumberedList(std::string_view text) {
  NumberedList list;
  std::map<uint32_t, Values> rows;
  for (NamedValue& value : ReadValues(text)) {
    const size_t dot = value.name.rfind('.');
    const auto number = dot == std::string::npos
                            ? std::nullopt
                            : wire::DecodeUnsigned(std::string_view(value.name).substr(dot + 1));
    if (!number || *number > kMaxRowNumber) {
      list.unnumbered.push_back(std::move(value));
      continue;
    }
    value.name.resize(dot);
    rows[static_cast<uint32_t>(*number)].push_back(std::move(value));
  }
  for (auto& [number, values] : rows) list.rows.push_back({number, std::move(values)});
  return list;
}

}  // namespace ntpward::ntpq
