// net -> keys: challenges, proofs and cookies of our own associations.
//
// `stranger` says that a packet made the association, no line of the configuration: its operations
// have a rate of their own.
#pragma once

#include "privsep/msg/key_answers.h"

namespace ntpward::msg {

// net -> keys: draw a challenge for the group's scheme and remember it for this association. The
// answer's value is r, left-padded to full length; its filestamp is the parameter file's.
struct IdentityChallenge {
  static constexpr Type kType = Type::kIdentityChallenge;
  uint32_t request = 0;
  NtpSeconds now;
  AssocId association;
  IdentityScheme scheme = IdentityScheme::kIff;
  InlineText<64> group;
  bool stranger = false;

  bool Valid() const {
    return association.value != 0 && !group.empty() && scheme >= IdentityScheme::kIff;
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.association, m.scheme, m.group, m.stranger);
  }
};

// net -> keys: the server's answer to the challenge of this association. A challenge is good for
// one answer. Answered by Verdict.
struct IdentityVerify {
  static constexpr Type kType = Type::kIdentityVerify;
  uint32_t request = 0;
  AssocId association;
  NtpSeconds filestamp;                   // of the response
  InlineBytes<1200> value;                // DER SEQUENCE of two (IFF, GQ) or three (MV) INTEGERs
  InlineBytes<kMaxModulus> group_public;  // GQ: v from the server's certificate; else empty
  bool stranger = false;

  bool Valid() const { return association.value != 0 && !value.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.association, m.filestamp, m.value, m.group_public, m.stranger);
  }
};

// net -> keys: decrypt the cookie that the server sent and keep it for this association; a peer's
// half is joined with ours. Answered by Verdict; the cookie itself never leaves.
struct CookieOpen {
  static constexpr Type kType = Type::kCookieOpen;
  uint32_t request = 0;
  AssocId association;
  bool symmetric = false;
  InlineBytes<kMaxModulus> ciphertext;
  bool stranger = false;

  bool Valid() const { return association.value != 0 && !ciphertext.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.association, m.symmetric, m.ciphertext, m.stranger);
  }
};

// net -> keys: forget cookies, challenge and key lists of this association. No answer.
struct ForgetAssociation {
  static constexpr Type kType = Type::kForgetAssociation;
  AssocId association;

  bool Valid() const { return association.value != 0; }
  static auto Fields(auto& m) { return std::tie(m.association); }
};

}  // namespace ntpward::msg
