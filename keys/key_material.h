// Everything that the key process was started with, read and checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "keys/certificate_file.h"
#include "keys/generations.h"
#include "keys/group.h"
#include "keys/private_key.h"
#include "keys/rsa.h"
#include "keys/seed_file.h"
#include "keys/session_key.h"
#include "keys/symmetric_keys.h"
#include "privsep/kept_changes.h"
#include "privsep/msg/keys.h"

namespace ntpward::keys {

// The Autokey identity of this host.
struct HostKeys {
  KeyPair host;
  std::optional<KeyPair> sign;  // empty: the host key signs
  OwnCertificate certificate;
  std::optional<Signer> signer;  // with the certificate's digest; always set once loaded
  // To prove the group with; clients take the first scheme of these that they have a key for.
  Generations<IffKey> iff_server;
  Generations<GqKey> gq_server;
  Generations<MvServerKey> mv_server;
  std::vector<Group> groups;  // whose servers a client can demand proof of

  const KeyPair& signing() const { return sign ? *sign : host; }
  EVP_PKEY* signing_key() const { return signing().key.get(); }
  // ENAB, PRIV, IFF, GQ and MV bits; the certificate's scheme in the upper half (RFC 5906 figure
  // 7).
  uint32_t StatusWord() const;
};

struct KeyMaterial {
  bool virtual_clock = false;
  bool allow_trusted_issue = false;
  uint8_t revoke = 17;
  std::string digest_name = "md5";         // of session keys
  std::optional<SessionKeyHasher> hasher;  // always set once loaded
  std::optional<HostKeys> host;            // empty without `crypto`
  SymmetricKeys symmetric;
  KeptChanges lines;  // of configuration, that commands gave
  msg::ControlNonce control_nonce = msg::ControlNonce::kRemote;
  std::optional<SeedFile> seed_file;
  Secret farm_secret;                 // FarmSeeds::kSecretOctets; empty: no farm
  std::vector<std::string> warnings;  // for the operator
};

}  // namespace ntpward::keys
