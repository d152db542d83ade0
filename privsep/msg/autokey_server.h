// net -> keys: what the answers to Autokey's clients need of a private key. Answered by
// ValueAnswer.
#pragma once

#include "privsep/msg/key_answers.h"
#include "privsep/msg/key_list.h"

namespace ntpward::msg {

inline constexpr size_t kMaxDsaModulus = 384;  // octets: 3072 bits
inline constexpr size_t kMaxDsaOrder = 32;     // octets of q

// net -> keys: the cookie of this client, encrypted under its public key (COOK). To a peer of
// symmetric modes, our half of the cookie of `association`: random, and the same until that is
// forgotten.
struct CookieIssue {
  static constexpr Type kType = Type::kCookieIssue;
  uint32_t request = 0;
  NtpSeconds now;
  AssocId association;               // 0: a client's
  AddressPair path;                  // client -> server
  InlineBytes<kMaxModulus> modulus;  // odd, no leading zero octet, 46..512 octets
  uint32_t exponent = 0;             // odd, at least 3
  uint8_t elder = 0;                 // as KeyListMake's; the answer is signed by that key

  bool Valid() const {
    return elder <= kMaxElders && modulus.size() >= 46 && modulus.span()[0] != 0 &&
           (modulus.span().back() & 1) == 1 && exponent >= 3 && (exponent & 1) == 1;
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.association, m.path, m.modulus, m.exponent, m.elder);
  }
};

// net -> keys: prove that we know the group key (IFF, GQ, MV), to a client whose parameters have
// this filestamp: by the key of that generation where there still is one, else by the one in use.
struct IdentityProve {
  static constexpr Type kType = Type::kIdentityProve;
  uint32_t request = 0;
  NtpSeconds now;
  IdentityScheme scheme = IdentityScheme::kIff;
  NtpSeconds filestamp;                // of the client's parameters, as it says
  InlineBytes<kMaxModulus> challenge;  // r, big-endian, as long as the scheme says
  uint8_t elder = 0;                   // as KeyListMake's; the answer is signed by that key

  bool Valid() const {
    return !challenge.empty() && elder <= kMaxElders && scheme >= IdentityScheme::kIff;
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.scheme, m.filestamp, m.challenge, m.elder);
  }
};

// A DSA public key: big-endian numbers without leading zeros. All empty: none.
struct DsaNumbers {
  InlineBytes<kMaxDsaModulus> p;  // 512..3072 bits, odd
  InlineBytes<kMaxDsaOrder> q;    // 160..256 bits, odd
  InlineBytes<kMaxDsaModulus> g;
  InlineBytes<kMaxDsaModulus> y;

  bool none() const { return p.empty() && q.empty() && g.empty() && y.empty(); }
  bool Valid() const {
    const auto is_odd = [](Bytes number) { return number[0] != 0 && (number.back() & 1) == 1; };
    const auto is_below_p = [&](Bytes number) {
      return !number.empty() && number[0] != 0 && number.size() <= p.size();
    };
    return none() || (p.size() >= 64 && q.size() >= 20 && is_odd(p.span()) && is_odd(q.span()) &&
                      is_below_p(g.span()) && is_below_p(y.span()));
  }
  static auto Fields(auto& m) { return std::tie(m.p, m.q, m.g, m.y); }
};

// net -> keys: issue a certificate for a client (SIGN), whose key is RSA or DSA. keys makes it from
// these values alone; the issuer is our own subject, validity now .. + 365 days, serial = now.
struct CertificateIssue {
  static constexpr Type kType = Type::kCertificateIssue;
  uint32_t request = 0;
  NtpSeconds now;
  NtpSeconds filestamp;              // of the request; the answer repeats it
  InlineText<kMaxSubject> subject;   // printable ASCII
  InlineBytes<kMaxModulus> modulus;  // of an RSA key; else empty
  uint32_t exponent = 0;             // of an RSA key; else 0
  DsaNumbers dsa;
  bool trusted = false;  // the client's certificate has trustRoot usage
  uint8_t elder = 0;     // as KeyListMake's; certificate and answer are signed by that key

  bool Valid() const {
    return !subject.empty() && elder <= kMaxElders && (dsa.none() ? HasRsa() : HasDsaOnly());
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.filestamp, m.subject, m.modulus, m.exponent, m.dsa,
                    m.trusted, m.elder);
  }

 private:
  bool HasRsa() const {
    return modulus.size() >= 32 && modulus.span()[0] != 0 && (modulus.span().back() & 1) == 1 &&
           exponent >= 3 && (exponent & 1) == 1;
  }
  bool HasDsaOnly() const { return dsa.Valid() && modulus.empty() && exponent == 0; }
};

}  // namespace ntpward::msg
