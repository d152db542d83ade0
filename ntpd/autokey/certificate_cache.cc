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
  // What was issued to us under an old key no longer helps anyone.
  std::erase_if(entries_, [&](const CachedCertificate& entry) {
    return entry.certificate.subject == own.subject || entry.certificate.subject == own_subject_;
  });
  own_subject_ = own.subject;
  entries_.push_back({own, UsageFlags(own), CertificateSource::kChosen});
  ++revision_;
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
  if (certificate.self_signed() && certificate.subject == own_subject_) return;
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
  if (!MakeRoom(source)) return;
  entries_.insert(entries_.begin(), {certificate, flags, source});
  ++revision_;
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
