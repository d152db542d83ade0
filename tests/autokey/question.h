// Every question that a client can ask, with a server that answers it.
#pragma once

#include <optional>
#include <vector>

#include "tests/support/authority.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::autokey::test {

// One question and the meeting in which it is asked.
struct Question {
  explicit Question(wire::AutokeyCode asked, bool is_private = false)
      : code(asked),
        scheme(asked == wire::AutokeyCode::kGq   ? msg::IdentityScheme::kGq
               : asked == wire::AutokeyCode::kMv ? msg::IdentityScheme::kMv
                                                 : msg::IdentityScheme::kIff),
        server("server", TestKey::Shared(0), true, SchemeBit(scheme)),
        client("client", TestKey::Shared(is_private ? 0 : 1), false) {
    if (scheme == msg::IdentityScheme::kGq) GiveGroupValue();
    if (is_private) server.MakePrivate("net"), client.MakePrivate("net");
    client.AddGroup("server", true, scheme);
    client.certificates.SetOwn(client.host.certificate());
    if (asked == wire::AutokeyCode::kLeap)
      server.host.SetLeap({37, NtpSeconds{3692217600}, kExpiry});
    server.Sign(kTestNow);
    client.Sign(kTestNow);
    Begin(is_private);
  }

  // From the start.
  void Begin(bool is_private = false) {
    meeting.emplace(client, server);
    meeting->client_synchronised =
        code == wire::AutokeyCode::kSign || code == wire::AutokeyCode::kLeap || is_private;
  }

  void GiveGroupValue() {
    CertificateSpec spec;
    spec.usages = kTrustRoot;
    spec.group_value = std::vector<uint8_t>(32, 0x77);
    server.material.certificate = {};
    CHECK(server.material.certificate.Assign(
        MakeCertificate(spec, server.key->pkey(), server.key->pkey())));
    CHECK(server.host.SetMaterial(server.material).ok());
    server.certificates.SetOwn(server.host.certificate());
  }

  // The genuine answer; the question is in flight.
  std::vector<uint8_t> Ask() {
    assert_true(meeting->PollUntil(code));
    return meeting->Answer(meeting->request.field);
  }

  static constexpr NtpSeconds kExpiry{kTestNow + 1000000};
  wire::AutokeyCode code;
  msg::IdentityScheme scheme;
  Party server, client;
  std::optional<Meeting> meeting;
};

inline constexpr wire::AutokeyCode kAllQuestions[] = {
    wire::AutokeyCode::kAssociation, wire::AutokeyCode::kCertificate, wire::AutokeyCode::kIff,
    wire::AutokeyCode::kGq,          wire::AutokeyCode::kMv,          wire::AutokeyCode::kCookie,
    wire::AutokeyCode::kSign,        wire::AutokeyCode::kLeap};

}  // namespace ntpward::autokey::test
