#include "ntpd/wire/variable_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "privsep/base/text.h"

namespace ntpward::wire {
namespace {

constexpr size_t kLineWidth = 72;
// The largest magnitude that a fixed-point value is written with; bounds its length.
constexpr double kMaxFixed = 1e15;

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}
bool IsPrintable(char c) { return c >= 0x20 && c < 0x7f; }
bool EndsLine(char c) { return c == '\r' || c == '\n'; }

std::string_view StripEnd(std::string_view text) {
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string Fixed(double value, int digits) {
  if (!std::isfinite(value)) value = 0;
  value = std::clamp(value, -kMaxFixed, kMaxFixed);
  std::array<char, 64> text;
  const int length = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  CHECK(length > 0 && static_cast<size_t>(length) < text.size());
  return std::string(text.data(), static_cast<size_t>(length));
}

}  // namespace

void VariableListWriter::Add(std::string_view name, std::string_view value) {
  std::string item(name);
  item += '=';
  for (char c : value) item += IsPrintable(c) ? c : '?';
  AddItem(item);
}

void VariableListWriter::AddQuoted(std::string_view name, std::string_view value) {
  std::string item(name);
  item += "=\"";
  for (char c : value) item += IsPrintable(c) && c != '"' ? c : '?';
  item += '"';
  AddItem(item);
}

void VariableListWriter::AddUnsigned(std::string_view name, uint64_t value) {
  Add(name, std::to_string(value));
}

void VariableListWriter::AddSigned(std::string_view name, int64_t value) {
  Add(name, std::to_string(value));
}

void VariableListWriter::AddHex(std::string_view name, uint64_t value) {
  Add(name, HexNumber(value));
}

void VariableListWriter::AddFixed(std::string_view name, double value, int digits) {
  Add(name, Fixed(value, digits));
}

void VariableListWriter::AddTimestamp(std::string_view name, NtpTimestamp value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "0x%08x.%08x", value.seconds(), value.fraction());
  Add(name, text.data());
}

void VariableListWriter::AddSeries(std::string_view name, std::span<const double> values) {
  std::string text;
  for (double value : values) text += ' ' + Fixed(value, 2);
  Add(name, text);
}

void VariableListWriter::AddItem(std::string_view item) {
  // Three octets of separator before the item, two of line end after the last one.
  if (text_.size() + item.size() + 5 > limit_) return;
  if (!text_.empty()) {
    text_ += ',';
    ++line_;
    const bool wraps = line_ + item.size() + 1 >= kLineWidth;
    text_ += wraps ? "\r\n" : " ";
    line_ = wraps ? 0 : line_ + 1;
    cuts_.push_back(text_.size());
  }
  text_ += item;
  line_ += item.size();
}

void VariableListWriter::Finish() {
  if (!text_.empty()) text_ += "\r\n";
}

Result<std::optional<Variable>, VariableReject> VariableListReader::Next() {
  const auto start =
      std::find_if(rest_.begin(), rest_.end(), [](char c) { return c != ',' && !IsBlank(c); });
  rest_.remove_prefix(static_cast<size_t>(start - rest_.begin()));
  if (rest_.empty()) return std::optional<Variable>();

  const size_t end = std::min(rest_.find_first_of(",=\r\n"), rest_.size());
  Variable variable{StripEnd(rest_.substr(0, end)), std::nullopt};
  if (variable.name.size() > limits_.name) {
    rest_ = {};
    return Fail(VariableReject::kNameTooLong);
  }
  const bool has_value = end < rest_.size() && rest_[end] == '=';
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  if (has_value) variable.value = TRY(TakeValue());
  return std::optional<Variable>(variable);
}

// Reads up to the comma or line end that ends the value. A quote opens only at the value's start.
Result<std::string_view, VariableReject> VariableListReader::TakeValue() {
  while (!rest_.empty() && IsBlank(rest_.front()) && !EndsLine(rest_.front()))
    rest_.remove_prefix(1);
  size_t searched = 0;
  if (!rest_.empty() && rest_.front() == '"') {
    const size_t close = rest_.find('"', 1);
    if (close == std::string_view::npos) {
      rest_ = {};
      return Fail(VariableReject::kNoClosingQuote);
    }
    searched = close + 1;
  }
  const size_t end = std::min(rest_.find_first_of(",\r\n", searched), rest_.size());
  const std::string_view value = StripEnd(rest_.substr(0, end));
  rest_.remove_prefix(end);
  if (value.size() > limits_.value) return Fail(VariableReject::kValueTooLong);
  return value;
}

std::string_view Unquoted(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return value;
  return value.substr(1, value.size() - 2);
}

}  // namespace ntpward::wire
