#include "ntpq/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "privsep/base/result.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kPiece = 64 << 10;
// Decimal digits that a double always gives back.
constexpr size_t kExactDigits = 15;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

size_t CountDigits(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  return count;
}

// "e-06": far from what a double cannot reach.
bool IsSmallExponent(std::string_view text) {
  if (!text.starts_with('e') && !text.starts_with('E')) return false;
  text.remove_prefix(1);
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && text.size() <= 2 && CountDigits(text) == text.size();
}

// -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][-+]?[0-9]+)?, of few enough digits.
bool IsExactNumber(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const size_t whole = CountDigits(text);
  if (whole == 0 || whole > kExactDigits || (whole > 1 && text[0] == '0')) return false;
  text.remove_prefix(whole);
  if (text.starts_with('.')) {
    const size_t fraction = CountDigits(text.substr(1));
    if (fraction == 0 || whole + fraction > kExactDigits) return false;
    text.remove_prefix(1 + fraction);
  }
  return text.empty() || IsSmallExponent(text);
}

}  // namespace

JsonWriter& JsonWriter::Key(std::string_view name) {
  Separate();
  Quote(name);
  text_ += ':';
  comma_ = false;
  return *this;
}

void JsonWriter::Text(std::string_view octets) {
  Separate();
  Quote(octets);
  comma_ = true;
}

void JsonWriter::OptionalText(const std::optional<std::string>& octets) {
  if (octets)
    Text(*octets);
  else
    Null();
}

void JsonWriter::Unsigned(uint64_t value) {
  if (value > kMaxExact)
    Null();
  else
    Scalar(std::to_string(value));
}

void JsonWriter::Signed(int64_t value) {
  if (value >= 0)
    Unsigned(static_cast<uint64_t>(value));
  else if (value < -static_cast<int64_t>(kMaxExact))
    Null();
  else
    Scalar(std::to_string(value));
}

void JsonWriter::Real(double value) {
  if (!std::isfinite(value)) return Null();
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  CHECK(end.ec == std::errc());
  Scalar({text.data(), static_cast<size_t>(end.ptr - text.data())});
}

void JsonWriter::NumberText(std::string_view text) {
  if (IsExactNumber(text))
    Scalar(text);
  else
    Text(text);
}

void JsonWriter::EndLine() {
  CHECK(depth_ == 0);
  text_ += '\n';
  sink_(text_);
  text_.clear();
  comma_ = false;
}

void JsonWriter::Begin(char bracket) {
  Separate();
  text_ += bracket;
  ++depth_;
  comma_ = false;
}

void JsonWriter::End(char bracket) {
  CHECK(depth_ > 0);
  --depth_;
  text_ += bracket;
  comma_ = true;
  if (text_.size() < kPiece) return;
  sink_(text_);
  text_.clear();
}

void JsonWriter::Scalar(std::string_view text) {
  Separate();
  text_ += text;
  comma_ = true;
}

void JsonWriter::Quote(std::string_view octets) {
  text_ += '"';
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (octet >= 0x20 && octet < 0x7f) {
      text_ += c;
    } else {
      std::array<char, 8> escape;
      std::snprintf(escape.data(), escape.size(), "\\u%04x", unsigned{octet});
      text_ += escape.data();
    }
  }
  text_ += '"';
}

void JsonWriter::Separate() {
  if (comma_) text_ += ',';
}

}  // namespace ntpward::ntpq
