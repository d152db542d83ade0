// Brings OpenSSL into the state that a sandboxed process needs, before the sandbox closes.
//
// Afterwards nothing in this folder opens a file: both providers are loaded, the algorithms
// fetched, the random generator seeded, and secrets have a heap that is locked into memory.
#pragma once

#include <openssl/provider.h>

#include <memory>

#include "keys/openssl.h"

namespace ntpward::keys {

// Room for the private keys, cookies and numbers of one host.
inline constexpr size_t kLockedHeapSize = 512 * 1024;

// Keeps the providers loaded as long as it lives.
class CryptoSetup {
 public:
  // Once in a process. Fails when the heap cannot be locked: ntpd-keys refuses to run without it.
  static Result<CryptoSetup> ForRole();
  // For ntp-keygen, which ends at once: a heap that cannot be locked (RLIMIT_MEMLOCK) is accepted.
  static Result<CryptoSetup> ForTool();

  // Single DES and other old ciphers can be read: keys written by 4.2.6 need them.
  bool legacy_available() const { return legacy_ != nullptr; }

 private:
  using ProviderPtr = std::unique_ptr<OSSL_PROVIDER, FreeWith<OSSL_PROVIDER_unload>>;
  static Result<CryptoSetup> Load(bool must_lock);

  ProviderPtr default_;
  ProviderPtr legacy_;
};

}  // namespace ntpward::keys
