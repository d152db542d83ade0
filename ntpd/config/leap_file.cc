#include "ntpd/config/leap_file.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "ntpd/config/sha1.h"
#include "privsep/base/types.h"

namespace ntpward::config {
namespace {

constexpr FileSeconds kDay = 86400;
constexpr FileSeconds kFirst = 2272060800;                 // 1972-01-01
constexpr FileSeconds kLast = (FileSeconds{1} << 33) - 1;  // in the year 2172
constexpr int kWarnDays = 28;
constexpr std::string_view kBlanks = " \t\r\v\f";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool StartsMonth(FileSeconds at) {
  using std::chrono::days;
  if (at % kDay != 0) return false;
  const std::chrono::sys_days day{days((at - FileSeconds{kUnixToNtpSeconds}) / kDay)};
  return std::chrono::year_month_day(day).day() == std::chrono::day(1);
}

class LeapFileParser {
 public:
  LeapFileParser(std::string_view text, std::string file) : text_(text) {
    problem_.file = std::move(file);
  }

  Result<LeapTable, Diagnostic> Run(HashCheck check) {
    if (text_.size() > kMaxLeapFile) return Whole("the file is larger than 65536 octets");
    while (!text_.empty()) {
      const size_t end = text_.find('\n');
      line_ = rest_ = text_.substr(0, end);
      text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
      ++number_;
      if (!TakeLine()) return Fail(problem_);
    }
    if (table_.seconds.empty()) return Whole("no leap seconds: expected lines 'SECONDS TAI'");
    if (table_.expiry == 0) return Whole("no expiry: expected a line '#@ SECONDS'");
    if (check == HashCheck::kRequired) {
      if (!hash_) return Whole("no hash: expected a line '#h' with five words");
      if (*hash_ != Sha1(AsBytes(covered_))) {
        problem_.line = hash_line_;
        return Whole("the hash is not that of this table: the file is damaged");
      }
    }
    return std::move(table_);
  }

 private:
  Failure<Diagnostic> Whole(std::string why) {
    problem_.text = std::move(why);
    return Fail(problem_);
  }

  bool Wrong(std::string why) {
    problem_.line = number_;
    problem_.column = static_cast<uint32_t>(line_.size() - rest_.size() + 1);
    problem_.text = std::move(why);
    return false;
  }

  bool TakeLine() {
    if (line_.starts_with("#$")) return TakeDate(&table_.updated, "date of the last change");
    if (line_.starts_with("#@")) return TakeDate(&table_.expiry, "date of expiry");
    if (line_.starts_with("#h")) return TakeHash();
    SkipBlanks();
    return rest_.empty() || rest_.front() == '#' || TakeLeapSecond();
  }

  void SkipBlanks() {
    const size_t skip = rest_.find_first_not_of(kBlanks);
    rest_.remove_prefix(skip == std::string_view::npos ? rest_.size() : skip);
  }

  // A decimal number up to `most`; its digits are what the hash covers.
  std::optional<FileSeconds> TakeNumber(const char* what, FileSeconds most) {
    SkipBlanks();
    size_t size = 0;
    while (size < rest_.size() && IsDigit(rest_[size])) ++size;
    FileSeconds value = 0;
    const auto parsed = std::from_chars(rest_.data(), rest_.data() + size, value);
    const bool ends = size == rest_.size() || rest_[size] == '#' ||
                      kBlanks.find(rest_[size]) != std::string_view::npos;
    if (size == 0 || !ends || parsed.ec != std::errc() || value > most) {
      const std::string found =
          rest_.empty() ? "the line ends here"
                        : Quoted(rest_.substr(0, rest_.find_first_of(kBlanks))) + " is not it";
      Wrong(found + ": expected the " + what);
      return std::nullopt;
    }
    covered_ += rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }

  bool EndLine() {
    SkipBlanks();
    if (rest_.empty() || rest_.front() == '#') return true;
    return Wrong(Quoted(rest_) + " is not expected here: expected the line's end or '#'");
  }

  bool TakeDate(FileSeconds* date, const char* what) {
    if (*date != 0) return Wrong(std::string("a second ") + what);
    rest_.remove_prefix(2);
    const auto value = TakeNumber(what, kLast);
    if (!value) return false;
    if (*value < kFirst) return Wrong(std::string("the ") + what + " is before 1972");
    *date = *value;
    return EndLine();
  }

  bool TakeLeapSecond() {
    const auto at = TakeNumber("leap second's date in seconds since 1900", kLast);
    if (!at) return false;
    if (*at < kFirst || !StartsMonth(*at))
      return Wrong("no leap second can be there: expected the first second of a month since 1972");
    const auto tai = TakeNumber("TAI offset (10 to 255)", 255);
    if (!tai) return false;
    if (*tai < 10) return Wrong("the TAI offset is less than 10");
    if (!table_.seconds.empty()) {
      const LeapSecond& before = table_.seconds.back();
      if (*at <= before.at) return Wrong("the dates must ascend");
      if (*tai != before.tai + 1 && *tai != before.tai - 1)
        return Wrong("the TAI offset must change by one second");
    }
    if (table_.seconds.size() == kMaxLeapSeconds) return Wrong("more than 256 leap seconds");
    table_.seconds.push_back({*at, static_cast<uint8_t>(*tai)});
    return EndLine();
  }

  // Writers leave leading zeros of a word out: it is a number, not eight digits.
  bool TakeHash() {
    if (hash_) return Wrong("a second hash");
    rest_.remove_prefix(2);
    std::array<uint32_t, 5> words{};
    for (uint32_t& word : words) {
      SkipBlanks();
      const std::string_view text = rest_.substr(0, rest_.find_first_of(kBlanks));
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), word, 16);
      if (text.empty() || text.size() > 8 || parsed.ec != std::errc() ||
          parsed.ptr != text.data() + text.size())
        return Wrong("expected five words of up to eight hexadecimal digits");
      rest_.remove_prefix(text.size());
    }
    hash_ = words;
    hash_line_ = number_;
    return EndLine();
  }

  std::string_view text_;  // what comes after the line
  std::string_view line_;
  std::string_view rest_;  // of the line
  uint32_t number_ = 0;
  LeapTable table_;
  std::string covered_;
  std::optional<std::array<uint32_t, 5>> hash_;
  uint32_t hash_line_ = 0;
  Diagnostic problem_;
};

}  // namespace

Result<LeapTable, Diagnostic> ParseLeapFile(std::string_view text, std::string file,
                                            HashCheck check) {
  return LeapFileParser(text, std::move(file)).Run(check);
}

std::string LeapAgeWarning(const LeapTable& table, FileSeconds now) {
  const FileSeconds left = table.expiry - now;
  if (left <= 0) {
    const FileSeconds days = -left / kDay;
    if (days == 0) return "expired less than one day ago";
    return "expired " + std::to_string(days) + (days == 1 ? " day ago" : " days ago");
  }
  if (left > kWarnDays * kDay) return {};
  const FileSeconds days = (left + kDay - 1) / kDay;
  if (days <= 1) return "will expire in less than one day";
  return "will expire in less than " + std::to_string(days) + " days";
}

}  // namespace ntpward::config
