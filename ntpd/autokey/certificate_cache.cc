#include "ntpd/autokey/certificate_cache.h"

#include <algorithm>
#include <cstdio>

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

// True when that tells anything new of the same certificate.
bool Join(const CachedCertificate& added, CachedCertificate* known) {
  const auto flags = static_cast<uint8_t>(known->flags | added.flags);
  auto holders = added.holders;
  holders.insert(known->holders.begin(), known->holders.end());
  const bool changed = flags != known->flags || holders != known->holders;
  known->flags = flags;
  known->holders = std::move(holders);
  return changed;
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
  entries_.push_back({++last_id_, own, UsageFlags(own), {{AssocId{}, CertificateSource::kProved}}});
  OnChange();
}

size_t CertificateCache::HeldBy(AssocId holder) const {
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(), [&](auto& entry) {
    return entry.holders.contains(holder);
  }));
}

// By that one of its holders who has the fewest.
size_t CertificateCache::LeastHeld(const CachedCertificate& entry) const {
  size_t least = kCapacity;
  for (const auto& [holder, source] : entry.holders) least = std::min(least, HeldBy(holder));
  return least;
}

// Whether it may go for one of that source and holder: our own, which came by no protocol, never.
bool CertificateCache::MayGoFor(CertificateSource source, AssocId holder,
                                const CachedCertificate& entry) const {
  if ((entry.flags & kCertificateValid) == 0 || own_trail_.Contains(entry.id)) return false;
  if (entry.source() != source) return entry.source() > source;
  const bool holder_alone = entry.holders.size() == 1 && entry.holders.contains(holder);
  return holder_alone || LeastHeld(entry) > HeldBy(holder);
}

// False: there is nothing that may go.
bool CertificateCache::MakeRoom(CertificateSource source, AssocId holder) {
  if (entries_.size() < kCapacity) return true;
  auto goes = entries_.end();
  // The worst source, then who has most, then the oldest.
  std::pair<CertificateSource, size_t> worst;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (!MayGoFor(source, holder, *entry)) continue;
    const auto rank = std::pair(entry->source(), LeastHeld(*entry));
    if (goes == entries_.end() || rank >= worst) goes = entry, worst = rank;
  }
  if (goes == entries_.end()) return false;
  entries_.erase(goes);
  return true;
}

// True when anything is different now.
bool CertificateCache::LetGo(AssocId holder, const Which& which) {
  bool changed = false;
  std::erase_if(entries_, [&](CachedCertificate& entry) {
    if (!which(entry.certificate) || entry.holders.erase(holder) == 0) return false;
    changed = true;
    return entry.holders.empty();
  });
  return changed;
}

bool CertificateCache::IsWelcome(const Certificate& certificate, AssocId holder) const {
  // Another host of our name must not be taken for us by our clients.
  if (certificate.subject == own_subject_ &&
      (certificate.self_signed() || certificate.key != own_key_))
    return false;
  return std::none_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.holders.contains(holder) && SameParties(entry.certificate, certificate) &&
           !IsIdentical(entry.certificate, certificate) && !IsNewer(certificate, entry.certificate);
  });
}

CertificateCache::Entries::iterator CertificateCache::FindId(uint64_t id) {
  return std::find_if(entries_.begin(), entries_.end(),
                      [&](auto& entry) { return entry.id == id; });
}

// The one that the certificate takes the place of; at most one, of each holder.
CertificateCache::Entries::iterator CertificateCache::FindBefore(const Certificate& certificate,
                                                                 AssocId holder) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const CachedCertificate& entry) {
    return entry.holders.contains(holder) && SameParties(entry.certificate, certificate) &&
           !IsIdentical(entry.certificate, certificate);
  });
}

// True when anything is different now.
bool CertificateCache::Put(const Certificate& certificate, bool issuer_verified,
                           CertificateSource source, AssocId holder) {
  if (!IsWelcome(certificate, holder)) return false;
  CachedCertificate added{++last_id_,
                          certificate,
                          static_cast<uint8_t>(UsageFlags(certificate) | kCertificateValid |
                                               (issuer_verified ? kCertificateSigned : 0)),
                          {{holder, source}}};
  const auto same = std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return IsIdentical(entry.certificate, certificate);
  });
  if (same != entries_.end()) {
    const bool changed = Join(added, &*same);
    return LetGo(holder,
                 [&](const Certificate& known) {
                   return SameParties(known, certificate) && !IsIdentical(known, certificate);
                 }) ||
           changed;
  }
  const auto before = FindBefore(certificate, holder);
  if (before == entries_.end()) {
    if (!MakeRoom(source, holder)) return false;
    entries_.insert(entries_.begin(), std::move(added));
  } else if (before->holders.size() == 1) {
    *before = std::move(added);
  } else {
    // Others still hold that.
    const uint64_t id = before->id;
    before->holders.erase(holder);
    if (MakeRoom(source, holder)) entries_.insert(FindId(id), std::move(added));
  }
  return true;
}

void CertificateCache::Install(const Certificate& certificate, bool issuer_verified,
                               CertificateSource source, AssocId holder) {
  if (Put(certificate, issuer_verified, source, holder)) OnChange();
}

void CertificateCache::Accept(const Trail& trail, CertificateSource source, AssocId holder) {
  CHECK(trail.complete());
  const std::vector<Certificate>& steps = trail.steps();
  bool changed = LetGo(holder, [&](const Certificate& known) {
    if (known.subject == own_subject_ && known.issuer == trail.server()->subject) return false;
    return std::none_of(steps.begin(), steps.end(), [&](auto& s) { return SameParties(s, known); });
  });
  for (size_t i = 0; i < steps.size(); ++i)
    changed |= Put(steps[i], i + 1 < steps.size(), source, holder);
  if (changed) OnChange();
}

void CertificateCache::Drop(AssocId holder) {
  if (LetGo(holder, [](const Certificate&) { return true; })) OnChange();
}

void CertificateCache::OnChange() {
  ++revision_;
  own_trail_.Build(entries_, own_subject_.value_or(""), now_);
}

void CertificateCache::OnTime(CalendarSeconds now) {
  const size_t dropped = std::erase_if(entries_, [&](const CachedCertificate& entry) {
    return (entry.flags & kCertificateValid) != 0 && entry.certificate.IsAhead(now);
  });
  const bool other = IsOtherAt(now);
  now_ = now;
  if (dropped > 0 || other) OnChange();
}

// Whether anything has begun or ended since the time that was told last.
bool CertificateCache::IsOtherAt(CalendarSeconds now) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const CachedCertificate& entry) {
    const bool was_over = now_ && entry.certificate.not_after < *now_;
    return entry.BegunAt(now_) != entry.BegunAt(now) ||
           was_over != (entry.certificate.not_after < now);
  });
}

const Certificate* CertificateCache::FindForClient(std::string_view subject) const {
  for (const CachedCertificate& entry : entries_)
    if (entry.certificate.subject == subject && own_trail_.Contains(entry.id))
      return &entry.certificate;
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
    if (!entry.served() || !entry.BegunAt(now_)) continue;
    if (entry.certificate.subject != subject || entry.source() != source) continue;
    if (!entry.certificate.self_signed()) signed_by_other = &entry.certificate;
    if (entry.root()) trusted = &entry.certificate;
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
