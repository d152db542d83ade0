// How many cookies a second ntpd-keys can issue when nothing limits the rate: each is a public key
// read, an encryption under it and a signature, of 2048 bits both. Beside `openssl speed rsa2048`.
#include <time.h>

#include <cstdio>

#include "keys/autokey_operations.h"
#include "keys/crypto_setup.h"
#include "keys/key_maker.h"
#include "privsep/supervisor_link.h"

namespace ntpward::bench {
namespace {

constexpr double kSeconds = 1;

class SystemTime : public keys::TimeSource {
 public:
  NtpTimestamp System() override { return SystemTimeNow(); }
  MonoTime Monotonic() override { return MonotonicNow(); }
};

double ProcessorSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

PkeyPtr NewKey() {
  auto key = keys::MakeRsaKey(2048);
  CHECK(key.ok());
  return std::move(key).value();
}

keys::KeyMaterial Material() {
  keys::KeyMaterial material;
  auto hasher = keys::SessionKeyHasher::Create();
  CHECK(hasher.ok());
  material.hasher.emplace(std::move(hasher).value());
  material.host.emplace();
  material.host->host.key = NewKey();
  auto signer = keys::Signer::Create(material.host->signing_key(), "SHA256");
  CHECK(signer.ok());
  material.host->signer.emplace(std::move(signer).value());
  return material;
}

msg::CookieIssue Request() {
  const PkeyPtr client = NewKey();
  BIGNUM* modulus = nullptr;
  CHECK(EVP_PKEY_get_bn_param(client.get(), "n", &modulus) == 1);
  std::array<uint8_t, 256> octets{};
  CHECK(BN_bn2binpad(modulus, octets.data(), octets.size()) == octets.size());
  BN_free(modulus);
  msg::CookieIssue request;
  request.now = {4004300000U};
  request.path = {IpAddress::V4(127, 0, 0, 1), IpAddress::V4(127, 0, 0, 1)};
  request.exponent = 65537;
  CHECK(request.modulus.Assign(octets));
  return request;
}

int Main() {
  const auto crypto = keys::CryptoSetup::ForTool();
  CHECK(crypto.ok());
  SystemTime time;
  keys::KeyState state(Material(), &time);
  CHECK(state.RollSeed(true).ok());
  keys::AutokeyOperations operations(&state);
  const msg::CookieIssue request = Request();
  int issued = 0;
  const double start = ProcessorSeconds();
  double spent = 0;
  for (; spent < kSeconds; spent = ProcessorSeconds() - start, ++issued)
    CHECK(operations.IssueCookie(request).code == msg::VerdictCode::kGood);
  std::printf("cookies_cpu_s=%.0f\n", issued / spent);
  return 0;
}

}  // namespace
}  // namespace ntpward::bench

int main() { return ntpward::bench::Main(); }
