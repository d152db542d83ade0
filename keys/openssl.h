// More of OpenSSL's objects with owners, memory for secrets out of its locked heap, its errors as
// text.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>
#include <string>
#include <vector>

#include "privsep/base/bytes.h"
#include "privsep/base/result.h"
#include "privsep/openssl/owners.h"

namespace ntpward::keys {

using PkeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using DigestPtr = std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>>;
using MacPtr = std::unique_ptr<EVP_MAC, FreeWith<EVP_MAC_free>>;
using MacContextPtr = std::unique_ptr<EVP_MAC_CTX, FreeWith<EVP_MAC_CTX_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;
using CipherContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using BigContextPtr = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;

// A zero for a secret: in the locked heap, and marked so that OpenSSL computes with it in constant
// time where it can.
BigPtr SecretNumber();
// A zero for a public value.
BigPtr Number();
// Copies big-endian octets into `number`.
void SetNumber(BIGNUM* number, Bytes big_endian);
// Octets of a public number, without leading zeros; empty for zero.
std::vector<uint8_t> NumberOctets(const BIGNUM* number);

// The reason of the latest OpenSSL failure ("bad decrypt"), and empties the error queue.
std::string OpensslReason();

// Memory out of OpenSSL's locked heap, wiped when it is given back. A full heap is Fatal: all that
// is kept in it is bounded.
template <typename T>
struct LockedAllocator {
  using value_type = T;
  LockedAllocator() = default;
  template <typename U>
  LockedAllocator(const LockedAllocator<U>&) {}  // NOLINT: containers convert it

  T* allocate(size_t count) {
    CHECK(count <= SIZE_MAX / sizeof(T));
    void* memory = OPENSSL_secure_malloc(count * sizeof(T));
    CHECK(memory != nullptr);
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t count) { OPENSSL_secure_clear_free(memory, count * sizeof(T)); }
  template <typename U>
  bool operator==(const LockedAllocator<U>&) const {
    return true;
  }
};
using LockedBytes = std::vector<uint8_t, LockedAllocator<uint8_t>>;

}  // namespace ntpward::keys
