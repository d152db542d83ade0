#include "keys/trust_command.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace ntpward::keys {
namespace {

constexpr uint8_t kModeControl = 6, kOpConfigure = 8;
constexpr size_t kBlock = 8;  // what comes before a MAC is padded to this
constexpr uint32_t kLastKey = 65535;
constexpr std::string_view kNonceWord = "nonce=";

// The data of a CONFIGURE request to the daemon itself; none for anything else.
std::optional<Bytes> ConfigureData(Bytes covered) {
  Reader reader(covered);
  const uint8_t first = reader.U8();
  const uint8_t version = (first >> 3) & 7;
  const uint8_t operation = reader.U8();  // without the bits of a response
  reader.Skip(4);                         // sequence, and a status that requests do not have
  const uint16_t association = reader.U16();
  const uint16_t offset = reader.U16();
  const uint16_t count = reader.U16();
  const Bytes data = reader.Take(count);
  const Bytes padding = reader.Rest();
  const bool padded = covered.size() % kBlock == 0 && padding.size() < kBlock &&
                      std::all_of(padding.begin(), padding.end(), [](uint8_t o) { return o == 0; });
  if (!reader.Finish() || !padded || (first & 7) != kModeControl || version < 1 || version > 4 ||
      operation != kOpConfigure || association != 0 || offset != 0)
    return std::nullopt;
  return data;
}

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

std::optional<KeyId> KeyOf(std::string_view word) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || word.starts_with('0') ||
      value > kLastKey)
    return std::nullopt;
  return KeyId{value};
}

std::optional<uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  return std::nullopt;
}

bool TakeNonce(std::string_view word, InlineBytes<msg::kCommandNonceOctets>* nonce) {
  word.remove_prefix(kNonceWord.size());
  if (word.size() != 2 * msg::kCommandNonceOctets) return false;
  CHECK(nonce->Resize(msg::kCommandNonceOctets));
  for (size_t i = 0; i < msg::kCommandNonceOctets; ++i) {
    const auto high = HexDigit(word[2 * i]), low = HexDigit(word[2 * i + 1]);
    if (!high || !low) return false;
    nonce->span()[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return true;
}

}  // namespace

Result<TrustCommand, CommandError> ParseTrustCommand(Bytes covered) {
  const auto data = ConfigureData(covered);
  if (!data || data->empty()) return Fail(CommandError{});
  const std::string_view text = AsText(*data);
  if (IsBlank(text.front())) return Fail(CommandError{});
  if (IsBlank(text.back())) return Fail(CommandError{static_cast<uint16_t>(text.size() - 1)});
  Words words(text);
  const Word verb = words.Next();
  if (verb.text != "trustedkey" && verb.text != "untrustedkey") return Fail(CommandError{});
  TrustCommand out;
  out.trust = verb.text == "trustedkey";
  for (Word word = words.Next();; word = words.Next()) {
    // The nonce comes last, and some key before it.
    if (word.text.starts_with(kNonceWord) && !out.keys.empty() &&
        TakeNonce(word.text, &out.nonce) && words.Next().text.empty())
      return out;
    if (word.text.empty() && !out.keys.empty()) return out;
    const auto key = KeyOf(word.text);
    if (!key || !out.keys.Push({*key, word.column})) return Fail(CommandError{word.column});
  }
}

}  // namespace ntpward::keys
