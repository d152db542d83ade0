#include "ntpd/wire/variable_values.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace ntpward::wire {
namespace {

constexpr size_t kMaxNumberLength = 32;
constexpr double kMaxMagnitude = 1e12;
constexpr size_t kMaxSeries = 8;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

template <typename T>
std::optional<T> FromChars(std::string_view text, int base) {
  T value{};
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
  return value;
}

bool DropPrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Digits with at most one point, and at least one digit.
bool IsFixedPoint(std::string_view text) {
  return std::count(text.begin(), text.end(), '.') <= 1 &&
         std::any_of(text.begin(), text.end(), IsDigit) &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsDigit(c) || c == '.'; });
}

std::optional<uint32_t> HexWord(std::string_view text) {
  if (text.size() > 8) return std::nullopt;
  return FromChars<uint32_t>(text, 16);
}

std::optional<SocketAddress> WithPort(std::string_view host, std::string_view port) {
  const auto ip = IpAddress::Parse(host);
  const auto number = FromChars<uint16_t>(port, 10);
  if (!ip || !number) return std::nullopt;
  return SocketAddress{*ip, *number};
}

}  // namespace

std::optional<uint64_t> DecodeUnsigned(std::string_view text) {
  if (text.empty() || !IsDigit(text.front())) return std::nullopt;
  return FromChars<uint64_t>(text, 10);
}

std::optional<int64_t> DecodeSigned(std::string_view text) {
  DropPrefix(text, "+");
  return FromChars<int64_t>(text, 10);
}

std::optional<uint64_t> DecodeHex(std::string_view text) {
  DropPrefix(text, "0x");
  if (text.starts_with('-')) return std::nullopt;
  return FromChars<uint64_t>(text, 16);
}

std::optional<uint64_t> DecodeNumber(std::string_view text) {
  return text.starts_with("0x") ? DecodeHex(text) : DecodeUnsigned(text);
}

std::optional<double> DecodeFixed(std::string_view text) {
  const bool negative = DropPrefix(text, "-");
  if (!negative) DropPrefix(text, "+");
  if (text.size() > kMaxNumberLength || !IsFixedPoint(text)) return std::nullopt;
  double value = 0;
  const auto end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (result.ec != std::errc() || result.ptr != end || value >= kMaxMagnitude) return std::nullopt;
  if (value == 0) return 0.0;  // "-0.000" is zero, and zero has no sign
  return negative ? -value : value;
}

std::optional<NtpTimestamp> DecodeTimestamp(std::string_view text) {
  DropPrefix(text, "0x");
  const size_t point = text.find('.');
  if (point == std::string_view::npos) return std::nullopt;
  const auto seconds = HexWord(text.substr(0, point));
  const auto fraction = HexWord(text.substr(point + 1));
  if (!seconds || !fraction) return std::nullopt;
  return NtpTimestamp::FromRaw(uint64_t{*seconds} << 32 | *fraction);
}

std::optional<SocketAddress> DecodeAddress(std::string_view text) {
  if (const auto ip = IpAddress::Parse(text)) return SocketAddress{*ip, 0};
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return WithPort(text.substr(0, colon), text.substr(colon + 1));
}

std::optional<std::vector<double>> DecodeSeries(std::string_view text) {
  std::vector<double> values;
  while (true) {
    while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
    if (text.empty()) break;
    const size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    const auto value = DecodeFixed(text.substr(0, end));
    if (!value || values.size() == kMaxSeries) return std::nullopt;
    values.push_back(*value);
    text.remove_prefix(end);
  }
  if (values.empty()) return std::nullopt;
  return values;
}

}  // namespace ntpward::wire
