#include "keys/crypto_setup.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <time.h>

#include <array>

namespace ntpward::keys {
namespace {

// OpenSSL answers 1 for a locked heap and 2 for one that it could not lock or guard.
bool LockHeap() {
  if (CRYPTO_secure_malloc_initialized() == 1) return true;
  return CRYPTO_secure_malloc_init(kLockedHeapSize, 16) == 1;
}

// A first use of each family makes OpenSSL build what it builds lazily.
void WarmUp() {
  for (const char* name : {"MD5", "SHA1", "SHA256", "SHA384", "SHA512", "RIPEMD160"})
    DigestPtr digest(EVP_MD_fetch(nullptr, name, nullptr));
  MacPtr mac(EVP_MAC_fetch(nullptr, "CMAC", nullptr));
  CipherPtr des(EVP_CIPHER_fetch(nullptr, "DES-EDE3-CBC", nullptr));
  for (const char* name : {"RSA", "DSA"})
    PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, name, nullptr));
  ERR_clear_error();
  // The first gmtime() reads the zone's file: certificates need it later.
  tzset();
}

}  // namespace

Result<CryptoSetup> CryptoSetup::ForRole() { return Load(true); }
Result<CryptoSetup> CryptoSetup::ForTool() { return Load(false); }

Result<CryptoSetup> CryptoSetup::Load(bool must_lock) {
  // Before anything else: a secret that was allocated earlier would lie outside the locked heap.
  if (!LockHeap() && must_lock)
    return Fail(
        "OpenSSL's heap for secrets cannot be locked into memory (RLIMIT_MEMLOCK too low: ulimit "
        "-l, LimitMEMLOCK=)");
  if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
                              OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS,
                          nullptr) != 1)
    return Fail("OpenSSL cannot be initialised: " + OpensslReason());
  CryptoSetup setup;
  setup.default_.reset(OSSL_PROVIDER_load(nullptr, "default"));
  if (setup.default_ == nullptr) return Fail("OpenSSL's default provider: " + OpensslReason());
  setup.legacy_.reset(OSSL_PROVIDER_load(nullptr, "legacy"));
  WarmUp();
  std::array<uint8_t, 32> random{};
  if (RAND_bytes(random.data(), random.size()) != 1)
    return Fail("OpenSSL's random generator: " + OpensslReason());
  if (RAND_priv_bytes(random.data(), random.size()) != 1)
    return Fail("OpenSSL's random generator: " + OpensslReason());
  return setup;
}

}  // namespace ntpward::keys
