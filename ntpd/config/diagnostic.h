// What the parser has to say about a configuration, and where in which file it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ntpward::config {

// A place in the configuration's files. Lines and columns count from 1, columns in octets; line 0
// means that the value was not read from a file (built in, or from the command line).
struct Location {
  uint32_t file = 0;  // index into Config::files
  uint32_t line = 0;
  uint32_t column = 0;

  bool known() const { return line != 0; }
  friend bool operator==(const Location&, const Location&) = default;
};

// A value and where it was set; until a line sets it, the default that it is declared with.
template <typename T>
struct Setting {
  T value{};
  Location where;

  bool is_set() const { return where.known(); }
  void Set(T new_value, Location new_where) {
    value = std::move(new_value);
    where = new_where;
  }
};

enum class Severity : uint8_t { kError, kWarning, kNote };

// One message for the operator. `text` is printable ASCII on one line, says what was expected, and
// never holds a password or a word of a line that may hold one.
struct Diagnostic {
  std::string file;     // as it was opened; empty when the message belongs to no file
  uint32_t line = 0;    // from 1; 0 when the message belongs to the whole file
  uint32_t column = 0;  // from 1, in octets; 0 when the message belongs to the whole line
  Severity severity = Severity::kError;
  std::string text;
  // Going on without this line would weaken authentication or access control.
  bool fatal_at_start = false;
};

// "error", "warning", "note".
std::string_view SeverityName(Severity severity);
// "FILE:LINE:COLUMN: error: TEXT", without the parts that are zero.
std::string ToString(const Diagnostic& diagnostic);
// At most 40 characters of `text`, in single quotes, with what is not printable ASCII as \xNN.
std::string Quoted(std::string_view text);

}  // namespace ntpward::config
