// The trail that our clients are led along: from our own certificate, or one that a server of ours
// signed for us, by the keys that verify each step, to a trusted one.
//
// A client asks for one name after the other, and names are anybody's to choose: it must be given
// the certificates of one trail, not of several hosts that share a name. Searching costs whoever
// chose the certificates no more of our time than one verification of each pair of names that fits,
// ever, and a bounded number of steps.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "ntpd/autokey/cached_certificate.h"

namespace ntpward::autokey {

// Which certificates signed which, each pair verified once.
class VerifiedPairs {
 public:
  // As a client that follows the trail will check it (Trail::Add).
  bool Issued(const CachedCertificate& issuer, const CachedCertificate& entry);
  // Forgets all pairs of which one is not in `entries`.
  void KeepOnly(const std::vector<CachedCertificate>& entries);

 private:
  std::map<std::pair<uint64_t, uint64_t>, bool> verified_;  // by issuer and subject
};

class OwnTrail {
 public:
  // Searches anew among `entries`, newest first, which it does not keep. Who proved more comes
  // before who proved less, what is valid at `now` before what expired (null: nobody knows yet),
  // what has not begun is not used, and of equals the oldest, so that our clients do not follow
  // each that comes. A trail of who proved less is used while there is no complete one of who
  // proved more; of strangers none is.
  void Build(const std::vector<CachedCertificate>& entries, std::string_view own_subject,
             std::optional<CalendarSeconds> now);

  // The identifiers of its entries, ours first; empty: there is none.
  const std::vector<uint64_t>& steps() const { return steps_; }
  bool Contains(uint64_t id) const;

 private:
  VerifiedPairs pairs_;
  std::vector<uint64_t> steps_;
};

}  // namespace ntpward::autokey
