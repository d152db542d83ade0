#include "ntpd/wire/variable_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "privsep/base/text.h"

namespace ntpward::wire {
namespace {

constexpr size_t kLineWidth = 72;
constexpr size_t kUsualItems = 32;  // of an answer that names no variable
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

// Room for kMaxFixed with ten decimals.
using FixedText = std::array<char, 32>;
constexpr int kMaxDecimals = 10;

std::string_view Fixed(double value, int digits, FixedText& text) {
  if (!std::isfinite(value)) value = 0;
  value = std::clamp(value, -kMaxFixed, kMaxFixed);
  const auto end = std::to_chars(text.begin(), text.end(), value, std::chars_format::fixed, digits);
  CHECK(digits <= kMaxDecimals && end.ec == std::errc());
  return {text.data(), end.ptr};
}

template <typename Number>
std::string_view Decimal(Number value, std::array<char, 24>& text) {
  return {text.data(), std::to_chars(text.begin(), text.end(), value).ptr};
}

}  // namespace

VariableListWriter::VariableListWriter(size_t limit) : limit_(limit) {
  text_.reserve(std::min(limit, kMaxControlData * 2));
  cuts_.reserve(kUsualItems);
}

void VariableListWriter::Add(std::string_view name, std::string_view value) {
  BeginItem(name);
  AppendPrintable(value);
  EndItem();
}

void VariableListWriter::AddQuoted(std::string_view name, std::string_view value) {
  BeginItem(name);
  text_ += '"';
  const size_t begin = text_.size();
  AppendPrintable(value);
  std::replace(text_.begin() + static_cast<ptrdiff_t>(begin), text_.end(), '"', '?');
  text_ += '"';
  EndItem();
}

void VariableListWriter::AddPlain(std::string_view name, std::string_view text) {
  BeginItem(name);
  text_ += text;
  EndItem();
}

void VariableListWriter::AddUnsigned(std::string_view name, uint64_t value) {
  std::array<char, 24> text;
  AddPlain(name, Decimal(value, text));
}

void VariableListWriter::AddSigned(std::string_view name, int64_t value) {
  std::array<char, 24> text;
  AddPlain(name, Decimal(value, text));
}

void VariableListWriter::AddHex(std::string_view name, uint64_t value) {
  AddPlain(name, HexNumber(value));
}

void VariableListWriter::AddFixed(std::string_view name, double value, int digits) {
  FixedText text;
  AddPlain(name, Fixed(value, digits, text));
}

void VariableListWriter::AddTimestamp(std::string_view name, NtpTimestamp value) {
  BeginItem(name);
  text_ += "0x";
  AppendHex(value.seconds());
  text_ += '.';
  AppendHex(value.fraction());
  EndItem();
}

void VariableListWriter::AddSeries(std::string_view name, std::span<const double> values) {
  BeginItem(name);
  FixedText text;
  for (double value : values) {
    text_ += ' ';
    text_ += Fixed(value, 2, text);
  }
  EndItem();
}

void VariableListWriter::BeginItem(std::string_view name) {
  item_ = text_.size();
  text_ += name;
  text_ += '=';
}

void VariableListWriter::AppendPrintable(std::string_view value) {
  const size_t begin = text_.size();
  text_ += value;
  std::replace_if(
      text_.begin() + static_cast<ptrdiff_t>(begin), text_.end(),
      [](char c) { return !IsPrintable(c); }, '?');
}

void VariableListWriter::AppendHex(uint32_t value) {
  std::array<char, 8> digits;
  for (char& digit : digits) {
    digit = "0123456789abcdef"[value >> 28];
    value <<= 4;
  }
  text_.append(digits.data(), digits.size());
}

void VariableListWriter::EndItem() {
  const size_t size = text_.size() - item_;
  // Three octets of separator before the item, two of line end after the last one.
  if (text_.size() + 5 > limit_) return text_.resize(item_);
  if (item_ > 0) {
    const bool wraps = line_ + 1 + size + 1 >= kLineWidth;
    const std::string_view separator = wraps ? ",\r\n" : ", ";
    text_.insert(item_, separator);
    line_ = wraps ? 0 : line_ + separator.size();
    cuts_.push_back(item_ + separator.size());
  }
  line_ += size;
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
