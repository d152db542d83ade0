// What a client under Autokey sends and takes back, for programs that play very many of them.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "keys/openssl.h"
#include "keys/private_key.h"
#include "keys/rsa.h"
#include "keys/session_key.h"
#include "ntpd/net/random.h"
#include "ntpd/wire/packet.h"

namespace ntpward::test {

// Of what cannot fail there.
template <typename T, typename E>
T Must(Result<T, E> result) {
  CHECK(result.ok());
  return std::move(result).value();
}

// A time request, whose transmit time is `nonce`.
inline void PutClientHeader(Writer& writer, uint64_t nonce) {
  wire::Header header;
  header.poll = 6;
  header.precision = -20;
  header.transmit = NtpTimestamp::FromRaw(nonce);
  wire::EncodeHeader(writer, header);
}

// The MAC of all that was written, by a session key with a new identifier. `cookie`: 0 for what has
// extension fields.
inline void PutSessionMac(Writer& writer, keys::SessionKeyHasher& hasher, const AddressPair& path,
                          uint32_t cookie) {
  const KeyId id = net::RandomSessionKeyId();
  const keys::SessionDigest digest = hasher.Mac(hasher.Derive(path, id, cookie), writer.written());
  wire::EncodeMac(writer, {id, digest.span()});
}

// Whether the reply to a request that went along `path` has a MAC by a session key under `cookie`.
inline bool HasSessionMac(const wire::Packet& reply, keys::SessionKeyHasher& hasher,
                          const AddressPair& path, uint32_t cookie) {
  if (!reply.mac) return false;
  const keys::SessionKey key = hasher.Derive(path.Reversed(), reply.mac->key, cookie);
  return EqualConstantTime(reply.mac->digest, hasher.Mac(key, reply.covered).span());
}

// What a request for a cookie carries, DER.
inline std::vector<uint8_t> PublicDerOf(EVP_PKEY* key) {
  keys::KeyPair pair;
  CHECK(EVP_PKEY_up_ref(key) == 1);
  pair.key.reset(key);
  return pair.PublicDer();
}

// The cookie that is encrypted to `key`; none when nothing or something else is.
inline std::optional<uint32_t> OpenCookie(EVP_PKEY* key, Bytes ciphertext) {
  const auto plain = keys::OaepDecrypt(key, ciphertext, 4);
  if (!plain) return std::nullopt;
  return Reader(*plain).U32();
}

}  // namespace ntpward::test
