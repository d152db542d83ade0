// The certificates that this host holds: its own, those of trails that it followed, and the one
// that a server signed for it. They are served to clients and listed by `ntpq -c "rv 0 cert"`.
//
// Only certificates of a trail whose identity was accepted come here, so a forger cannot fill it.
// The number is bounded all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/autokey/cached_certificate.h"
#include "ntpd/autokey/own_trail.h"
#include "ntpd/autokey/trail.h"

namespace ntpward::autokey {

// One item of `rv 0 cert`.
struct CertificateLine {
  std::string text;   // "server server 0x5"
  std::string until;  // "202711212340", UTC
};

class CertificateCache {
 public:
  // Twenty servers with a root each, what they signed for us, and our own.
  static constexpr size_t kCapacity = 64;

  // Replaces the host's own certificate. A new key or name voids what was issued to it before;
  // under the same key that is served until who issued it issues it anew or is followed no longer.
  void SetOwn(const Certificate& own);

  // Keeps a certificate that came by the dance of `holder`, newest first, marked valid and, when
  // `issuer_verified`, signed. One of the same subject and issuer that came by the same dance stays
  // instead, unless the new one has a newer filestamp or, with the same, a later start of validity;
  // then the new one has its place. Those of other dances are kept beside it: names are anybody's
  // to choose. One of our own name is kept only when somebody else signed it for our key. Where
  // there is no room it takes the place of one of who has most: of none with a better source, nor
  // of an equal holder who has no more than its own, nor of what our own trail needs.
  void Install(const Certificate& certificate, bool issuer_verified,
               CertificateSource source = CertificateSource::kProved, AssocId holder = {});

  // Keeps a trail that was accepted, which must be complete; what else came by the dance of
  // `holder` goes, but for what its server signed for us.
  void Accept(const Trail& trail, CertificateSource source, AssocId holder);

  // To be called when a trail was accepted and now and then, once the time is known. Received ones
  // that are not to begin for long go: they are of no use to anybody, and would stay for newer than
  // what their owner has made since its clock was set right. They came before ours was set. Of what
  // expired none is on our own trail while there is another, and what has not begun is not served
  // before it has.
  void OnTime(CalendarSeconds now);

  // What came by the dance of `holder` alone goes: it is followed no longer, or was refused.
  void Drop(AssocId holder);

  // What a client that asks for `subject` is given: on our own trail the certificate of that
  // (OwnTrail). Else, by the best source: the trusted self-signed one, or the oldest that somebody
  // else signed. Never a private or failed one, nor one that has not begun. Null when there is
  // none. The pointer lives until the next change.
  const Certificate* FindForClient(std::string_view subject) const;

  // Another number after each change: what is served about them is to be signed anew.
  uint32_t revision() const { return revision_; }

  // Newest first.
  std::vector<CertificateLine> Lines() const;
  const std::vector<CachedCertificate>& entries() const { return entries_; }

 private:
  using Entries = std::vector<CachedCertificate>;
  using Which = std::function<bool(const Certificate&)>;

  bool Put(const Certificate& certificate, bool issuer_verified, CertificateSource source,
           AssocId holder);
  bool IsWelcome(const Certificate& certificate, AssocId holder) const;
  const Certificate* Find(std::string_view subject, CertificateSource source) const;
  size_t HeldBy(AssocId holder) const;
  size_t LeastHeld(const CachedCertificate& entry) const;
  bool MayGoFor(CertificateSource source, AssocId holder, const CachedCertificate& entry) const;
  bool MakeRoom(CertificateSource source, AssocId holder);
  Entries::iterator FindId(uint64_t id);
  Entries::iterator FindBefore(const Certificate& certificate, AssocId holder);
  bool LetGo(AssocId holder, const Which& which);
  bool IsOtherAt(CalendarSeconds now) const;
  void OnChange();

  Entries entries_;  // newest first
  OwnTrail own_trail_;
  uint32_t revision_ = 0;
  uint64_t last_id_ = 0;
  std::optional<std::string> own_subject_;
  NtpSeconds own_filestamp_;
  PublicKey own_key_;
  std::optional<CalendarSeconds> now_;  // when it was last told
};

}  // namespace ntpward::autokey
