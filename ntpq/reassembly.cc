#include "ntpq/reassembly.h"

#include <algorithm>

namespace ntpward::ntpq {

Reassembly::Outcome Reassembly::Add(Bytes datagram) {
  const auto parsed = wire::ParseControlResponse(datagram);
  if (!parsed.ok() || !Belongs(parsed->header)) return Outcome::kIgnored;
  if (parsed->header.error) {
    error_ = parsed->header.error_code();
    return Outcome::kRefused;
  }
  return Keep(*parsed);
}

// The association is not compared: ntpd answers a clock request for 0 with the clock's own.
bool Reassembly::Belongs(const wire::ControlHeader& header) const {
  return header.version == request_.version && header.op == request_.op &&
         header.sequence == request_.sequence;
}

Reassembly::Outcome Reassembly::Keep(const wire::ControlFragment& fragment) {
  const size_t start = fragment.header.offset;
  const size_t end = start + fragment.data.size();
  if (fragment.header.more && fragment.data.empty()) return Outcome::kIgnored;
  if (end_ && (!fragment.header.more || end > *end_)) return Outcome::kIgnored;
  const auto after = std::find_if(fragments_.begin(), fragments_.end(),
                                  [&](const Piece& piece) { return piece.offset >= start; });
  if (after != fragments_.end() && after->offset < end) return Outcome::kIgnored;
  if (after != fragments_.end() && !fragment.header.more) return Outcome::kIgnored;
  if (after != fragments_.begin()) {
    const Piece& before = *std::prev(after);
    if (before.offset + before.data.size() > start) return Outcome::kIgnored;
  }
  if (fragments_.size() == kMaxFragments) return Outcome::kOverflow;
  fragments_.insert(after, Piece{fragment.header.offset, std::string(AsText(fragment.data))});
  if (!fragment.header.more) {
    end_ = end;
    status_ = fragment.header.status;
  }
  return whole() ? Outcome::kDone : Outcome::kMore;
}

bool Reassembly::whole() const {
  if (!end_) return false;
  size_t next = 0;
  for (const Piece& piece : fragments_) {
    if (piece.offset != next) return false;
    next += piece.data.size();
  }
  return next == *end_;
}

Reply Reassembly::Take() {
  CHECK(whole());
  Reply reply{.status = status_};
  for (const Piece& piece : fragments_) reply.data += piece.data;
  return reply;
}

}  // namespace ntpward::ntpq
