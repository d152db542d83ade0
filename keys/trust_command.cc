#include "keys/trust_command.h"

#include <algorithm>
#include <optional>

#include "keys/key_number.h"

namespace ntpward::keys {
namespace {

constexpr std::string_view kTrust = "trustedkey", kDistrust = "untrustedkey";
constexpr std::string_view kBlanks = " \t";

struct Word {
  std::string_view text;
  uint16_t column = 0;
};

class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  // Empty at the end.
  Word Next() {
    const size_t begin = std::min(text_.find_first_not_of(kBlanks, position_), text_.size());
    position_ = std::min(text_.find_first_of(kBlanks, begin), text_.size());
    return {text_.substr(begin, position_ - begin), static_cast<uint16_t>(begin)};
  }

 private:
  std::string_view text_;
  size_t position_ = 0;
};

bool IsBlank(char c) { return kBlanks.find(c) != std::string_view::npos; }

}  // namespace

bool IsTrustCommand(std::string_view line) {
  const Word verb = Words(line).Next();
  return verb.text == kTrust || verb.text == kDistrust;
}

Result<TrustCommand, CommandError> ParseTrustCommand(std::string_view line) {
  if (line.empty() || IsBlank(line.front())) return Fail(CommandError{});
  if (IsBlank(line.back())) return Fail(CommandError{static_cast<uint16_t>(line.size() - 1)});
  Words words(line);
  const Word verb = words.Next();
  if (verb.text != kTrust && verb.text != kDistrust) return Fail(CommandError{});
  TrustCommand out;
  out.trust = verb.text == kTrust;
  for (Word word = words.Next();; word = words.Next()) {
    if (word.text.empty() && !out.keys.empty()) return out;
    const auto key = ParseKeyNumber(word.text);
    if (!key || !out.keys.Push({*key, word.column})) return Fail(CommandError{word.column});
  }
}

}  // namespace ntpward::keys
