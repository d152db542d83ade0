#include "privsep/base/des_key.h"

#include <bit>

#include "privsep/base/text.h"

namespace ntpward {
namespace {

Result<DesKey, DesKeyError> DecodeText(std::string_view text) {
  if (text.empty() || text.size() > kDesKeySize)
    return Fail(DesKeyError{std::min(text.size(), kDesKeySize),
                            "a DES key of type A has 1 to 8 characters"});
  DesKey key;
  CHECK(key.Resize(text.size()));
  for (size_t i = 0; i < text.size(); ++i)
    key.span()[i] = static_cast<uint8_t>(static_cast<uint8_t>(text[i]) << 1);
  return key;
}

Result<DesKey, DesKeyError> DecodeHex(DesKeyForm form, std::string_view text) {
  const bool standard = form == DesKeyForm::kStandard;
  for (size_t i = 0; i < std::min(text.size(), kDesKeyDigits); ++i)
    if (HexDigit(text[i]) < 0)
      return Fail(DesKeyError{i, "no hexadecimal digit: a DES key of type S or N has 16 of them"});
  if (text.size() != kDesKeyDigits)
    return Fail(DesKeyError{std::min(text.size(), kDesKeyDigits),
                            "a DES key of type S or N has 16 hexadecimal digits, here are " +
                                std::to_string(text.size())});
  DesKey key;
  CHECK(key.Resize(kDesKeySize));
  for (size_t i = 0; i < kDesKeySize; ++i) {
    const auto octet = static_cast<uint8_t>(HexDigit(text[2 * i]) << 4 | HexDigit(text[2 * i + 1]));
    if (std::popcount(octet) % 2 == 0)
      return Fail(DesKeyError{2 * i, "octet " + std::to_string(i + 1) +
                                         " has even parity: expected an odd number of bits, the " +
                                         (standard ? "lowest (type S)" : "highest (type N)") +
                                         " of them for parity"});
    key.span()[i] = standard ? octet : std::rotl(octet, 1);
  }
  return key;
}

}  // namespace

std::optional<DesKeyForm> DesKeyFormOf(std::string_view type) {
  if (type == "S" || type == "s") return DesKeyForm::kStandard;
  if (type == "N" || type == "n") return DesKeyForm::kNtp;
  if (type == "A" || type == "a") return DesKeyForm::kText;
  return std::nullopt;
}

Result<DesKey, DesKeyError> DecodeDesKey(DesKeyForm form, std::string_view text) {
  return form == DesKeyForm::kText ? DecodeText(text) : DecodeHex(form, text);
}

}  // namespace ntpward
