#include "keys/rsaref.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <array>
#include <charconv>
#include <optional>

namespace ntpward::keys {
namespace {

constexpr size_t kModulusOctets = 128;
constexpr size_t kPrimeOctets = 64;
constexpr size_t kPublicOctets = 2 * kModulusOctets;
constexpr size_t kPrivateOctets = 3 * kModulusOctets + 5 * kPrimeOctets;

constexpr size_t Base64Size(size_t octets) { return (octets + 2) / 3 * 4; }

// OpenSSL's name of each number of a private key, and its octets, in RSAREF's order.
struct Part {
  const char* name;
  size_t octets;
};
constexpr std::array<Part, 8> kParts = {{{OSSL_PKEY_PARAM_RSA_N, kModulusOctets},
                                         {OSSL_PKEY_PARAM_RSA_E, kModulusOctets},
                                         {OSSL_PKEY_PARAM_RSA_D, kModulusOctets},
                                         {OSSL_PKEY_PARAM_RSA_FACTOR1, kPrimeOctets},
                                         {OSSL_PKEY_PARAM_RSA_FACTOR2, kPrimeOctets},
                                         {OSSL_PKEY_PARAM_RSA_EXPONENT1, kPrimeOctets},
                                         {OSSL_PKEY_PARAM_RSA_EXPONENT2, kPrimeOctets},
                                         {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, kPrimeOctets}}};

BigPtr NumberOf(const EVP_PKEY* key, const char* name) {
  BigPtr number = SecretNumber();
  BIGNUM* out = number.get();
  CHECK(EVP_PKEY_get_bn_param(key, name, &out) == 1);
  return number;
}

void Append(const BIGNUM* number, size_t octets, LockedBytes* out) {
  const size_t at = out->size();
  out->resize(at + octets);
  CHECK(BN_bn2binpad(number, out->data() + at, static_cast<int>(octets)) ==
        static_cast<int>(octets));
}

LockedBytes TextLine(size_t count, const LockedBytes& octets) {
  const std::string number = std::to_string(count) + " ";
  LockedBytes line(number.begin(), number.end());
  const size_t at = line.size();
  // EVP_EncodeBlock ends with a NUL, whose place the newline takes.
  line.resize(at + Base64Size(octets.size()) + 1);
  CHECK(EVP_EncodeBlock(line.data() + at, octets.data(), static_cast<int>(octets.size())) ==
        static_cast<int>(Base64Size(octets.size())));
  line.back() = '\n';
  return line;
}

// The prime that is larger first, and what depends on their order.
void OrderPrimes(std::array<BigPtr, kParts.size()>* numbers) {
  auto& [n, e, d, p, q, dp, dq, coefficient] = *numbers;
  if (BN_cmp(p.get(), q.get()) > 0) return;
  std::swap(p, q);
  std::swap(dp, dq);
  const BigContextPtr context(BN_CTX_secure_new());
  CHECK(context != nullptr &&
        BN_mod_inverse(coefficient.get(), q.get(), p.get(), context.get()) != nullptr);
}

std::optional<LockedBytes> Decode(std::string_view base64, size_t octets) {
  LockedBytes out(octets + 3);
  const int size =
      EVP_DecodeBlock(out.data(), AsBytes(base64).data(), static_cast<int>(base64.size()));
  // EVP_DecodeBlock counts the padding as a zero: the octets are no multiple of three.
  if (size < static_cast<int>(octets) || !base64.ends_with('=')) return std::nullopt;
  out.resize(octets);
  return out;
}

}  // namespace

bool IsRsarefLine(std::string_view line) {
  const size_t blank = line.find(' ');
  if (blank == std::string_view::npos || blank < 3 || blank > 4) return false;
  if (line.substr(0, blank).find_first_not_of("0123456789") != std::string_view::npos) return false;
  const size_t size = line.size() - blank - 1;
  return size == Base64Size(kPrivateOctets) || size == Base64Size(kPublicOctets);
}

std::string RsarefPublicLine(const EVP_PKEY* key) {
  LockedBytes octets;
  for (const Part& part : {kParts[0], kParts[1]})
    Append(NumberOf(key, part.name).get(), part.octets, &octets);
  const LockedBytes line = TextLine(static_cast<size_t>(EVP_PKEY_get_bits(key)), octets);
  return {line.begin(), line.end()};
}

LockedBytes RsarefPrivateLine(const EVP_PKEY* key) {
  std::array<BigPtr, kParts.size()> numbers;
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = NumberOf(key, kParts[i].name);
  OrderPrimes(&numbers);
  LockedBytes octets;
  for (size_t i = 0; i < numbers.size(); ++i) Append(numbers[i].get(), kParts[i].octets, &octets);
  return TextLine(static_cast<size_t>(EVP_PKEY_get_bits(key)), octets);
}

Result<PkeyPtr> ReadRsarefLine(Bytes line) {
  const std::string_view text = AsText(line);
  const std::string_view base64 = text.substr(text.find(' ') + 1);
  if (base64.size() != Base64Size(kPrivateOctets))
    return Fail("it is the public key of ntpd 4.1's guide; the private one is the file ntpkey");
  const auto octets = Decode(base64, kPrivateOctets);
  if (!octets) return Fail("its RSA key holds a character that is no base64");
  std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>> build(OSSL_PARAM_BLD_new());
  CHECK(build != nullptr);
  std::array<BigPtr, kParts.size()> numbers;
  Reader reader(*octets);
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = SecretNumber();
    SetNumber(numbers[i].get(), reader.Take(kParts[i].octets));
    if (BN_is_zero(numbers[i].get()))
      return Fail("its RSA key is damaged: one of its numbers is 0");
    CHECK(OSSL_PARAM_BLD_push_BN(build.get(), kParts[i].name, numbers[i].get()) == 1);
  }
  int bits = 0;
  std::from_chars(text.data(), text.data() + text.size(), bits);
  if (bits != BN_num_bits(numbers[0].get()))
    return Fail("its RSA key is damaged: its modulus has not the length that stands before it");
  const std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>> params(
      OSSL_PARAM_BLD_to_param(build.get()));
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params.get()) != 1)
    return Fail("its RSA key is damaged (" + OpensslReason() + ")");
  return PkeyPtr(key);
}

std::string RsarefNumberLine(const BIGNUM* number, size_t octets) {
  LockedBytes binary;
  Append(number, octets, &binary);
  const LockedBytes line = TextLine(octets, binary);
  return {line.begin(), line.end()};
}

}  // namespace ntpward::keys
