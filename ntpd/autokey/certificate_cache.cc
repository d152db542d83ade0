#include "ntpd/autokey/certificate_cache.h"

#include <algorithm>
#include <cstdio>

#include "ntpd/autokey/trail.h"

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

// The filestamp is what came with it, and no part of it.
bool IsIdentical(const Certificate& a, const Certificate& b) {
  return a.filestamp == b.filestamp && a.der == b.der;
}

// By filestamp, as the reference decides; of one filestamp by validity, because a certificate that
// is issued again for the same request must outlive the one before it.
bool IsNewer(const Certificate& a, const Certificate& b) {
  if (a.filestamp != b.filestamp) return Earlier(b.filestamp, a.filestamp);
  return a.not_before > b.not_before;
}

bool IsServed(const CachedCertificate& entry) {
  return (entry.flags & (kCertificatePrivate | kCertificateError)) == 0;
}

// As a client that follows the trail will check it (Trail::Add).
bool Issued(const Certificate& issuer, const Certificate& certificate) {
  return issuer.subject == certificate.issuer && issuer.ValidAt(certificate.not_before) &&
         VerifyCertificate(certificate, issuer.key);
}

}  // namespace

CertificateSource CachedCertificate::source() const {
  CHECK(!holders.empty());
  const auto best = std::min_element(holders.begin(), holders.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  return best->second;
}

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
  entries_.push_back({own, UsageFlags(own), {{AssocId{}, CertificateSource::kProved}}});
  OnChange();
}

// Once there is one for the certificate that we have now, those for its predecessors are of no use:
// who issued them may be no server of ours any more. One that proved less ends none of more.
void CertificateCache::DropPredecessors(const Certificate& issued, CertificateSource source) {
  if (source == CertificateSource::kStranger) return;
  if (issued.subject != own_subject_ || Earlier(issued.filestamp, own_filestamp_)) return;
  std::erase_if(entries_, [&](const CachedCertificate& entry) {
    const Certificate& known = entry.certificate;
    return known.subject == own_subject_ && !known.self_signed() && entry.source() >= source &&
           Earlier(known.filestamp, own_filestamp_);
  });
}

// False: there is nothing that may go for one of that source.
bool CertificateCache::MakeRoom(CertificateSource source) {
  if (entries_.size() < kCapacity) return true;
  auto goes = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    // Only our own came by no protocol.
    if ((entry->flags & kCertificateValid) == 0) continue;
    if (goes == entries_.end() || entry->source() >= goes->source()) goes = entry;
  }
  CHECK(goes != entries_.end());
  if (goes->source() < source) return false;
  entries_.erase(goes);
  return true;
}

void CertificateCache::LetGo(AssocId holder, const std::function<bool(const Certificate&)>& which) {
  std::erase_if(entries_, [&](CachedCertificate& entry) {
    if (!which(entry.certificate)) return false;
    return entry.holders.erase(holder) > 0 && entry.holders.empty();
  });
}

void CertificateCache::Install(const Certificate& certificate, bool issuer_verified,
                               CertificateSource source, AssocId holder) {
  const auto flags = static_cast<uint8_t>(UsageFlags(certificate) | kCertificateValid |
                                          (issuer_verified ? kCertificateSigned : 0));
  // Another host of our name must not be taken for us by our clients.
  if (certificate.subject == own_subject_ &&
      (certificate.self_signed() || certificate.key != own_key_))
    return;
  const bool outdated = std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.holders.contains(holder) && SameParties(entry.certificate, certificate) &&
           !IsIdentical(entry.certificate, certificate) && !IsNewer(certificate, entry.certificate);
  });
  if (outdated) return;
  LetGo(holder, [&](const Certificate& known) {
    return SameParties(known, certificate) && !IsIdentical(known, certificate);
  });
  const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return IsIdentical(entry.certificate, certificate);
  });
  if (same != entries_.end()) {
    same->flags |= flags;
    same->holders[holder] = source;
    return BuildOwnTrail();
  }
  DropPredecessors(certificate, source);
  if (MakeRoom(source)) entries_.insert(entries_.begin(), {certificate, flags, {{holder, source}}});
  OnChange();
}

