#include "ntpd/config/parser.h"

#include <algorithm>
#include <memory>

#include "ntpd/config/directive.h"
#include "ntpd/config/suggest.h"
#include "ntpd/config/validate.h"

namespace ntpward::config {
namespace {

// These two steer the reading itself; they are no part of the directive tables.
constexpr std::string_view kInclude = "includefile";
constexpr std::string_view kEnd = "end";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

class Parser {
 public:
  Parser(FileSource* source, ParsePolicy policy, Config config = {})
      : source_(source), policy_(policy) {
    out_.config = std::move(config);
  }

  void ReadMain(std::string_view path);
  void ReadText(Secret text, std::string_view name);
  void ReadOneLine(std::string_view text);
  Parsed Take() { return std::move(out_); }

 private:
  enum class Flow : uint8_t { kGoOn, kEndOfFile };

  void ReadLines(std::string_view text, uint32_t file);
  Flow ReadLine(Line& line, uint32_t number);
  void Include(Line& line);
  void Dispatch(Line& line, const Directive& directive);
  void RefuseUnknown(Line& line);
  void Report(const Line& line, uint32_t number, bool fatal_at_start);
  // Fatal when the misspelt name is near to that of a line that protects something.
  bool LooksLikeGuard(std::string_view word) const;

  FileSource* source_;
  ParsePolicy policy_;
  Parsed out_;
  std::vector<uint32_t> open_;    // indices of the files being read, the main one first
  bool after_concealed_ = false;  // the line before this one may hold a password
};

void Parser::ReadMain(std::string_view path) {
  auto text = source_->Read(path);
  if (text.ok()) return ReadText(std::move(text).value(), path);
  out_.config.files.emplace_back(path);
  // Without the file nothing says what is to be protected.
  out_.diagnostics.push_back(
      {std::string(path), 0, 0, Severity::kError, "cannot be read: " + text.error().text, true});
}

void Parser::ReadText(Secret text, std::string_view name) {
  const auto file = static_cast<uint32_t>(out_.config.files.size());
  out_.config.files.emplace_back(name);
  open_.push_back(file);
  const Secret& contents = text;
  ReadLines(AsText(contents.bytes()), file);
  open_.pop_back();
}

void Parser::ReadOneLine(std::string_view text) {
  open_.push_back(static_cast<uint32_t>(out_.config.files.size()));
  out_.config.files.emplace_back();
  Line line(text, {open_.back(), 1, 1}, policy_ == ParsePolicy::kRemote);
  (void)ReadLine(line, 1);
  open_.pop_back();
}

void Parser::ReadLines(std::string_view text, uint32_t file) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  uint32_t number = 0;
  while (!text.empty()) {
    const size_t newline = std::min(text.find('\n'), text.size());
    std::string_view words = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (words.ends_with('\r')) words.remove_suffix(1);
    Line line(words, {file, ++number, 1}, policy_ == ParsePolicy::kRemote);
    if (ReadLine(line, number) == Flow::kEndOfFile) return;
    after_concealed_ = line.concealed();
  }
}

Parser::Flow Parser::ReadLine(Line& line, uint32_t number) {
  if (line.AtEnd() && !line.failed()) return Flow::kGoOn;
  const std::string_view name = line.Next();
  const bool bare = !line.failed() && !line.last_was_quoted();
  if (bare && name == kEnd) {
    if (line.Finish()) return Flow::kEndOfFile;
    Report(line, number, false);
  } else if (bare && name == kInclude) {
    Include(line);
  } else if (const Directive* directive = bare ? FindDirective(name) : nullptr) {
    Dispatch(line, *directive);
  } else {
    const bool fatal = name.empty() || LooksLikeGuard(name) || line.Mentions("crypto") ||
                       line.Mentions("restrict");
    RefuseUnknown(line);
    Report(line, number, fatal);
  }
  return Flow::kGoOn;
}

void Parser::Dispatch(Line& line, const Directive& directive) {
  if (directive.file_only && line.remote())
    line.Fail(line.Cite() + " is accepted in the configuration file only");
  else
    directive.parse(line, out_.config);
  const bool asks_for_authentication = line.Mentions("key") || line.Mentions("autokey");
  const bool fatal = directive.weight == Weight::kGuard ||
                     (directive.weight == Weight::kAssociation && asks_for_authentication);
  Report(line, line.where().line, fatal);
}

void Parser::RefuseUnknown(Line& line) {
  std::vector<std::string_view> names = DirectiveNames();
  names.push_back(kInclude);
  names.push_back(kEnd);
  std::string text = "unknown directive";
  // A file that is included may hold nothing but a password, in the wrong form.
  // So may a line behind one that was broken in two.
  const bool cite = open_.size() == 1 && !line.concealed() && !after_concealed_;
  const std::string_view nearest = Nearest(line.last(), names);
  if (cite) text += " " + line.Cite();
  if (!nearest.empty())
    text += ": did you mean " + Quoted(nearest) + "?";
  else
    text += ": expected a directive of ntp.conf in lower case";
  line.Fail(std::move(text));
}

bool Parser::LooksLikeGuard(std::string_view word) const {
  const std::vector<std::string_view> names = DirectiveNames();
  const std::string_view nearest = Nearest(word, names);
  const Directive* directive = nearest.empty() ? nullptr : FindDirective(nearest);
  return directive != nullptr && directive->weight == Weight::kGuard;
}

void Parser::Include(Line& line) {
  const uint32_t number = line.where().line;
  const std::string path = line.String("file name");
  auto& files = out_.config.files;
  const auto is_open = [&](uint32_t file) { return files[file] == path; };
  if (line.remote()) {
    line.Fail("'includefile' is accepted in the configuration file only");
  } else if (line.Finish()) {
    if (std::any_of(open_.begin(), open_.end(), is_open))
      line.Fail("the file includes itself");
    else if (open_.size() > kMaxIncludeDepth)
      line.Fail("files are nested too deeply: expected at most " +
                std::to_string(kMaxIncludeDepth) + " levels");
    else if (source_ == nullptr)
      line.Fail("files cannot be included here");
  }
  if (!line.failed()) {
    auto text = source_->Read(path);
    if (text.ok()) {
      Report(line, number, false);
      return ReadText(std::move(text).value(), path);
    }
    line.Fail(Quoted(path) + " cannot be read: " + text.error().text);
  }
  Report(line, number, false);
}

void Parser::Report(const Line& line, uint32_t number, bool fatal_at_start) {
  const std::string& file = out_.config.files[open_.back()];
  if (line.failure()) {
    out_.diagnostics.push_back({file, number, line.failure()->column, Severity::kError,
                                line.failure()->text, fatal_at_start});
    return;
  }
  for (const LineMessage& warning : line.warnings())
    out_.diagnostics.push_back({file, number, warning.column, Severity::kWarning, warning.text});
}

// Once all lines are read: `keysdir` may come later.
void TakeLeapOfCrypto(Config& config) {
  const Setting<std::string>& named = config.authentication.crypto.leap_file;
  if (!named.is_set() || config.output.leapfile.is_set()) return;
  config.output.leapfile = named;
  std::string& path = config.output.leapfile.value;
  if (!path.starts_with('/')) path.insert(0, config.authentication.keys_dir.value + "/");
}

}  // namespace

bool Parsed::usable(ParsePolicy policy) const {
  for (const Diagnostic& d : diagnostics) {
    if (d.severity != Severity::kError) continue;
    if (d.fatal_at_start || policy != ParsePolicy::kStartup) return false;
  }
  return true;
}

Parsed ParseFile(std::string_view path, FileSource& source, ParsePolicy policy) {
  Parser parser(&source, policy);
  parser.ReadMain(path);
  return parser.Take();
}

Parsed ParseText(Secret text, std::string_view name, FileSource* includes, ParsePolicy policy) {
  Parser parser(includes, policy);
  parser.ReadText(std::move(text), name);
  return parser.Take();
}

Parsed ParseLine(std::string_view line, Config config) {
  Parser parser(nullptr, ParsePolicy::kRemote, std::move(config));
  parser.ReadOneLine(line);
  return parser.Take();
}

Parsed Load(std::string_view path, FileSource& source, ParsePolicy policy) {
  Parsed parsed = ParseFile(path, source, policy);
  TakeLeapOfCrypto(parsed.config);
  std::vector<Diagnostic> found = Validate(parsed.config);
  std::move(found.begin(), found.end(), std::back_inserter(parsed.diagnostics));
  return parsed;
}

}  // namespace ntpward::config
