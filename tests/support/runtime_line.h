// A line of configuration as ntpq gives it at run time.
#pragma once

#include <string_view>

#include "privsep/msg/runtime_line.h"

namespace ntpward::test {

// `subject`: whom the line's number stands for, if it has one.
inline msg::RuntimeLine Line(std::string_view text, std::string_view subject = "") {
  msg::RuntimeLine line;
  CHECK(line.line.Assign(AsBytes(text)) && line.subject.Assign(AsBytes(subject)));
  return line;
}

}  // namespace ntpward::test
