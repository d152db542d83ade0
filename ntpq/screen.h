// What stands on a screen, and how it becomes bytes for a terminal: pure.
//
// Pieces of text come from servers; every octet of them that is no printable ASCII is replaced here
// once more, so that only the sequences below ever reach the terminal (ECMA-48).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ntpward::ntpq {

enum class Tint : uint8_t { kPlain, kTitle, kStrong, kGood, kNotice, kBad, kFaint };

struct Piece {
  std::string text;
  Tint tint = Tint::kPlain;
};
using ScreenLine = std::vector<Piece>;

struct ScreenSize {
  size_t rows = 24;
  size_t columns = 80;
  bool operator==(const ScreenSize&) const = default;
};

// Redraws the whole screen from its first line on, without clearing it before: nothing flickers.
// Lines and columns beyond `size` are cut. Without `colour` only titles differ, in reverse video.
std::string RenderScreen(const std::vector<ScreenLine>& lines, ScreenSize size, bool colour);
// Lines as text and nothing else, each ended by a line feed, blanks at their ends removed.
std::string RenderText(const std::vector<ScreenLine>& lines);

// Whether a terminal of type `term` (TERM; null: unset) can be redrawn, and whether it has colour;
// `no_color` is NO_COLOR (no-color.org).
bool CanRedraw(const char* term);
bool HasColour(const char* term, const char* no_color);

}  // namespace ntpward::ntpq
