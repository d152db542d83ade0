#include "ntpq/cook.h"

#include <time.h>

#include <array>
#include <cstdio>
#include <optional>

#include "ntpd/wire/status_word.h"
#include "ntpd/wire/variable_values.h"
#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

// What kind of value a name promises.
enum class Kind : uint8_t {
  kLeap,
  kOctal,
  kRefid,
  kTime,
  kFlash,
  kName,
  kAddress,
  kSeries,
  kSigned
};

struct KnownName {
  std::string_view name;
  Kind kind;
};
constexpr std::array<KnownName, 17> kKnown = {{{"leap", Kind::kLeap},
                                               {"reach", Kind::kOctal},
                                               {"refid", Kind::kRefid},
                                               {"reftime", Kind::kTime},
                                               {"clock", Kind::kTime},
                                               {"org", Kind::kTime},
                                               {"rec", Kind::kTime},
                                               {"xmt", Kind::kTime},
                                               {"flash", Kind::kFlash},
                                               {"srcadr", Kind::kName},
                                               {"peeradr", Kind::kName},
                                               {"dstadr", Kind::kAddress},
                                               {"filtdelay", Kind::kSeries},
                                               {"filtoffset", Kind::kSeries},
                                               {"filtdisp", Kind::kSeries},
                                               {"offset", Kind::kSigned},
                                               {"frequency", Kind::kSigned}}};

std::optional<Kind> KindOf(std::string_view name) {
  for (const KnownName& known : kKnown)
    if (known.name == name) return known.kind;
  return std::nullopt;
}

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 128> text;
  const int length = std::snprintf(text.data(), text.size(), format, args...);
  CHECK(length >= 0 && static_cast<size_t>(length) < text.size());
  return std::string(text.data(), static_cast<size_t>(length));
}

std::optional<std::string> CookLeap(std::string_view value) {
  const auto leap = wire::DecodeUnsigned(value);
  if (!leap || *leap > 3) return std::nullopt;
  return Format("%u%u", static_cast<unsigned>(*leap >> 1), static_cast<unsigned>(*leap & 1));
}

std::optional<std::string> CookOctal(std::string_view value) {
  const auto number = wire::DecodeNumber(value);
  if (!number || *number > 0xffffffffU) return std::nullopt;
  return Format("%03o", static_cast<unsigned>(*number));
}

// An address that is really four characters of text.
std::string AddressAsText(const IpAddress& address) {
  std::string text;
  for (uint8_t octet : address.bytes()) {
    if (octet == 0) break;
    text += octet >= 0x20 && octet < 0x7f ? static_cast<char>(octet) : '?';
  }
  return text;
}

std::string RefidAddress(const IpAddress& address, Scope scope, RefidStyle style) {
  if (scope == Scope::kClock && address.family == Family::kIpv4) return AddressAsText(address);
  if (address.is_refclock()) return RefclockName(address);
  if (style == RefidStyle::kHash && address.family == Family::kIpv4)
    return Format("0x%02x%02x%02x%02x", address.octets[0], address.octets[1], address.octets[2],
                  address.octets[3]);
  return address.ToString();
}

std::optional<std::string> CookRefid(std::string_view value, Scope scope, RefidStyle style) {
  if (const auto address = IpAddress::Parse(value)) return RefidAddress(*address, scope, style);
  if (value.size() > 4) return std::nullopt;
  return Printable(value);
}

std::optional<std::string> CookTime(std::string_view value, const timespec& now) {
  const auto time = wire::DecodeTimestamp(value);
  if (!time) return std::nullopt;
  return PrettyTime(*time, now);
}

std::optional<std::string> CookFlash(std::string_view value) {
  const auto flash = wire::DecodeNumber(value);
  if (!flash || *flash > 0xffff) return std::nullopt;
  const std::string words = wire::DescribeFlash(static_cast<uint16_t>(*flash));
  return Format("%02x", static_cast<unsigned>(*flash)) + (words.empty() ? "" : " " + words);
}

