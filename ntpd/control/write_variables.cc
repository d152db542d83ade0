#include "ntpd/control/write_variables.h"

#include <algorithm>

#include "ntpd/control/variables.h"
#include "ntpd/wire/variable_list.h"
#include "ntpd/wire/variable_values.h"

namespace ntpward::control {
namespace {

using wire::ControlError;

constexpr wire::VariableLimits kLimits{.name = 127, .value = 127};
constexpr std::string_view kLeap = "leap";
constexpr uint64_t kLastLeap = 3;

ControlError LeapError(std::string_view value) {
  const auto number = wire::DecodeUnsigned(value);
  if (!number) return ControlError::kBadFormat;
  return *number > kLastLeap ? ControlError::kBadValue : ControlError::kUnspecified;
}

Result<Assignment, ControlError> Judge(const wire::Variable& item, const SystemView& view) {
  const std::string_view value = wire::Unquoted(item.value.value_or(""));
  if (item.name == kLeap) return Fail(LeapError(value));
  if (IsSystemVariable(item.name)) return Fail(ControlError::kPermission);
  const auto found = std::find_if(view.extra.begin(), view.extra.end(),
                                  [&](const ExtraVariable& e) { return e.name == item.name; });
  if (found == view.extra.end()) return Fail(ControlError::kUnknownVariable);
  if (!found->writable) return Fail(ControlError::kPermission);
  return Assignment{std::string(item.name), std::string(value)};
}

}  // namespace

Result<std::vector<Assignment>, ControlError> ParseAssignments(std::string_view text,
                                                               const SystemView& view) {
  std::vector<Assignment> assignments;
  wire::VariableListReader reader(text, kLimits);
  for (;;) {
    const auto next = reader.Next();
    if (!next.ok()) return Fail(ControlError::kBadFormat);
    if (!next->has_value()) return assignments;
    assignments.push_back(TRY(Judge(**next, view)));
  }
}

}  // namespace ntpward::control
