// One line of ntp.conf as a cursor over its words, sticky like Reader.
//
// The text may come from a remote ntpq. The first thing that is not understood marks the line as
// failed and every later call yields nothing, so that a directive's parser may ask for all it
// expects, check Finish() once, and only then touch the Config: a line counts whole or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/config/diagnostic.h"
#include "privsep/base/secret.h"

namespace ntpward::config {

// What is wrong with a line; columns from 1.
struct LineMessage {
  uint32_t column = 0;
  std::string text;
};

class Line {
 public:
  // `text` without its newline; not owned, and outlives the line. `where` is its first column.
  Line(std::string_view text, Location where, bool remote);

  // The next word; empty at the end of the line. A blank or a special character ends it, `#` begins
  // a comment, and each of {}(),;|= is a word by itself.
  std::string_view Next();
  // The same where free text is expected: special characters are ordinary.
  std::string_view NextString();
  // Takes the next word if it is `keyword` and not quoted.
  bool Accept(std::string_view keyword);
  // True when only blanks or a comment are left, and when the line failed.
  bool AtEnd();

  // Each takes one word and fails the line unless it is what `what` says. Ranges are inclusive.
  std::string String(std::string_view what);
  Secret SecretString(std::string_view what);
  int64_t Integer(std::string_view what, int64_t low, int64_t high);
  double Number(std::string_view what, double low, double high);
  bool Boolean(std::string_view what);

  // The last word taken: where it is, and how a message may call it.
  Location where() const { return At(last_column_); }
  std::string Cite() const;
  std::string_view last() const { return last_; }
  bool last_was_quoted() const { return last_quoted_; }
  // From here on messages do not quote words: the line may hold a password.
  void Conceal() { concealed_ = true; }
  bool concealed() const { return concealed_; }
  // Whether it came by mode 6 and not from a file.
  bool remote() const { return remote_; }

  // Fails the line at the last word taken; the first failure stays.
  void Fail(std::string text);
  // Fails it at the next word, or at its end, because `what` is expected there.
  void FailNext(std::string_view what);
  // Fails it because the last word is none of `names`.
  void FailUnknown(std::string_view what, std::span<const std::string_view> names);
  // Says something about the last word taken without failing.
  void Warn(std::string text);

  bool failed() const { return failure_.has_value(); }
  // True when nothing failed and nothing is left over.
  [[nodiscard]] bool Finish();

  const std::optional<LineMessage>& failure() const { return failure_; }
  const std::vector<LineMessage>& warnings() const { return warnings_; }
  // Whether `word` stands somewhere in the line, in any case, comments and quotes aside.
  bool Mentions(std::string_view word) const;

 private:
  Line() = default;  // only to scan the same text once more
  struct Word {
    std::string_view text;
    size_t begin = 0;
    size_t end = 0;  // where the next word is looked for
    bool quoted = false;
    bool unterminated = false;
    bool cut = false;  // a comment begins right behind it
  };
  Word Scan(bool free_text);
  Word ScanQuoted(size_t begin, bool free_text);
  std::string_view Take(bool free_text);
  // Takes a word that must be there.
  std::optional<std::string_view> Require(std::string_view what, bool free_text);
  void FailAt(size_t position, std::string text);
  Location At(uint32_t column) const { return {where_.file, where_.line, column}; }

  std::string_view text_;
  Location where_;
  bool remote_ = false;
  size_t position_ = 0;
  uint32_t last_column_ = 1;
  std::string_view last_;
  bool last_quoted_ = false;
  bool concealed_ = false;
  std::optional<LineMessage> failure_;
  std::vector<LineMessage> warnings_;
};

}  // namespace ntpward::config