void CertificateCache::Drop(AssocId holder) {
  const size_t before = entries_.size();
  LetGo(holder, [](const Certificate&) { return true; });
  if (entries_.size() != before) return OnChange();
  BuildOwnTrail();
}

void CertificateCache::OnChange() {
  ++revision_;
  BuildOwnTrail();
}

void CertificateCache::BuildOwnTrail() {
  own_trail_.clear();
  // Of strangers nobody is followed for our clients' sake, and checking takes time.
  auto best = CertificateSource::kStranger;
  for (const CachedCertificate& entry : entries_)
    if (IsOfOurs(entry)) best = std::min(best, entry.source());
  if (best == CertificateSource::kStranger) return;
  for (size_t i = entries_.size(); i-- > 0;) {
    if (!IsOfOurs(entries_[i]) || entries_[i].source() != best) continue;
    // What led nowhere because the trail was too long may be near from another start.
    std::vector<bool> seen(entries_.size());
    if (Extend(i, best, &seen)) return;
  }
}

// Begins a trail of ours: a trusted one, or what somebody else signed for us.
bool CertificateCache::IsOfOurs(const CachedCertificate& entry) const {
  const Certificate& certificate = entry.certificate;
  return IsServed(entry) && certificate.subject == own_subject_ &&
         (certificate.trusted || !certificate.self_signed());
}

// Goes on from that entry to a trusted one. What was `seen` to lead nowhere is not tried again.
bool CertificateCache::Extend(size_t index, CertificateSource worst, std::vector<bool>* seen) {
  const Certificate& certificate = entries_[index].certificate;
  (*seen)[index] = true;
  own_trail_.push_back(index);
  if (certificate.self_signed() && certificate.trusted) return true;
  // The oldest first: what our clients follow does not change with each that comes.
  for (size_t i = entries_.size(); i-- > 0 && own_trail_.size() < Trail::kMaxLength;) {
    const CachedCertificate& next = entries_[i];
    if ((*seen)[i] || !IsServed(next) || next.source() > worst) continue;
    if (next.certificate.self_signed() && !next.certificate.trusted) continue;
    if (FindOnOwnTrail(next.certificate.subject) != nullptr) continue;  // a circle
    if (Issued(next.certificate, certificate) && Extend(i, worst, seen)) return true;
  }
  own_trail_.pop_back();
  return false;
}

const Certificate* CertificateCache::FindOnOwnTrail(std::string_view subject) const {
  for (const size_t index : own_trail_)
    if (entries_[index].certificate.subject == subject) return &entries_[index].certificate;
  return nullptr;
}

void CertificateCache::DropAhead(CalendarSeconds now) {
  const size_t dropped = std::erase_if(entries_, [&](const CachedCertificate& entry) {
    return (entry.flags & kCertificateValid) != 0 && entry.certificate.IsAhead(now);
  });
  if (dropped > 0) OnChange();
}

const Certificate* CertificateCache::FindForClient(std::string_view subject) const {
  if (const Certificate* found = FindOnOwnTrail(subject)) return found;
  for (const auto source :
       {CertificateSource::kProved, CertificateSource::kByTrail, CertificateSource::kStranger})
    if (const Certificate* found = Find(subject, source)) return found;
  return nullptr;
}

const Certificate* CertificateCache::Find(std::string_view subject,
                                          CertificateSource source) const {
  const Certificate* signed_by_other = nullptr;
  const Certificate* trusted = nullptr;
  for (const CachedCertificate& entry : entries_) {
    if (!IsServed(entry)) continue;
    if (entry.certificate.subject != subject || entry.source() != source) continue;
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
