#include "ntpd/config/directive.h"

#include <array>

namespace ntpward::config {
namespace {

std::array<std::span<const Directive>, 6> Tables() {
  return {AssociationDirectives(), AccessDirectives(), AuthenticationDirectives(),
          OutputDirectives(),      SystemDirectives(), ObsoleteDirectives()};
}

}  // namespace

const Directive* FindDirective(std::string_view name) {
  for (std::span<const Directive> table : Tables())
    for (const Directive& directive : table)
      if (directive.name == name) return &directive;
  return nullptr;
}

std::vector<std::string_view> DirectiveNames() {
  std::vector<std::string_view> names;
  for (std::span<const Directive> table : Tables())
    for (const Directive& directive : table) names.push_back(directive.name);
  return names;
}

}  // namespace ntpward::config
