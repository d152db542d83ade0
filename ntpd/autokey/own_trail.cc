#include "ntpd/autokey/own_trail.h"

#include <algorithm>
#include <set>

#include "ntpd/autokey/trail.h"

namespace ntpward::autokey {
namespace {

// What one search may use.
struct Bounds {
  CertificateSource worst;
  std::optional<CalendarSeconds> now;
  bool expired;  // such ones too
};

class Search {
 public:
  // The oldest first, of those who proved most.
  Search(const std::vector<CachedCertificate>& entries, const Bounds& bounds, VerifiedPairs& pairs)
      : pairs_(pairs) {
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
      if (IsUsable(*entry, bounds)) usable_.push_back(&*entry);
    std::stable_sort(usable_.begin(), usable_.end(),
                     [](auto* a, auto* b) { return a->source() < b->source(); });
    Measure();
  }

  bool From(std::string_view own_subject) {
    for (const CachedCertificate* entry : usable_) {
      steps_left_ = kMostSteps;
      if (entry->certificate.subject == own_subject && Extend(entry)) return true;
    }
    return false;
  }
  const std::vector<const CachedCertificate*>& path() const { return path_; }

 private:
  // From each start. Names that come back can make it search in vain; those of honest hosts never
  // do.
  static constexpr int kMostSteps = 200;

  static bool IsUsable(const CachedCertificate& entry, const Bounds& bounds) {
    const Certificate& certificate = entry.certificate;
    if (!entry.served() || entry.source() > bounds.worst || !entry.BegunAt(bounds.now))
      return false;
    if (certificate.self_signed() && !certificate.trusted) return false;
    return !bounds.now || bounds.expired || certificate.not_after >= *bounds.now;
  }

  // How many certificates it is to a root, from those that lead to one within the length of a
  // trail.
  void Measure() {
    for (const CachedCertificate* entry : usable_)
      if (entry->root()) distances_[entry->id] = 1;
    for (size_t length = 2; length <= Trail::kMaxLength; ++length)
      for (const CachedCertificate* entry : usable_)
        if (!distances_.contains(entry->id) && LeadsTo(*entry, length - 1))
          distances_[entry->id] = length;
  }
  bool LeadsTo(const CachedCertificate& entry, size_t distance) const {
    return std::any_of(usable_.begin(), usable_.end(), [&](const CachedCertificate* next) {
      const auto found = distances_.find(next->id);
      return found != distances_.end() && found->second == distance && pairs_.Issued(*next, entry);
    });
  }

  // Goes on from there to a root; else nothing changes.
  bool Extend(const CachedCertificate* entry) {
    const auto distance = distances_.find(entry->id);
    if (distance == distances_.end() || path_.size() + distance->second > Trail::kMaxLength)
      return false;
    if (HasName(entry->certificate.subject) || steps_left_-- <= 0) return false;
    path_.push_back(entry);
    if (entry->root()) return true;
    for (const CachedCertificate* next : usable_)
      if (pairs_.Issued(*next, *entry) && Extend(next)) return true;
    path_.pop_back();
    return false;
  }
  bool HasName(std::string_view subject) const {
    return std::any_of(path_.begin(), path_.end(),
                       [&](auto* step) { return step->certificate.subject == subject; });
  }

  VerifiedPairs& pairs_;
  std::vector<const CachedCertificate*> usable_;
  std::map<uint64_t, size_t> distances_;  // by identifier, itself counted
  std::vector<const CachedCertificate*> path_;
  int steps_left_ = 0;
};

}  // namespace

bool VerifiedPairs::Issued(const CachedCertificate& issuer, const CachedCertificate& entry) {
  if (issuer.certificate.subject != entry.certificate.issuer || issuer.id == entry.id) return false;
  const auto [pair, is_new] = verified_.try_emplace({issuer.id, entry.id}, false);
  if (is_new)
    pair->second = issuer.certificate.ValidAt(entry.certificate.not_before) &&
                   VerifyCertificate(entry.certificate, issuer.certificate.key);
  return pair->second;
}

void VerifiedPairs::KeepOnly(const std::vector<CachedCertificate>& entries) {
  std::set<uint64_t> present;
  for (const CachedCertificate& entry : entries) present.insert(entry.id);
  std::erase_if(verified_, [&](const auto& pair) {
    return !present.contains(pair.first.first) || !present.contains(pair.first.second);
  });
}

void OwnTrail::Build(const std::vector<CachedCertificate>& entries, std::string_view own_subject,
                     std::optional<CalendarSeconds> now) {
  using enum CertificateSource;
  steps_.clear();
  pairs_.KeepOnly(entries);
  const Bounds in_turn[] = {
      {kProved, now, false}, {kByTrail, now, false}, {kProved, now, true}, {kByTrail, now, true}};
  for (const Bounds& bounds : in_turn) {
    Search search(entries, bounds, pairs_);
    if (!search.From(own_subject)) continue;
    for (const CachedCertificate* step : search.path()) steps_.push_back(step->id);
    return;
  }
}

bool OwnTrail::Contains(uint64_t id) const {
  return std::find(steps_.begin(), steps_.end(), id) != steps_.end();
}

}  // namespace ntpward::autokey
