// What clients of Autokey and those who only look like them send, and what their answers say.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "keys/openssl.h"
#include "keys/session_key.h"
#include "ntpd/wire/packet.h"

namespace ntpward::crowd {

// What a flood consists of: requests by their Autokey code, or MACs under no cookie of anybody.
enum class Kind : uint8_t { kAssociation, kCertificate, kCookie, kSign, kIff, kVersion1, kMac };
std::optional<Kind> KindOf(std::string_view name);

// Requests under the host key of one client, which all of them share: servers do not mind.
class Requests {
 public:
  // `server` is the server's Autokey name. Takes as long as an RSA key of 2048 bits does.
  explicit Requests(std::string_view server);

  // A request with the field that `kind` stands for (kVersion1: ASSOC of Autokey version 1) and the
  // MAC that anyone can make. kMac: none, and a MAC of rubbish. All of these get past what costs
  // nothing.
  Bytes Flood(Kind kind, const AddressPair& path, uint64_t nonce);
  // ASSOC as a peer in symmetric active mode sends it first, with the MAC that anyone can make.
  Bytes Peer(const AddressPair& path, NtpTimestamp origin, NtpTimestamp transmit);
  // A time request under `cookie`.
  Bytes Time(const AddressPair& path, uint64_t nonce, uint32_t cookie);

  // `reply` is one to `path`'s sender under `cookie`, and no crypto-NAK.
  bool IsAuthentic(const wire::Packet& reply, const AddressPair& path, uint32_t cookie);
  // The cookie in the reply to a kCookie request; none when it was refused.
  std::optional<uint32_t> CookieIn(const wire::Packet& reply) const;

 private:
  void Seal(Writer& writer, const AddressPair& path, uint32_t private_value);

  keys::SessionKeyHasher hasher_;
  PkeyPtr key_;
  std::vector<std::vector<uint8_t>> fields_;  // by Kind
  std::array<uint8_t, wire::kMaxPacketSize> packet_{};
};

}  // namespace ntpward::crowd
