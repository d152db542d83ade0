// net <-> keys: what of the host's keys is public, and its values signed anew.
#pragma once

#include "privsep/msg/key_answers.h"
#include "privsep/msg/key_list.h"

namespace ntpward::msg {

inline constexpr size_t kMaxGroups = 16;

// A group whose parameter file (ntpkey_iffpar_GROUP and its like) was found: what a client can
// demand.
struct GroupParameters {
  InlineText<64> group;
  IdentityScheme scheme = IdentityScheme::kIff;
  NtpSeconds filestamp;
  bool has_public = false;  // false: no public value in the file, nothing can be proved with it

  static auto Fields(auto& m) { return std::tie(m.group, m.scheme, m.filestamp, m.has_public); }
};

// net -> keys: tell me what of the host's key material is public. Also sent again after SIGHUP.
struct HostMaterialRequest {
  static constexpr Type kType = Type::kHostMaterialRequest;
  uint32_t request = 0;
  static auto Fields(auto& m) { return std::tie(m.request); }
};

// keys -> net. Everything in it is public. Without `crypto` only `request` is set.
struct HostMaterial {
  static constexpr Type kType = Type::kHostMaterial;
  uint32_t request = 0;
  bool crypto_enabled = false;
  InlineText<kMaxSubject> subject;  // CN of our certificate: our Autokey name
  uint32_t status_word = 0;         // ENAB, identity bits, scheme NID in the upper half
  InlineText<16> digest_name;       // session key digest: "md5" unless `crypto digest`
  NtpSeconds host_key_filestamp;
  InlineBytes<kMaxModulus + 32> host_public_key;  // PKCS#1 RSAPublicKey, DER
  InlineBytes<kMaxCertificate> certificate;       // own self-signed certificate, DER
  NtpSeconds certificate_filestamp;
  InlineVector<GroupParameters, kMaxGroups> groups;

  static auto Fields(auto& m) {
    return std::tie(m.request, m.crypto_enabled, m.subject, m.status_word, m.digest_name,
                    m.host_key_filestamp, m.host_public_key, m.certificate, m.certificate_filestamp,
                    m.groups);
  }
};

// net -> keys: how many symmetric keys are there? For ntpq's authinfo.
struct KeyCountRequest {
  static constexpr Type kType = Type::kKeyCountRequest;
  uint32_t request = 0;
  static auto Fields(auto& m) { return std::tie(m.request); }
};

// keys -> net. It holds for as long as that ntpd-keys lives: a command trusts keys and revokes
// them, and makes none.
struct KeyCount {
  static constexpr Type kType = Type::kKeyCount;
  uint32_t request = 0;
  // Of the key file, whether trusted or not. ntpd 4.2.8 also counts numbers in trustedkey that the
  // file does not have.
  uint32_t symmetric = 0;

  // A symmetric key has a number from 1 to 65535.
  bool Valid() const { return symmetric <= 65535; }
  static auto Fields(auto& m) { return std::tie(m.request, m.symmetric); }
};

// net -> keys: sign the host's values anew (at first synchronisation, then every 2^revoke s and
// when leap values change).
struct SignatureUpdate {
  static constexpr Type kType = Type::kSignatureUpdate;
  uint32_t request = 0;
  NtpSeconds now;    // not 0
  uint32_t tai = 0;  // leap values as sent in LEAP responses; all zero without a table
  uint32_t leap_epoch = 0;
  uint32_t leap_expiry = 0;

  // Bounded, so that little can be chosen of what gets signed.
  bool Valid() const {
    return now.value != 0 && tai <= 255 && (tai != 0 || (leap_epoch == 0 && leap_expiry == 0));
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.tai, m.leap_epoch, m.leap_expiry);
  }
};

// keys -> net. Signatures over ts || fs || length || value, ts = `timestamp` for all. All empty,
// with timestamp 0: over the rate of private-key operations, ask again later; or no `crypto`.
struct SignedValues {
  static constexpr Type kType = Type::kSignedValues;
  uint32_t request = 0;
  NtpSeconds timestamp;
  InlineBytes<kMaxModulus> host_public_key;  // fs = host_key_filestamp: COOK request
  InlineBytes<kMaxModulus> certificate;  // fs = certificate_filestamp: CERT response, SIGN request
  InlineBytes<kMaxModulus> leap;         // fs = host_key_filestamp: LEAP response
  // The same leap values, signed by the keys before ours, the newest first (KeyListMake::elder).
  InlineVector<InlineBytes<kMaxModulus>, kMaxElders> elder_leaps;

  static auto Fields(auto& m) {
    return std::tie(m.request, m.timestamp, m.host_public_key, m.certificate, m.leap,
                    m.elder_leaps);
  }
};

}  // namespace ntpward::msg
