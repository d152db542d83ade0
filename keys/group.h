// A group's key at a client, and what it can demand of the group's servers, whatever the scheme.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "keys/gq_key.h"
#include "keys/iff_key.h"
#include "keys/mv_key.h"
#include "privsep/msg/keys.h"

namespace ntpward::keys {

// Without any server's secret.
using GroupParameters = std::variant<IffKey, GqKey, MvClientKey>;

struct Group {
  std::string name;
  GroupParameters parameters;

  msg::IdentityScheme scheme() const;
  NtpSeconds filestamp() const;
  // False when the file lacks the number that a proof is checked with.
  bool CanVerify() const;
  std::vector<uint8_t> DrawChallenge() const;
  // The server's group key is of the generation that goes with this one: IFF and MV the same, GQ
  // the same or a later one, since a server may renew its secret alone (as ntpd 4.2.8).
  bool Accepts(NtpSeconds server_filestamp) const;
  // `public_value` is GQ's v, from the certificate; else not used. CanVerify() holds.
  bool Verify(Bytes public_value, Bytes challenge, Bytes response) const;
};

// How long a proof or its check takes, in signatures with an RSA key of 2048 bits, at least 1.
double ProofCost(msg::IdentityScheme scheme, size_t challenge_octets);

}  // namespace ntpward::keys
