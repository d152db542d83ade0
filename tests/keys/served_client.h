// A client of the server under test: what it sends, and how it looks at the reply.
#pragma once

#include <vector>

#include "keys/openssl.h"
#include "keys/session_key.h"
#include "tests/keys/service_harness.h"

namespace ntpward::keys::test {

// Client to server.
extern const AddressPair kPath;

// A client's header: version 4, mode 3, poll 6, transmit time 0x1122334455667788.
std::vector<uint8_t> ClientHeader(uint8_t first = 0xe3);
// One job, numbered 5, of request 7: a synchronised server of stratum 2.
msg::ServeBatch Batch(uint32_t key, Bytes covered, Bytes digest);
msg::ServeResult Serve(Harness& h, const msg::ServeBatch& batch);
// The reply that net will put together from its template and the result.
std::vector<uint8_t> ExpectedReply(const msg::ServeResult& result, uint8_t first = 0x24);

// Gets its cookie as the protocol gives it, then seals with it.
class ServedClient {
 public:
  ServedClient();
  void FetchCookie(Harness& h);
  std::vector<uint8_t> Mac(const AddressPair& path, Bytes covered);
  // Sends a request and looks whether the reply is sealed under the same cookie.
  bool IsServed(Harness& h);

  KeyId key_id{0x5fe916ea};
  uint32_t cookie = 0;

 private:
  SessionKeyHasher hasher_;
  PkeyPtr key_;
};

}  // namespace ntpward::keys::test
