// The guide's case: a trusted server that proves its group, and a client with the group key.
#pragma once

#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {

struct Guide {
  explicit Guide(uint32_t server_bits = kIff, bool with_group = true, DancePolicy policy = {})
      : server("server", TestKey::Shared(0), true, server_bits),
        client("client", TestKey::Shared(1), false) {
    if (with_group) client.AddGroup("server");
    client.certificates.SetOwn(client.host.certificate());
    server.Sign(kTestNow);
    meeting.emplace(client, server, std::move(policy));
  }

  Meeting* operator->() { return &*meeting; }
  ClientDance& dance() { return meeting->dance; }
  // The clock is set: values are signed.
  void Synchronise() {
    meeting->client_synchronised = true;
    client.Sign(meeting->now);
  }
  // Until plain packets can be sent.
  void Associate() {
    for (int i = 0; i < 4; ++i) assert_true(meeting->Poll().has_value());
    assert_true(meeting->dance.proven());
  }

  Party server, client;
  std::optional<Meeting> meeting;
};

}  // namespace ntpward::autokey::test
