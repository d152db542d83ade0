// Small questions about text that several folders ask. ASCII only, whatever the locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ntpward {

// The value of a hexadecimal digit of either case; -1 for any other character.
constexpr int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "0x1f", lower case, without leading zeros.
std::string HexNumber(uint64_t value);

bool EqualIgnoringCase(std::string_view a, std::string_view b);

// Without the blanks at both ends: space, tab, carriage return, newline, vertical tab and form
// feed.
std::string_view Trimmed(std::string_view text);

// May it be a name in a certificate? 1 to 255 octets of printable ASCII without a blank, and
// without a quotation mark, which would end the string that ntpq shows it in.
bool IsPrintableName(std::string_view name);

// "::1" for "[::1]"; any other text as it is, "[]" too.
std::string_view WithoutBrackets(std::string_view text);

}  // namespace ntpward
