#include "ntpd/net/node.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "ntpd/wire/refid.h"

namespace ntpward::net {

Node::Node(event_base* base_, Channel* supervisor, Channel* clock, Channel* keys_channel)
    : base(base_),
      link(supervisor),
      reporter(&link, &time),
      steering(clock, &time, &link, &reporter),
      keys(keys_channel, &link),
      started(Timebase::Mono()),
      since{started, started, started, started} {}

keys::SessionDigest Node::PublicMac(const AddressPair& path, KeyId key, Bytes covered) {
  CHECK(hasher.has_value());
  const keys::SessionKey session = hasher->Derive(path, key, 0);
  return hasher->Mac(session, covered);
}

uint32_t RefidOf(const IpAddress& address) {
  uint32_t hash = 0;
  if (address.family == Family::kIpv6) {
    uint8_t digest[EVP_MAX_MD_SIZE] = {};
    unsigned size = 0;
    CHECK(EVP_Digest(address.octets.data(), 16, digest, &size, EVP_md5(), nullptr) == 1);
    hash = Reader(Bytes(digest, size)).U32();
  }
  return wire::RefidOfUpstream(address, hash);
}

bool IsV4Mapped(const IpAddress& address) {
  static constexpr std::array<uint8_t, 12> kPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return address.family == Family::kIpv6 &&
         std::equal(kPrefix.begin(), kPrefix.end(), address.octets.begin());
}

}  // namespace ntpward::net
