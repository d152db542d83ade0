// The directives of ntp.conf: their names, what parses them, and how much an error in them matters.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ntpd/config/config.h"
#include "ntpd/config/line.h"

namespace ntpward::config {

// What an error in a line of this directive does to a start.
enum class Weight : uint8_t {
  kPlain,        // the line is dropped
  kGuard,        // the start is refused: the line was to protect something
  kAssociation,  // the start is refused if the line asks for authentication
};

// Parses the rest of a line. Changes the Config only after line.Finish() held.
using DirectiveParser = void (*)(Line& line, Config& config);

struct Directive {
  std::string_view name;
  DirectiveParser parse = nullptr;
  Weight weight = Weight::kPlain;
  bool file_only = false;  // refused when it comes by mode 6
};

// Each file of directives has one table of them.
std::span<const Directive> AssociationDirectives();
std::span<const Directive> AccessDirectives();
std::span<const Directive> AuthenticationDirectives();
std::span<const Directive> OutputDirectives();
std::span<const Directive> SystemDirectives();
// Accepted, and said to be without effect.
std::span<const Directive> ObsoleteDirectives();

// Null when there is no such directive.
const Directive* FindDirective(std::string_view name);
// All names, for suggestions.
std::vector<std::string_view> DirectiveNames();

}  // namespace ntpward::config
