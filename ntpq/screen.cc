#include "ntpq/screen.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace ntpward::ntpq {
namespace {

constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kEndLine = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";
constexpr std::string_view kReset = "\x1b[0m";

// Select Graphic Rendition, without and with colour.
struct Sequences {
  std::string_view plain;
  std::string_view coloured;
};
Sequences SequencesOf(Tint tint) {
  switch (tint) {
    case Tint::kTitle:
      return {"\x1b[7m", "\x1b[7m"};
    case Tint::kStrong:
      return {"", "\x1b[1m"};
    case Tint::kGood:
      return {"", "\x1b[32m"};
    case Tint::kNotice:
      return {"", "\x1b[33m"};
    case Tint::kBad:
      return {"", "\x1b[1;31m"};
    case Tint::kFaint:
      return {"", "\x1b[2m"};
    case Tint::kPlain:
      break;
  }
  return {"", ""};
}

std::string Safe(std::string_view text) {
  std::string safe(text);
  for (char& c : safe)
    if (c < ' ' || c > '~') c = '?';
  return safe;
}

std::string RenderLine(const ScreenLine& line, size_t columns, bool colour) {
  std::string text;
  for (const Piece& piece : line) {
    const std::string shown = Safe(piece.text).substr(0, columns);
    columns -= shown.size();
    const Sequences sequences = SequencesOf(piece.tint);
    const std::string_view begin = colour ? sequences.coloured : sequences.plain;
    text += begin;
    text += shown;
    if (!begin.empty()) text += kReset;
  }
  return text;
}

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::string RenderScreen(const std::vector<ScreenLine>& lines, ScreenSize size, bool colour) {
  std::string text(kHome);
  const size_t shown = std::min(lines.size(), size.rows);
  for (size_t i = 0; i < shown; ++i) {
    text += RenderLine(lines[i], size.columns, colour);
    text += kEndLine;
    // A line feed in the last line would scroll.
    if (i + 1 < size.rows) text += "\r\n";
  }
  if (shown < size.rows) text += kEraseBelow;
  return text;
}

std::string RenderText(const std::vector<ScreenLine>& lines) {
  std::string text;
  for (const ScreenLine& line : lines) {
    std::string whole;
    for (const Piece& piece : line) whole += Safe(piece.text);
    whole.resize(whole.find_last_not_of(' ') + 1);
    text += whole + "\n";
  }
  return text;
}

bool CanRedraw(const char* term) {
  return term != nullptr && *term != '\0' &&
         !IsOneOf(term, {"dumb", "unknown", "network", "emacs"});
}

// The types that terminfo(5) calls colourless and that are still met.
bool HasColour(const char* term, const char* no_color) {
  if (!CanRedraw(term) || (no_color != nullptr && *no_color != '\0')) return false;
  const std::string_view type = term;
  return !type.ends_with("-m") && !type.ends_with("-mono") &&
         !IsOneOf(type, {"vt52", "vt100", "vt102", "vt200", "vt220", "vt320", "vt420", "ansi-m"});
}

}  // namespace ntpward::ntpq
