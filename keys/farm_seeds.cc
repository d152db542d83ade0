#include "keys/farm_seeds.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "privsep/base/text.h"

namespace ntpward::keys {
namespace {

constexpr std::string_view kLabel = "ntpward farm seed";
constexpr std::string_view kFingerprintLabel = "ntpward farm fingerprint";
constexpr size_t kHashOctets = 32;

uint32_t FirstOfHmac(const Secret& secret, Bytes input) {
  std::array<uint8_t, kHashOctets> hash{};
  unsigned int size = 0;
  CHECK(HMAC(EVP_sha256(), secret.bytes().data(), static_cast<int>(secret.size()), input.data(),
             input.size(), hash.data(), &size) != nullptr &&
        size == hash.size());
  const uint32_t first = Reader(hash).U32();
  Wipe(hash);
  return first;
}

Result<Secret> Unhex(std::string_view digits) {
  const std::string expected = "expected one line of " +
                               std::to_string(2 * FarmSeeds::kSecretOctets) + " hexadecimal digits";
  if (digits.size() != 2 * FarmSeeds::kSecretOctets) return Fail(expected);
  Secret secret = TRY(Secret::Zeros(FarmSeeds::kSecretOctets));
  for (size_t i = 0; i < secret.size(); ++i) {
    const int high = HexDigit(digits[2 * i]);
    const int low = HexDigit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return Fail(expected);
    secret.bytes()[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return secret;
}

}  // namespace

std::string FarmFingerprint(const Secret& secret) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", FirstOfHmac(secret, AsBytes(kFingerprintLabel)));
  return text;
}

FarmSeeds::FarmSeeds(Secret secret, uint8_t revoke)
    : secret_(std::move(secret)), epoch_log2_(std::max(revoke, kMinRevoke)) {
  CHECK(secret_.size() == kSecretOctets);
}

uint32_t FarmSeeds::SeedOf(int64_t epoch) const {
  std::array<uint8_t, kLabel.size() + 1 + 8> input{};
  Writer writer(input);
  writer.Put(AsBytes(kLabel));
  writer.U8(epoch_log2_);
  writer.U64(static_cast<uint64_t>(epoch));
  CHECK(writer.Finish());
  const uint32_t seed = FirstOfHmac(secret_, input);
  return seed == kReferenceSeed ? 1 : seed;
}

void FarmSeeds::MoveTo(int64_t epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  seeds_.Clear();
  CHECK(seeds_.Push(SeedOf(epoch)));
  CHECK(seeds_.Push(SeedOf(epoch + 1)));
  const auto kept = static_cast<int64_t>(kSeedKeptSeconds) >> epoch_log2_;
  for (int64_t back = 1; back <= kept + 1 && !seeds_.full(); ++back)
    CHECK(seeds_.Push(SeedOf(epoch - back)));
}

uint32_t FarmSeeds::Newest(int64_t unix_now) { return Counting(unix_now)[0]; }

const WipedVector<uint32_t, kMaxSeeds>& FarmSeeds::Counting(int64_t unix_now) {
  MoveTo(unix_now >> epoch_log2_);
  return seeds_;
}

Result<Secret> ParseFarmFile(Bytes file) {
  std::optional<std::string_view> found;
  while (!file.empty()) {
    const auto end = std::find(file.begin(), file.end(), '\n');
    const auto length = static_cast<size_t>(end - file.begin());
    const std::string_view line = Trimmed(AsText(file.first(length)));
    file = file.subspan(std::min(length + 1, file.size()));
    if (line.empty() || line.front() == '#') continue;
    if (found) return Fail("more than one line holds something: expected the secret alone");
    found = line;
  }
  return Unhex(found.value_or(""));
}

}  // namespace ntpward::keys
