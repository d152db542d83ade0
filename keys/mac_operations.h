// Answers to what net asks about MACs: at once, since a reply's accuracy depends on it.
#pragma once

#include "keys/key_state.h"
#include "privsep/msg/key_list.h"
#include "privsep/msg/keys.h"

namespace ntpward::keys {

// `state` must outlive it.
class MacOperations {
 public:
  explicit MacOperations(KeyState* state) : state_(*state) {}

  // Checks each client's request and seals its reply.
  msg::ServeDone Serve(const msg::ServeBatch& batch);
  // Makes the MAC of one of our own packets: a request to an upstream, or a mode 6 response.
  msg::Sealed Seal(const msg::SealRequest& request);
  // Judges the MAC of a packet that came in.
  msg::Verdict Check(const msg::CheckMac& request);

  // Discloses the key of the packet that is sent next.
  msg::KeyListTaken Take(const msg::KeyListTake& request);
  // Keeps what another host announced.
  msg::Verdict Accept(const msg::KeyListAccept& request);

 private:
  // `fields` follow the header under its MAC.
  msg::ServeResult ServeOne(const msg::ReplyTemplate& reply, const msg::ServeJob& job,
                            Bytes fields);
  msg::ServeResult ServeSymmetric(const msg::ReplyTemplate& reply, const msg::ServeJob& job,
                                  Bytes fields);
  msg::ServeResult ServeAutokey(const msg::ReplyTemplate& reply, const msg::ServeJob& job);
  msg::VerdictCode CheckSymmetric(const msg::CheckMac& request);
  msg::VerdictCode CheckAutokey(const msg::CheckMac& request);
  msg::VerdictCode CheckCookie(const msg::CheckMac& request);
  msg::VerdictCode CheckListed(const msg::CheckMac& request);
  // The private value for a packet of ours, if we may send it; else none.
  std::optional<uint32_t> ValueToSeal(const msg::SealRequest& request) const;

  KeyState& state_;
};

}  // namespace ntpward::keys
