// ntpd-keys' part in a client's dance, and a server's answers to it.
#pragma once

#include "tests/net/harness.h"
#include "tests/support/authority.h"

namespace ntpward::test {

// Answers as the key process of `client` what its dance asks; false for any other message.
inline bool ServeDance(Harness* h, const autokey::test::Party& client, Bytes bytes) {
  msg::IdentityChallenge challenge;
  msg::IdentityVerify verify;
  msg::CookieOpen open;
  if (msg::Decode(bytes, &challenge)) {
    msg::ValueAnswer answer = client.Challenge(challenge);
    answer.request = challenge.request;
    h->SayAsKeys(answer);
  } else if (msg::Decode(bytes, &verify)) {
    h->SayAsKeys(msg::Verdict{.request = verify.request, .code = client.Verdict(verify)});
  } else if (msg::Decode(bytes, &open)) {
    h->SayAsKeys(msg::Verdict{.request = open.request, .code = client.Verdict(open)});
  } else {
    return false;
  }
  return true;
}

// What `server` answers to `field`, which went along `path`, at `now`.
inline std::vector<uint8_t> ServersAnswer(autokey::test::Party* server, Bytes field,
                                          const AddressPair& path, uint32_t now) {
  const autokey::ServerContext context{server->host, server->certificates, NtpSeconds{now}, true};
  autokey::ServerAnswer answer = server->side.OnRequest(field, path, context);
  if (answer.kind == autokey::ServerAnswer::Kind::kAskKeys)
    answer = server->side.OnValueAnswer(answer.pending, server->Answer(*answer.operation));
  return answer.field;
}

}  // namespace ntpward::test
