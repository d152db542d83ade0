#include "ntpq/text.h"

namespace ntpward::ntpq {
namespace {

constexpr size_t kLineWidth = 72;

void AppendPrintable(std::string& text, unsigned char byte) {
  if (byte >= 0x80) {
    text += "M-";
    byte &= 0x7f;
  }
  if (byte < 0x20) {
    text += '^';
    text += static_cast<char>(byte + '@');
  } else if (byte == 0x7f) {
    text += "^?";
  } else {
    text += static_cast<char>(byte);
  }
}

}  // namespace

std::string Printable(std::string_view bytes) {
  std::string text;
  for (char c : bytes) AppendPrintable(text, static_cast<unsigned char>(c));
  return text;
}

std::string PrintableLines(std::string_view bytes) {
  std::string text;
  for (char c : bytes) {
    if (c == '\r') continue;
    if (c == '\n')
      text += c;
    else
      AppendPrintable(text, static_cast<unsigned char>(c));
  }
  return text;
}

std::string PadRight(std::string_view text, size_t width) {
  std::string padded(text);
  if (padded.size() < width) padded.append(width - padded.size(), ' ');
  return padded;
}

std::string PadLeft(std::string_view text, size_t width) {
  std::string padded(text.size() < width ? width - text.size() : 0, ' ');
  padded += text;
  return padded;
}

std::string_view Cut(std::string_view text, size_t width) { return text.substr(0, width); }
std::string FitRight(std::string_view text, size_t width) {
  return PadRight(Cut(text, width), width);
}
std::string FitLeft(std::string_view text, size_t width) {
  return PadLeft(Cut(text, width), width);
}

void ItemLines::Add(std::string_view item) {
  if (!text_.empty()) {
    const bool wraps = column_ + item.size() + 2 > kLineWidth;
    text_ += wraps ? ",\n" : ", ";
    column_ = wraps ? 0 : column_ + 2;
  }
  text_ += item;
  column_ += item.size();
}

std::string ItemLines::Finish() {
  if (!text_.empty()) text_ += '\n';
  column_ = 0;
  return std::move(text_);
}

}  // namespace ntpward::ntpq
