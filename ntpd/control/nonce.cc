#include "ntpd/control/nonce.h"

#include <array>
#include <cstdio>

#include "ntpd/wire/variable_values.h"

namespace ntpward::control {
namespace {

constexpr size_t kSecondDigits = 8;

uint32_t SecondOf(MonoTime time) { return static_cast<uint32_t>(time.nanoseconds() / 1000000000); }

}  // namespace

ProvingText SplitProof(Bytes data) {
  constexpr std::string_view kWord = " nonce=";
  const std::string_view all = AsText(data);
  const size_t at = all.find(kWord);
  if (at == std::string_view::npos) return {all, {}};
  return {all.substr(0, at), all.substr(at + kWord.size())};
}

uint64_t NonceMaker::HashOf(uint32_t second, const SocketAddress& requester) const {
  std::array<uint8_t, 27> input;
  Writer writer(input);
  writer.U32(second);
  writer.Put(Bytes(requester.ip.octets));
  writer.U8(static_cast<uint8_t>(requester.ip.family));
  writer.U32(requester.ip.scope);
  writer.U16(requester.port);
  CHECK(writer.Finish());
  return SipHash(key_, input);
}

std::string NonceMaker::Make(const SocketAddress& requester, MonoTime now) const {
  const uint32_t second = SecondOf(now);
  std::array<char, kDigits + 1> text;
  std::snprintf(text.data(), text.size(), "%08x%016llx", second,
                static_cast<unsigned long long>(HashOf(second, requester)));
  return text.data();
}

bool NonceMaker::IsGood(std::string_view nonce, const SocketAddress& requester,
                        MonoTime now) const {
  if (nonce.size() != kDigits) return false;
  const auto second = wire::DecodeHex(nonce.substr(0, kSecondDigits));
  const auto hash = wire::DecodeHex(nonce.substr(kSecondDigits));
  if (!second || !hash) return false;
  const auto made = static_cast<uint32_t>(*second);
  return SecondOf(now) - made <= kLifetime && *hash == HashOf(made, requester);
}

}  // namespace ntpward::control
