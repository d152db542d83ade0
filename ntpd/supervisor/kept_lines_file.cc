#include "ntpd/supervisor/kept_lines_file.h"

#include <unistd.h>

#include <optional>
#include <string_view>

#include "ntpd/supervisor/log_sink.h"
#include "ntpd/supervisor/own_file.h"
#include "ntpd/supervisor/state_file.h"

namespace ntpward::supervisor {
namespace {

// "line TEXT", before it "of SUBJECT" where it has one, then the end: what was cut off would else
// be forgotten without a word. Neither text can hold the end of a line.
constexpr std::string_view kLine = "line ", kSubject = "of ", kEnd = "end\n";
constexpr size_t kMostOctets = KeptChanges::kMost * 1024;

bool Accept(std::string_view* text, std::string_view start) {
  const bool there = text->starts_with(start);
  if (there) text->remove_prefix(start.size());
  return there;
}

std::optional<msg::RuntimeLine> LineOf(std::string_view text, std::string_view subject) {
  msg::RuntimeLine line;
  if (!line.line.Assign(AsBytes(text)) || !line.subject.Assign(AsBytes(subject)) || !line.Valid())
    return std::nullopt;
  return line;
}

}  // namespace

Result<KeptChanges> ParseKeptLines(std::string_view text, const std::string& name, Logger* log) {
  const bool whole = text == kEnd || text.ends_with("\n" + std::string(kEnd));
  if (!whole) return Fail(name + ": is not whole");
  text.remove_suffix(kEnd.size());
  KeptChanges kept;
  std::string_view subject;
  while (!text.empty()) {
    const size_t length = text.find('\n');
    const std::string_view all = text.substr(0, length);
    text.remove_prefix(length + 1);
    std::string_view rest = all;
    if (Accept(&rest, kSubject)) {
      subject = rest;
      continue;
    }
    const auto line = Accept(&rest, kLine) ? LineOf(rest, subject) : std::nullopt;
    subject = {};
    if (!line || !kept.Take(*line))
      log->Log(LogLevel::kError,
               name + ": a line that makes no sense is left out: " + Printable(all));
  }
  return kept;
}

std::string KeptLinesText(const KeptChanges& kept) {
  std::string text;
  for (const msg::RuntimeLine& line : kept.lines()) {
    if (!line.subject.empty())
      text += std::string(kSubject) + std::string(line.subject.text()) + "\n";
    text += std::string(kLine) + std::string(line.line.text()) + "\n";
  }
  return text + std::string(kEnd);
}

KeptLinesFile::KeptLinesFile(const std::string& directory) {
  if (!directory.empty()) path_ = directory + "/config-lines";
}

Result<KeptChanges> KeptLinesFile::Read(Logger* log) const {
  if (path_.empty()) return KeptChanges();
  const std::string text = TRY(ReadOwnFile(path_, kMostOctets));
  if (text.empty()) return KeptChanges();
  return ParseKeptLines(text, path_, log);
}

Status KeptLinesFile::Write(const KeptChanges& kept) const {
  if (path_.empty()) return {};
  return ReplaceFile(path_, KeptLinesText(kept), 0600);
}

void KeptLinesFile::Remove() const {
  if (!path_.empty()) (void)unlink(path_.c_str());
}

}  // namespace ntpward::supervisor
