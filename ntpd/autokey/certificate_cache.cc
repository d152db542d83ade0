#include "ntpd/autokey/certificate_cache.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace ntpward::autokey {
namespace {

uint8_t UsageFlags(const Certificate& certificate) {
  return static_cast<uint8_t>((certificate.trusted ? kCertificateTrusted : 0) |
                              (certificate.private_use ? kCertificatePrivate : 0));
}

std::string Text(const CachedCertificate& entry) {
  char flags[16];
  std::snprintf(flags, sizeof flags, " 0x%x", static_cast<unsigned>(entry.flags));
  return entry.certificate.subject + " " + entry.certificate.issuer + flags;
}

bool SameParties(const Certificate& a, const Certificate& b) {
  return a.subject == b.subject && a.issuer == b.issuer;
}

// By filestamp, as the reference decides; of one filestamp by validity, because a certificate that
// is issued again for the same request must outlive the one before it.
bool IsNewer(const Certificate& a, const Certificate& b) {
  if (a.filestamp != b.filestamp) return Earlier(b.filestamp, a.filestamp);
  return a.not_before > b.not_before;
}

}  // namespace

void CertificateCache::SetOwn(const Certificate& own) {
  // What was issued to us under an old key no longer helps anyone. Under the same key it does,
  // until it is issued anew, which may take as long as our servers are away.
  std::erase_if(entries_, [&](const CachedCertificate& entry) {
    const Certificate& known = entry.certificate;
    const bool still_ours =
        known.subject == own.subject && !known.self_signed() && known.key == own.key;
    return (known.subject == own.subject || known.subject == own_subject_) && !still_ours;
  });
  own_subject_ = own.subject;
  own_filestamp_ = own.filestamp;
  own_key_ = own.key;
  entries_.push_back({own, UsageFlags(own), CertificateSource::kChosen});
  ++revision_;
}

// Once there is one for the certificate that we have now, those for its predecessors are of no use:
// who issued them may be no server of ours any more.
void CertificateCache::DropPredecessors(const Certificate& issued) {
  if (issued.subject != own_subject_ || Earlier(issued.filestamp, own_filestamp_)) return;
  std::erase_if(entries_, [&](const CachedCertificate& entry) {
    const Certificate& known = entry.certificate;
    return known.subject == own_subject_ && !known.self_signed() &&
           Earlier(known.filestamp, own_filestamp_);
  });
}

// False: there is nothing that may go for one of that source.
bool CertificateCache::MakeRoom(CertificateSource source) {
  if (entries_.size() < kCapacity) return true;
  const auto oldest = [&](CertificateSource whose) {
    return std::find_if(entries_.rbegin(), entries_.rend(), [&](const CachedCertificate& entry) {
      return entry.source == whose && (entry.flags & kCertificateValid) != 0;
    });
  };
  auto goes = oldest(CertificateSource::kStranger);
  if (goes == entries_.rend() && source == CertificateSource::kStranger) return false;
  // Only our own came by no protocol, so there is one to drop.
  if (goes == entries_.rend()) goes = oldest(CertificateSource::kChosen);
  CHECK(goes != entries_.rend());
  entries_.erase(std::next(goes).base());
  return true;
}

void CertificateCache::Install(const Certificate& certificate, bool issuer_verified,
                               CertificateSource source) {
  const auto flags = static_cast<uint8_t>(UsageFlags(certificate) | kCertificateValid |
                                          (issuer_verified ? kCertificateSigned : 0));
  // Another host of our name must not be taken for us by our clients.
  if (certificate.subject == own_subject_ &&
      (certificate.self_signed() || certificate.key != own_key_))
    return;
  const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return SameParties(entry.certificate, certificate);
  });
  if (same != entries_.end()) {
    if (source == CertificateSource::kStranger && same->source == CertificateSource::kChosen)
      return;
    const bool outranks =
        source == CertificateSource::kChosen && same->source == CertificateSource::kStranger;
    if (!outranks && !IsNewer(certificate, same->certificate)) {
      if (same->certificate.der == certificate.der) same->flags |= flags;
      return;
    }
    entries_.erase(same);
  }
  if (source == CertificateSource::kChosen) DropPredecessors(certificate);
  if (!MakeRoom(source)) return;
  entries_.insert(entries_.begin(), {certificate, flags, source});
  ++revision_;
}

void CertificateCache::DropAhead(CalendarSeconds now) {
  const size_t dropped = std::erase_if(entries_, [&](const CachedCertificate& entry) {
    return (entry.flags & kCertificateValid) != 0 && entry.certificate.IsAhead(now);
  });
  if (dropped > 0) ++revision_;
}

const Certificate* CertificateCache::FindForClient(std::string_view subject) const {
  const Certificate* chosen = Find(subject, CertificateSource::kChosen);
  return chosen != nullptr ? chosen : Find(subject, CertificateSource::kStranger);
}

const Certificate* CertificateCache::Find(std::string_view subject,
                                          CertificateSource source) const {
  const Certificate* signed_by_other = nullptr;
  const Certificate* trusted = nullptr;
  for (const CachedCertificate& entry : entries_) {
    if ((entry.flags & (kCertificatePrivate | kCertificateError)) != 0) continue;
    if (entry.certificate.subject != subject || entry.source != source) continue;
    if (!entry.certificate.self_signed()) signed_by_other = &entry.certificate;
    if (entry.certificate.self_signed() && entry.certificate.trusted) trusted = &entry.certificate;
  }
  return trusted != nullptr ? trusted : signed_by_other;
}

std::vector<CertificateLine> CertificateCache::Lines() const {
  std::vector<CertificateLine> lines;
  for (const CachedCertificate& entry : entries_)
    lines.push_back({Text(entry), MinuteText(entry.certificate.not_after)});
  return lines;
}

}  // namespace ntpward::autokey
