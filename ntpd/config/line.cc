#include "ntpd/config/line.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "ntpd/config/parser.h"
#include "ntpd/config/suggest.h"
#include "privsep/base/text.h"

namespace ntpward::config {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\v' || c == '\f'; }
bool IsSpecial(char c) { return std::string_view("{}(),;|=").find(c) != std::string_view::npos; }
bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && !IsBlank(c)) || byte == 0x7f;
}

// "a, b or c".
std::string Listed(std::span<const std::string_view> names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i != 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

// Limits are shown as an operator would write them.
std::string Shown(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

bool ParseInteger(std::string_view text, int64_t& value) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = hex ? text.substr(2) : text;
  if (hex && digits.starts_with("-")) return false;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
  return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
}

bool ParseNumber(std::string_view text, double& value) {
  if (text.starts_with("+")) text.remove_prefix(1);
  // "inf", "nan" and a second sign are no numbers here.
  if (text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

}  // namespace

Line::Line(std::string_view text, Location where, bool remote)
    : text_(text), where_(where), remote_(remote) {
  // Once a password may be in the line no word of it is quoted: a misplaced blank or a forgotten
  // option must not put it into the log.
  concealed_ = Mentions("crypto") || Mentions("pw") || Mentions("password");
}

Line::Word Line::ScanQuoted(size_t begin, bool free_text) {
  Word word{.begin = begin, .quoted = true};
  size_t close = text_.find('"', begin + 1);
  word.unterminated = close == std::string_view::npos;
  if (word.unterminated) close = text_.size();
  word.text = text_.substr(begin + 1, close - begin - 1);
  word.end = std::min(close + 1, text_.size());
  for (size_t i = begin + 1; i < close; ++i)
    if (IsControl(text_[i])) FailAt(i, "control character in a quoted text");
  if (word.end < text_.size()) {
    const char next = text_[word.end];
    if (!IsBlank(next) && next != '#' && (free_text || !IsSpecial(next)))
      FailAt(word.end, "expected a blank after the closing quotation mark");
  }
  return word;
}

Line::Word Line::Scan(bool free_text) {
  size_t begin = position_;
  while (begin < text_.size() && IsBlank(text_[begin])) ++begin;
  Word word{.begin = begin, .end = begin};
  if (failed() || begin == text_.size() || text_[begin] == '#') return word;
  if (text_[begin] == '"') return ScanQuoted(begin, free_text);
  size_t end = begin;
  while (end < text_.size() && !IsBlank(text_[end]) && text_[end] != '#' && text_[end] != '"' &&
         (free_text || !IsSpecial(text_[end]))) {
    if (IsControl(text_[end])) {
      FailAt(end,
             text_[end] == '\0' ? "NUL octet: expected text" : "control character outside quotes");
      return {};
    }
    ++end;
  }
  if (end == begin && text_[begin] != '"') ++end;  // a special character
  if (end < text_.size() && text_[end] == '"' && !IsSpecial(text_[begin])) {
    FailAt(end, "a quotation mark in the middle of a word: expected it at the beginning");
    return {};
  }
  word.text = text_.substr(begin, end - begin);
  word.end = end;
  word.cut = end < text_.size() && text_[end] == '#';
  return word;
}

std::string_view Line::Take(bool free_text) {
  const Word word = Scan(free_text);
  if (failed()) return {};
  if (word.text.size() > kMaxWord) {
    FailAt(word.begin, "word too long: expected at most " + std::to_string(kMaxWord) + " octets");
    return {};
  }
  position_ = word.end;
  last_ = word.text;
  last_quoted_ = word.quoted;
  last_column_ = static_cast<uint32_t>(word.begin + 1);
  if (word.unterminated) Warn("the quotation mark that opens here is not closed on this line");
  if (word.cut)
    Warn("'#' right behind this word begins a comment: quote the word if it belongs to it");
  return word.text;
}

std::string_view Line::Next() { return Take(false); }
std::string_view Line::NextString() { return Take(true); }

bool Line::Accept(std::string_view keyword) {
  const Word word = Scan(false);
  if (failed() || word.quoted || word.text != keyword) return false;
  (void)Take(false);
  return true;
}

bool Line::AtEnd() {
  const Word word = Scan(false);
  return failed() || (word.text.empty() && !word.quoted);
}

std::optional<std::string_view> Line::Require(std::string_view what, bool free_text) {
  if (AtEnd()) FailNext(what);
  const std::string_view word = free_text ? NextString() : Next();
  if (word == "\\" && !last_quoted_ && AtEnd()) Fail("a line cannot be continued on the next");
  if (failed()) return std::nullopt;
  return word;
}

std::string Line::String(std::string_view what) {
  const auto word = Require(what, true);
  if (word && word->empty()) Fail("empty text: expected " + std::string(what));
  return failed() ? std::string() : std::string(*word);
}

Secret Line::SecretString(std::string_view what) {
  Conceal();
  const auto word = Require(what, true);
  if (word && word->empty()) Fail("empty text: expected " + std::string(what));
  if (failed()) return {};
  auto secret = Secret::Copy(AsBytes(*word));
  if (secret.ok()) return std::move(secret).value();
  Fail(secret.error().text);
  return {};
}

int64_t Line::Integer(std::string_view what, int64_t low, int64_t high) {
  const std::string expected =
      std::string(what) + " (" + std::to_string(low) + " to " + std::to_string(high) + ")";
  const auto word = Require(expected, false);
  if (!word) return low;
  int64_t value = 0;
  if (!ParseInteger(*word, value) || last_quoted_) {
    Fail(Cite() + " is no whole number: expected " + expected);
    return low;
  }
  if (value < low || value > high) {
    Fail(Cite() + " is out of range: expected " + expected);
    return low;
  }
  return value;
}

double Line::Number(std::string_view what, double low, double high) {
  const std::string expected = std::string(what) + " (" + Shown(low) + " to " + Shown(high) + ")";
  const auto word = Require(expected, false);
  if (!word) return low;
  double value = 0;
  if (!ParseNumber(*word, value) || last_quoted_) {
    Fail(Cite() + " is no number: expected " + expected);
    return low;
  }
  if (value < low || value > high) {
    Fail(Cite() + " is out of range: expected " + expected);
    return low;
  }
  return value;
}

bool Line::Boolean(std::string_view what) {
  const std::string expected = std::string(what) + " (0 or 1)";
  const auto word = Require(expected, false);
  if (!word) return false;
  if (*word == "1" || *word == "true") return true;
  if (*word == "0" || *word == "false") return false;
  Fail(Cite() + " is neither true nor false: expected " + expected);
  return false;
}

std::string Line::Cite() const { return concealed_ ? std::string("this word") : Quoted(last_); }

void Line::FailAt(size_t position, std::string text) {
  if (!failed()) failure_ = LineMessage{static_cast<uint32_t>(position + 1), std::move(text)};
}

void Line::Fail(std::string text) {
  if (!failed()) failure_ = LineMessage{last_column_, std::move(text)};
}

void Line::FailNext(std::string_view what) {
  if (AtEnd())
    return FailAt(Scan(false).begin, "the line ends here: expected " + std::string(what));
  (void)Next();
  Fail(Cite() + " is not expected here: expected " + std::string(what));
}

void Line::FailUnknown(std::string_view what, std::span<const std::string_view> names) {
  const std::string_view nearest = last_quoted_ ? std::string_view() : Nearest(last_, names);
  std::string text = "unknown " + std::string(what);
  if (!concealed_) text += " " + Cite();
  if (last_ == "\\") text += " (a line cannot be continued on the next)";
  if (!nearest.empty()) text += " (did you mean " + Quoted(nearest) + "?)";
  Fail(text + ": expected " + Listed(names));
}

void Line::Warn(std::string text) {
  if (!failed()) warnings_.push_back({last_column_, std::move(text)});
}

bool Line::Finish() {
  if (failed()) return false;
  if (AtEnd()) return !failed();
  (void)NextString();
  Fail(Cite() + " is not expected here: expected the end of the line");
  return false;
}

bool Line::Mentions(std::string_view word) const {
  Line scan;
  scan.text_ = text_;
  while (!scan.AtEnd()) {
    const std::string_view found = scan.Next();
    if (EqualIgnoringCase(found, word) && !scan.last_quoted_) return true;
  }
  return false;
}

}  // namespace ntpward::config
