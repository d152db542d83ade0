#include "keys/openssl.h"

#include <openssl/err.h>

namespace ntpward::keys {

BigPtr SecretNumber() {
  BigPtr number(BN_secure_new());
  CHECK(number != nullptr);
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

BigPtr Number() {
  BigPtr number(BN_new());
  CHECK(number != nullptr);
  return number;
}

void SetNumber(BIGNUM* number, Bytes big_endian) {
  CHECK(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), number) != nullptr);
}

std::vector<uint8_t> NumberOctets(const BIGNUM* number) {
  std::vector<uint8_t> octets(static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, octets.data());
  return octets;
}

std::string OpensslReason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? "unknown reason" : reason;
  ERR_clear_error();
  return text;
}

}  // namespace ntpward::keys
