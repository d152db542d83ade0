// A server's group keys of one identity scheme: the one in use, and those before it, which clients
// that did not move yet still ask to be proved.
//
// A client sends the filestamp of its parameters along with the challenge (as ntpd 4.2.x does), and
// refuses a proof of another filestamp.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "keys/unix_time.h"
#include "privsep/base/types.h"

namespace ntpward::keys {

// `Key` has a `filestamp`.
template <typename Key>
class Generations {
 public:
  // The key in use. Once.
  void SetCurrent(Key key) { current_ = std::move(key); }
  // One before it, newest first. Of two with one filestamp the first stays, so that a revoked MV
  // client's servers' numbers, which kept the filestamp, do not come back. False: not kept.
  bool AddEarlier(Key key) {
    const auto same = [&](const Key& known) { return known.filestamp == key.filestamp; };
    if (!current_ || UnixFromNtp(key.filestamp) >= UnixFromNtp(current_->filestamp) ||
        std::any_of(earlier_.begin(), earlier_.end(), same))
      return false;
    earlier_.push_back(std::move(key));
    return true;
  }

  // Null when there is none.
  const Key* current() const { return current_ ? &*current_ : nullptr; }
  // What to prove the group with to a client whose parameters have this filestamp: the one in use
  // unless an earlier one fits. Null when there is none.
  const Key* For(NtpSeconds filestamp) const {
    for (const Key& key : earlier_)
      if (key.filestamp == filestamp) return &key;
    return current();
  }

 private:
  std::optional<Key> current_;
  std::vector<Key> earlier_;
};

}  // namespace ntpward::keys
