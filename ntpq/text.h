// Text for a terminal, made from bytes that a server chose.
//
// Nothing that a server sends reaches the terminal but through here: escape sequences, line ends
// and bytes outside ASCII are spelled out, so that a hostile server can neither move the cursor nor
// forge lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ntpward::ntpq {

// Control characters as "^X", bytes above 127 as "M-" and their lower half (as ntpq 4.2.8 does).
std::string Printable(std::string_view bytes);
// The same for whole payloads: line feeds stay, carriage returns go.
std::string PrintableLines(std::string_view bytes);

// `text` in a column: padded with blanks to `width`; longer text is kept whole.
std::string PadRight(std::string_view text, size_t width);
std::string PadLeft(std::string_view text, size_t width);
// The same, cut to `width`.
std::string FitRight(std::string_view text, size_t width);
std::string FitLeft(std::string_view text, size_t width);
// At most `width` characters of `text`.
std::string_view Cut(std::string_view text, size_t width);

// Joins items with ", ", and with "," and a line end where a line would grow past 72 columns.
class ItemLines {
 public:
  void Add(std::string_view item);
  // All items and a final line end; empty when there were none.
  std::string Finish();

 private:
  std::string text_;
  size_t column_ = 0;
};

// Whether `c` separates words on a command line.
inline bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace ntpward::ntpq
