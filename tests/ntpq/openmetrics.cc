#include "tests/ntpq/openmetrics.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <set>

namespace ntpward::ntpq::test {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Takes what its name says from the front of `rest`; empty or false when it is not there.
std::string_view TakeName(std::string_view& rest) {
  size_t length = 0;
  while (length < rest.size() &&
         (IsNameStart(rest[length]) || (length > 0 && IsDigit(rest[length]))))
    ++length;
  const std::string_view name = rest.substr(0, length);
  rest.remove_prefix(length);
  return name;
}
bool Take(std::string_view& rest, std::string_view text) {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}
bool TakeDigits(std::string_view& rest) {
  const size_t length = std::min(rest.find_first_not_of("0123456789"), rest.size());
  rest.remove_prefix(length);
  return length > 0;
}
// Infinities and NaN are numbers there; we never want one.
bool IsNumber(std::string_view text) {
  if (!Take(text, "-")) Take(text, "+");
  if (!TakeDigits(text)) return false;
  if (Take(text, ".") && !TakeDigits(text)) return false;
  if (Take(text, "e")) {
    if (!Take(text, "-")) Take(text, "+");
    if (!TakeDigits(text)) return false;
  }
  return text.empty();
}
// Up to `end`, with the three escapes that there are.
std::optional<std::string> TakeEscaped(std::string_view& rest, char end) {
  std::string text;
  while (true) {
    if (rest.empty()) return end == '\0' ? std::optional(text) : std::nullopt;
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == end) return text;
    if (c != '\\') {
      // UTF-8 is allowed; ours is ASCII.
      if (c < 0x20 || c >= 0x7f) return std::nullopt;
      text += c;
      continue;
    }
    if (rest.empty() || std::string_view("n\"\\").find(rest.front()) == std::string_view::npos)
      return std::nullopt;
    text += rest.front() == 'n' ? '\n' : rest.front();
    rest.remove_prefix(1);
  }
}

class Reader {
 public:
  explicit Reader(bool open) : open_(open) {}

  Exposition Read(std::string_view text) {
    if (!text.ends_with('\n')) return Wrong("no line end at the end", "");
    while (!text.empty() && read_.wrong.empty()) {
      const size_t end = text.find('\n');
      Line(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    Finish();
    if (open_ && !ended_) Wrong("no # EOF", "");
    return read_;
  }

 private:
  struct Family {
    std::string name;
    std::string type;
    std::string unit;
    bool helped = false;
    size_t samples = 0;
  };

  const Exposition& Wrong(const char* what, std::string_view line) {
    if (read_.wrong.empty()) read_.wrong = std::string(what) + ": " + std::string(line);
    return read_;
  }

  void Line(std::string_view line) {
    const std::string_view whole = line;
    if (ended_) {
      Wrong("text behind # EOF", whole);
    } else if (open_ && line == "# EOF") {
      ended_ = true;
    } else if (line.starts_with('#')) {
      const bool right = Take(line, "# TYPE ")   ? Type(line)
                         : Take(line, "# HELP ") ? Help(line)
                                                 : open_ && Take(line, "# UNIT ") && Unit(line);
      if (!right) Wrong("no such metadata here", whole);
    } else {
      if (!TakeSample(line)) Wrong("no such sample here", whole);
    }
  }

  // The first line of a family, here.
  bool Type(std::string_view rest) {
    Finish();
    family_ = {};
    family_.name = TakeName(rest);
    if (!Take(rest, " ") || family_.name.empty() || !names_.insert(family_.name).second)
      return false;
    family_.type = rest;
    return rest == "gauge" || rest == "counter" || (open_ && rest == "info");
  }
  bool Help(std::string_view rest) {
    if (!TakeFamily(rest) || family_.helped) return false;
    family_.helped = true;
    return TakeEscaped(rest, '\0').has_value();
  }
  bool Unit(std::string_view rest) {
    if (!TakeFamily(rest) || !family_.unit.empty() || family_.type == "info") return false;
    family_.unit = rest;
    return !rest.empty() && family_.name.ends_with("_" + family_.unit);
  }
  bool TakeFamily(std::string_view& rest) {
    return TakeName(rest) == family_.name && Take(rest, " ") && family_.samples == 0;
  }

  // Names of samples of one family must not be those of another, nor its name.
  void Finish() {
    if (!family_.name.empty() && family_.samples == 0)
      Wrong("a family without samples", family_.name);
    constexpr std::array<std::string_view, 5> kSuffixes = {"_total", "_info", "_created", "_bucket",
                                                           "_count"};
    for (const std::string_view suffix : kSuffixes)
      if (open_ && family_.name.ends_with(suffix))
        Wrong("a suffix as part of a name", family_.name);
    if (!open_ && family_.type == "counter" && !family_.name.ends_with("_total"))
      Wrong("a counter without _total", family_.name);
  }

  std::string SampleName() const {
    if (!open_ || family_.type == "gauge") return family_.name;
    return family_.name + (family_.type == "counter" ? "_total" : "_info");
  }

  bool TakeSample(std::string_view rest) {
    Sample sample;
    sample.name = TakeName(rest);
    if (family_.name.empty() || !family_.helped || sample.name != SampleName()) return false;
    if (Take(rest, "{") && !TakeLabels(rest, sample)) return false;
    // No timestamp: node_exporter refuses files that have one.
    if (!Take(rest, " ") || !IsNumber(rest)) return false;
    sample.value = std::strtod(std::string(rest).c_str(), nullptr);
    if (family_.type == "counter" && (sample.value < 0 || std::isnan(sample.value))) return false;
    if (family_.type == "info" && sample.value != 1) return false;
    ++family_.samples;
    if (!seen_.insert({sample.name, sample.labels}).second) return false;
    read_.samples.push_back(std::move(sample));
    return true;
  }
  bool TakeLabels(std::string_view& rest, Sample& sample) {
    do {
      const std::string name(TakeName(rest));
      if (name.empty() || name.starts_with("__") || !Take(rest, "=\"")) return false;
      auto value = TakeEscaped(rest, '"');
      if (!value || !sample.labels.emplace(name, *value).second) return false;
    } while (Take(rest, ","));
    return Take(rest, "}");
  }

  bool open_;
  bool ended_ = false;
  Family family_;
  std::set<std::string> names_;
  std::set<std::pair<std::string, std::map<std::string, std::string>>> seen_;
  Exposition read_;
};

}  // namespace

std::optional<double> Exposition::Value(const std::string& name,
                                        const std::map<std::string, std::string>& labels) const {
  std::optional<double> found;
  for (const Sample& sample : samples) {
    bool same = sample.name == name;
    for (const auto& [key, value] : labels) {
      const auto label = sample.labels.find(key);
      same = same && label != sample.labels.end() && label->second == value;
    }
    if (!same) continue;
    if (found) return std::nullopt;
    found = sample.value;
  }
  return found;
}

Exposition ReadOpenMetrics(std::string_view text) { return Reader(true).Read(text); }
Exposition ReadTextfile(std::string_view text) { return Reader(false).Read(text); }

}  // namespace ntpward::ntpq::test
