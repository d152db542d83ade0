#include "ntpd/net/suspicion.h"

namespace ntpward::net {

std::optional<Bytes> Suspicion::Receive() {
  if (!accused_) return channel_->Receive();
  // Read all the same: a full pipe would be readable for ever.
  for (int i = 0; i < kMostAtOnce && channel_->Receive(); ++i) {
  }
  return std::nullopt;
}

bool Suspicion::Accuse(Bytes bytes) {
  const uint64_t dropped = link_->channel().dropped();
  link_->Accuse(role_, bytes);
  // An accusation that was lost is repeated with the next nonsense.
  accused_ = link_->channel().dropped() == dropped;
  return false;
}

void Suspicion::OnRestarted() {
  // Answers to what the successor was not asked: nothing is lost by throwing away too much.
  for (int i = 0; i < kMostAtOnce && channel_->Receive(); ++i) {
  }
  accused_ = false;
}

}  // namespace ntpward::net
