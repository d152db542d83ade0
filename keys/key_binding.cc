#include "keys/key_binding.h"

#include <algorithm>

#include "keys/key_number.h"

namespace ntpward::keys {
namespace {

struct Word {
  std::string_view text;
  size_t begin = 0;
};

// The words of a line up to its comment. What stands in quotes is one word, with them.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) {}

  // Empty at the end.
  Word Next() {
    position_ = std::min(text_.find_first_not_of(" \t", position_), text_.size());
    const size_t begin = position_;
    if (position_ == text_.size() || text_[position_] == '#') return {{}, begin};
    const bool quoted = text_[position_] == '"';
    const size_t end = quoted ? text_.find('"', begin + 1) : text_.find_first_of(" \t#", begin);
    position_ = end == std::string_view::npos ? text_.size() : end + (quoted ? 1 : 0);
    return {text_.substr(begin, position_ - begin), begin};
  }

 private:
  std::string_view text_;
  size_t position_ = 0;
};

// All false: the directive makes no association.
KeyUses UsesOf(std::string_view directive) {
  KeyUses uses;
  uses.upstream = directive == "server" || directive == "pool" || directive == "manycastclient";
  uses.peer = directive == "peer";
  uses.broadcast = directive == "broadcast";
  return uses;
}

}  // namespace

Result<std::optional<KeyBinding>, uint16_t> BindingOf(std::string_view line) {
  Words words(line);
  const KeyUses uses = UsesOf(words.Next().text);
  if (!uses.any()) return std::optional<KeyBinding>();
  std::optional<KeyBinding> binding;
  for (Word word = words.Next(); !word.text.empty(); word = words.Next()) {
    if (word.text != "key") continue;
    // Of two keys ntpd-net would take the last.
    if (binding) return Fail(static_cast<uint16_t>(word.begin));
    const Word number = words.Next();
    const auto key = ParseKeyNumber(number.text);
    if (!key) return Fail(static_cast<uint16_t>(number.begin));
    binding = KeyBinding{*key, uses, static_cast<uint16_t>(number.begin)};
  }
  return binding;
}

}  // namespace ntpward::keys