std::optional<std::string> CookAddress(std::string_view value, bool name, const Display& display) {
  const auto address = wire::DecodeAddress(value);
  if (!address) return std::nullopt;
  return name ? AddressName(address->ip, display) : address->ip.ToString();
}

// Eight columns that line up under each other whatever the variable's name.
std::optional<std::string> CookSeries(std::string_view name, std::string_view value, bool signs) {
  constexpr size_t kNameWidth = 11;
  constexpr size_t kColumn = 7;
  const auto numbers = wire::DecodeSeries(value);
  if (!numbers) return std::nullopt;
  std::string text(kNameWidth > name.size() ? kNameWidth - name.size() : 0, ' ');
  for (size_t i = 0; i < numbers->size(); ++i) {
    if (i > 0) text += ' ';
    text += FitLeft(FixedText((*numbers)[i], 2, signs), kColumn);
  }
  return text;
}

std::string CookSigned(std::string_view value, bool signs) {
  const bool starts_with_digit = !value.empty() && value[0] >= '0' && value[0] <= '9';
  return (signs && starts_with_digit ? "+" : "") + Printable(value);
}

std::optional<std::string> Cook(Kind kind, std::string_view name, std::string_view value,
                                Scope scope, const Display& display) {
  switch (kind) {
    case Kind::kLeap:
      return CookLeap(value);
    case Kind::kOctal:
      return CookOctal(value);
    case Kind::kRefid:
      return CookRefid(value, scope, display.refid);
    case Kind::kTime:
      return CookTime(value, display.now);
    case Kind::kFlash:
      return CookFlash(value);
    case Kind::kName:
      return CookAddress(value, true, display);
    case Kind::kAddress:
      return CookAddress(value, false, display);
    case Kind::kSeries:
      return CookSeries(name, value, display.signs && name == "filtoffset");
    case Kind::kSigned:
      return CookSigned(value, display.signs);
  }
  return std::nullopt;
}

}  // namespace

std::string CookVariable(const wire::Variable& variable, Scope scope, const Display& display) {
  return Printable(variable.name) + "=" +
         CookValue(variable.name, variable.value.value_or(""), scope, display);
}

std::string CookValue(std::string_view name, std::string_view value, Scope scope,
                      const Display& display) {
  const auto kind = KindOf(name);
  if (!kind || value.empty()) return Printable(value);
  const auto cooked = Cook(*kind, name, value, scope, display);
  return cooked ? *cooked : Printable(value) + "?";
}

std::string DamageText(wire::VariableReject reject) {
  switch (reject) {
    case wire::VariableReject::kNameTooLong:
      return "nextvar: runaway name, stop\n";
    case wire::VariableReject::kValueTooLong:
      return "nextvar: runaway value\n";
    case wire::VariableReject::kNoClosingQuote:
      return "nextvar: no closing quote, stop\n";
  }
  return "";
}

std::string PrettyTime(NtpTimestamp time, const timespec& now) {
  if (time.is_zero()) return "(no time)";
  // A timestamp has no era: it is the one that brings it closest to now.
  const auto distance =
      static_cast<int32_t>(time.seconds() - NtpTimestamp::FromUnix(now).seconds());
  const time_t seconds = now.tv_sec + distance;
  tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 64> date;
  if (strftime(date.data(), date.size(), "%a, %b %e %Y %k:%M:%S", &local) == 0) return "(no time)";
  const auto milliseconds = static_cast<unsigned>(uint64_t{time.fraction()} * 1000 >> 32);
  return Format("%08x.%08x  %s.%03u", time.seconds(), time.fraction(), date.data(), milliseconds);
}

std::string AddressName(const IpAddress& address, const Display& display) {
  if (display.names == nullptr) return address.ToString();
  if (address.is_refclock()) return RefclockName(address);
  if (address.is_wildcard()) return address.ToString();
  return Printable(display.names->NameOf(address));
}

std::string FixedText(double value, int decimals, bool sign) {
  return Format(sign && value >= 0 ? "+%.*f" : "%.*f", decimals, value);
}

}  // namespace ntpward::ntpq
