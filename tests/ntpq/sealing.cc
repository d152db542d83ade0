#include "tests/ntpq/sealing.h"

#include <algorithm>
#include <string_view>

namespace ntpward::ntpq::test {
namespace {

constexpr std::string_view kSecrets[] = {"ctlpass", "secret"};

bool Made(const Credentials& credentials, const wire::ControlMac& mac) {
  const auto made = MakeMac(credentials.type, mac.key, credentials.secret, mac.covered);
  return made.ok() && std::equal(made->begin() + wire::kControlKeyIdSize, made->end(),
                                 mac.digest.begin(), mac.digest.end());
}

}  // namespace

std::optional<Credentials> CredentialsOf(const wire::ControlRequest& request) {
  if (!request.mac) return std::nullopt;
  for (const std::string_view secret : kSecrets)
    for (const KeyType& type : kKeyTypes) {
      const Credentials credentials{request.mac->key, type, AsBytes(secret)};
      if (Made(credentials, *request.mac)) return credentials;
    }
  return std::nullopt;
}

std::vector<uint8_t> Sealed(std::vector<uint8_t> datagram, const Credentials& credentials) {
  const auto header = wire::DecodeControlHeader(datagram);
  CHECK(header.ok());
  const size_t end = wire::kControlHeaderSize + header->count;
  datagram.resize(header->error ? wire::kControlHeaderSize : (end + 7) / 8 * 8);
  const auto mac = MakeMac(credentials.type, credentials.key, credentials.secret, datagram);
  CHECK(mac.ok());
  datagram.insert(datagram.end(), mac->begin(), mac->end());
  return datagram;
}

}  // namespace ntpward::ntpq::test
