// The certificates that this host holds: its own, those of trails that it followed, and the one
// that a server signed for it. They are served to clients and listed by `ntpq -c "rv 0 cert"`.
//
// Only certificates of a trail whose identity was accepted come here, so a forger cannot fill it.
// The number is bounded all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/autokey/certificate.h"

namespace ntpward::autokey {

// As ntpd 4.2.8 shows them in `cert="SUBJECT ISSUER 0xFLAGS"`.
enum CertificateFlag : uint8_t {
  kCertificateTrusted = 0x01,
  kCertificateSigned = 0x02,  // its issuer's key verified it, in a trail
  kCertificateValid = 0x04,   // it came by the protocol
  kCertificatePrivate = 0x08,
  kCertificateError = 0x80,  // its issuer's key did not verify it
};

// By whose dance a certificate came, the most trustworthy first.
enum class CertificateSource : uint8_t {
  kProved,    // on a line of the operator's, and its identity was proved; or it is our own
  kByTrail,   // on such a line, and accepted by its trail alone
  kStranger,  // of a peer or broadcast server that a packet made
};

struct CachedCertificate {
  Certificate certificate;
  uint8_t flags = 0;
  // The associations that it came by; our own has the identifier 0. Never empty.
  std::map<AssocId, CertificateSource> holders;

  // Of the best of them.
  CertificateSource source() const;
};

// One item of `rv 0 cert`.
struct CertificateLine {
  std::string text;   // "server server 0x5"
  std::string until;  // "202711212340", UTC
};

class CertificateCache {
 public:
  // More than any trail and its neighbours need; the oldest received one makes room.
  static constexpr size_t kCapacity = 32;

  // Replaces the host's own certificate. A new key or name voids what was issued to it before;
  // under the same key that is served until one of the new certificate's filestamp is installed.
  void SetOwn(const Certificate& own);

  // Keeps a certificate that came by the dance of `holder`, newest first, marked valid and, when
  // `issuer_verified`, signed. One of the same subject and issuer that came by the same dance stays
  // instead, unless the new one has a newer filestamp or, with the same, a later start of validity.
  // Those of other dances are kept beside it: names are anybody's to choose. One of our own name is
  // kept only when somebody else signed it for our key. Where there is no room it takes the place
  // of none with a better source.
  void Install(const Certificate& certificate, bool issuer_verified,
               CertificateSource source = CertificateSource::kProved, AssocId holder = {});

  // Received ones that are not to begin for long are of no use to anybody, and would stay for newer
  // than what their owner has made since its clock was set right. They came before ours was set.
  void DropAhead(CalendarSeconds now);

  // What came by the dance of `holder` alone goes: it is followed no longer, or was refused.
  void Drop(AssocId holder);

  // What a client that asks for `subject` is given. On our own trail it is the certificate of that:
  // from the oldest that the best of sources signed for us, by the keys that verify each step, to a
  // trusted one; a client asks for one name after the other, and of several hosts of a name only
  // one is of use to it. Else, by the best source: the trusted self-signed one, or the oldest that
  // somebody else signed. Never a private or failed one. Null when there is none. The pointer lives
  // until the next change.
  const Certificate* FindForClient(std::string_view subject) const;

  // Another number after each change: what is served about them is to be signed anew.
  uint32_t revision() const { return revision_; }

  // Newest first.
  std::vector<CertificateLine> Lines() const;
  const std::vector<CachedCertificate>& entries() const { return entries_; }

 private:
  const Certificate* Find(std::string_view subject, CertificateSource source) const;
  bool MakeRoom(CertificateSource source);
  void DropPredecessors(const Certificate& issued, CertificateSource source);
  void LetGo(AssocId holder, const std::function<bool(const Certificate&)>& which);
  void OnChange();
  void BuildOwnTrail();
  bool IsOfOurs(const CachedCertificate& entry) const;
  const Certificate* FindOnOwnTrail(std::string_view subject) const;
  bool Extend(size_t index, CertificateSource worst, std::vector<bool>* seen);

  std::vector<CachedCertificate> entries_;  // newest first
  std::vector<size_t> own_trail_;           // indexes of entries_; ours first; empty: none
  uint32_t revision_ = 0;
  std::optional<std::string> own_subject_;
  NtpSeconds own_filestamp_;
  PublicKey own_key_;
};

}  // namespace ntpward::autokey
