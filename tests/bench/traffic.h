// What a load consists of: requests of one kind, and the check that a reply answers one of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "keys/mac.h"
#include "keys/openssl.h"
#include "keys/session_key.h"
#include "privsep/base/address.h"

namespace ntpward::bench {

// Time requests in client mode, or cookie requests; one socket's, so that addresses are fixed.
class Traffic {
 public:
  virtual ~Traffic() = default;
  // Writes a request whose transmit time is `nonce`.
  virtual void Request(Writer& writer, uint64_t nonce) = 0;
  // `reply` is what the server owes us; its origin was compared with the nonce before.
  virtual bool Accepts(Bytes reply) = 0;
};

// No MAC.
std::unique_ptr<Traffic> PlainTraffic();
// "ID:TYPE:HEX", e.g. "1:MD5:6162"; null when that cannot be read.
std::unique_ptr<Traffic> SymmetricTraffic(const std::string& key);
// The seed that the members of a farm made cookies from so many of its epochs ago, of ntpd's usual
// length; none when that file holds no secret.
std::optional<uint32_t> FarmSeed(const std::string& file, int64_t epochs_ago);
// The cookie that a server makes from `seed` for the client of `path`.
uint32_t CookieOf(const AddressPair& path, uint32_t seed);
// Under session keys made from a cookie, each with a new identifier, as a key list has them.
std::unique_ptr<Traffic> AutokeyTraffic(const AddressPair& path, uint32_t cookie);

// Asks for a cookie each time, with a public key of 2048 bits. A reply counts whatever it says: a
// server that refuses quickly is meant to.
class CookieTraffic : public Traffic {
 public:
  explicit CookieTraffic(const AddressPair& path);
  void Request(Writer& writer, uint64_t nonce) override;
  bool Accepts(Bytes reply) override;
  // Decrypts the cookie of the last accepted reply; none when that was a refusal.
  std::optional<uint32_t> Cookie() const;

 private:
  AddressPair path_;
  keys::SessionKeyHasher hasher_;
  PkeyPtr key_;
  std::vector<uint8_t> field_;   // the extension field
  std::vector<uint8_t> answer_;  // the ciphertext
};

}  // namespace ntpward::bench
