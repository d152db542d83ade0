#include "ntpd/config/diagnostic.h"

namespace ntpward::config {
namespace {

constexpr size_t kMaxQuoted = 40;

void AppendPrintable(std::string& out, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte < 0x7f) {
    out += c;
    return;
  }
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      return "note";
  }
  return "error";
}

std::string ToString(const Diagnostic& diagnostic) {
  std::string text;
  for (char c : diagnostic.file) AppendPrintable(text, c);
  if (diagnostic.line != 0) text += ":" + std::to_string(diagnostic.line);
  if (diagnostic.column != 0) text += ":" + std::to_string(diagnostic.column);
  if (!text.empty()) text += ": ";
  text += SeverityName(diagnostic.severity);
  return text + ": " + diagnostic.text;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (char c : text.substr(0, kMaxQuoted)) AppendPrintable(quoted, c);
  if (text.size() > kMaxQuoted) quoted += "...";
  return quoted + "'";
}

}  // namespace ntpward::config
