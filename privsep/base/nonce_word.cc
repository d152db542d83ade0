#include "privsep/base/nonce_word.h"

#include <optional>

namespace ntpward {
namespace {

constexpr std::string_view kWord = "nonce=";
constexpr std::string_view kBlanks = " \t";
constexpr size_t kWordSize = kWord.size() + 2 * kNonceOctets;

std::optional<uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  return std::nullopt;
}

// Of `digits`, twice kNonceOctets; empty when one is none.
InlineBytes<kNonceOctets> FromDigits(std::string_view digits) {
  InlineBytes<kNonceOctets> nonce;
  CHECK(nonce.Resize(kNonceOctets));
  for (size_t i = 0; i < kNonceOctets; ++i) {
    const auto high = HexDigit(digits[2 * i]), low = HexDigit(digits[2 * i + 1]);
    if (!high || !low) return {};
    nonce.span()[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return nonce;
}

}  // namespace

NoncedText SplitNonce(std::string_view data) {
  if (data.size() <= kWordSize) return {data, {}};
  const std::string_view word = data.substr(data.size() - kWordSize);
  const std::string_view before = data.substr(0, data.size() - kWordSize);
  if (!word.starts_with(kWord) || kBlanks.find(before.back()) == std::string_view::npos)
    return {data, {}};
  const auto nonce = FromDigits(word.substr(kWord.size()));
  if (nonce.empty()) return {data, {}};
  return {before.substr(0, before.find_last_not_of(kBlanks) + 1), nonce};
}

}  // namespace ntpward
