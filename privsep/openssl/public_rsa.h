// An RSA public key out of its numbers, without OpenSSL's decoders: to go through those takes
// longer than what is done with such a key.
#pragma once

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <bit>

#include "privsep/base/bytes.h"
#include "privsep/openssl/owners.h"

namespace ntpward {

// `modulus` is big-endian, of 1 to 512 octets. None when it is not, or OpenSSL does not take the
// numbers; its error queue is then empty.
inline PkeyPtr PublicRsaKey(Bytes modulus, uint32_t exponent) {
  constexpr size_t kMaxOctets = 512;
  if (modulus.empty() || modulus.size() > kMaxOctets) return {};
  std::array<uint8_t, kMaxOctets> native{};  // in the byte order of the processor
  std::copy(modulus.begin(), modulus.end(), native.begin());
  if constexpr (std::endian::native == std::endian::little)
    std::reverse(native.begin(), native.begin() + static_cast<std::ptrdiff_t>(modulus.size()));
  const OSSL_PARAM numbers[] = {
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native.data(), modulus.size()),
      OSSL_PARAM_construct_uint32(OSSL_PKEY_PARAM_RSA_E, &exponent), OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        const_cast<OSSL_PARAM*>(numbers)) != 1) {
    ERR_clear_error();
    return {};
  }
  return PkeyPtr(key);
}

}  // namespace ntpward
