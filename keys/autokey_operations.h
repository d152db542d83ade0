// The operations of Autokey that need a private key or a group key (RFC 5906 section 11).
//
// Whatever is signed here is composed here: net supplies numbers, names and times, never octets to
// sign. All of them are slow; the service queues them and limits their rate.
#pragma once

#include "keys/key_state.h"
#include "privsep/msg/keys.h"

namespace ntpward::keys {

// `state` has a HostKeys and must outlive it.
class AutokeyOperations {
 public:
  explicit AutokeyOperations(KeyState* state);

  // What of the host's keys is public.
  msg::HostMaterial Material(uint32_t request) const;
  // Signs public key, certificate and leap values anew, the last under the keys before as well.
  msg::SignedValues UpdateSignatures(const msg::SignatureUpdate& request);

  // What an operation costs, in signatures with an RSA key of 2048 bits, for its rate limit.
  template <typename M>
  double Cost(const M& request) const {
    if constexpr (requires { request.elder; }) return SignatureCost(request.elder);
    return signature_cost_;
  }
  double Cost(const msg::SignatureUpdate& request) const;
  double Cost(const msg::IdentityProve& request) const;
  double Cost(const msg::IdentityVerify& request) const;
  double Cost(const msg::CookieOpen& request) const;

  // A server's answers.
  msg::ValueAnswer IssueCookie(const msg::CookieIssue& request);
  msg::ValueAnswer ProveIdentity(const msg::IdentityProve& request);
  msg::ValueAnswer IssueCertificate(const msg::CertificateIssue& request);

  // A client's steps.
  msg::ValueAnswer DrawChallenge(const msg::IdentityChallenge& request);
  msg::Verdict VerifyIdentity(const msg::IdentityVerify& request);
  msg::Verdict OpenCookie(const msg::CookieOpen& request);

  // A new key list, and what to announce of it.
  msg::ValueAnswer MakeKeyList(const msg::KeyListMake& request);

 private:
  double SignatureCost(uint8_t elder) const;
  // The answer with this value, signed when `now` is not 0.
  msg::ValueAnswer Answer(uint32_t request, NtpSeconds now, NtpSeconds filestamp,
                          Bytes value) const {
    return AnswerBy(*host_.signer, request, now, filestamp, value);
  }
  static msg::ValueAnswer AnswerBy(const Signer& signer, uint32_t request, NtpSeconds now,
                                   NtpSeconds filestamp, Bytes value);
  template <typename Key>
  msg::ValueAnswer ProveWith(const Generations<Key>& keys,
                             std::vector<uint8_t> (*prove)(const Key&, Bytes),
                             const msg::IdentityProve& request) const;
  // The cookie for this client, or our half for this peer; none when there are too many peers.
  std::optional<uint32_t> CookieFor(const msg::CookieIssue& request);
  // What is announced of it, signed as `request` says.
  msg::ValueAnswer Announce(const msg::KeyListMake& request, const KeyList& list) const;
  bool CertificateIsValid(NtpSeconds now) const;
  bool IsOfOurGroup(const EVP_PKEY* key) const;

  KeyState& state_;
  HostKeys& host_;
  double signature_cost_;
};

// Out of the answer for operations that are not done: `code` is not kGood.
msg::ValueAnswer Refusal(uint32_t request, msg::VerdictCode code);

}  // namespace ntpward::keys
