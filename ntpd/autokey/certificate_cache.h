// The certificates that this host holds: its own, those of trails that it followed, and the one
// that a server signed for it. They are served to clients and listed by `ntpq -c "rv 0 cert"`.
//
// Only certificates of a trail whose identity was accepted come here, so a forger cannot fill it.
// The number is bounded all the same.
#pragma once

#include <cstddef>
#include <cstdint>
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

// Whose dance a certificate came by.
enum class CertificateSource : uint8_t {
  kChosen,    // of somebody on a line of the operator's, or our own
  kStranger,  // of a peer or broadcast server that a packet made
};

struct CachedCertificate {
  Certificate certificate;
  uint8_t flags = 0;
  CertificateSource source = CertificateSource::kChosen;
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

  // Keeps a received certificate, newest first, marked valid and, when `issuer_verified`, signed.
  // One of the same subject and issuer stays instead, unless the new one has a newer filestamp or,
  // with the same, a later start of validity. Our own self-signed certificate is never replaced,
  // and one of our name for another key not kept, which is another host's. A stranger's takes the
  // place of strangers' only: the trail that our clients follow is not theirs to break, as a name
  // is anybody's to choose.
  void Install(const Certificate& certificate, bool issuer_verified,
               CertificateSource source = CertificateSource::kChosen);

  // Received ones that are not to begin for long are of no use to anybody, and would stay for newer
  // than what their owner has made since its clock was set right. They came before ours was set.
  void DropAhead(CalendarSeconds now);

  // What a client that asks for `subject` is given: the trusted self-signed one, else the oldest
  // that somebody else signed, and strangers' only where there is no other; never a private or
  // failed one. Null when there is none. The pointer lives until the next change.
  const Certificate* FindForClient(std::string_view subject) const;

  // Another number after each change: what is served about them is to be signed anew.
  uint32_t revision() const { return revision_; }

  // Newest first.
  std::vector<CertificateLine> Lines() const;
  const std::vector<CachedCertificate>& entries() const { return entries_; }

 private:
  const Certificate* Find(std::string_view subject, CertificateSource source) const;
  bool MakeRoom(CertificateSource source);
  void DropPredecessors(const Certificate& issued);

  std::vector<CachedCertificate> entries_;  // newest first
  uint32_t revision_ = 0;
  std::optional<std::string> own_subject_;
  NtpSeconds own_filestamp_;
  PublicKey own_key_;
};

}  // namespace ntpward::autokey
