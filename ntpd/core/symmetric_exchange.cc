#include "ntpd/core/symmetric_exchange.h"

#include <algorithm>

namespace ntpward::core {

void SymmetricExchange::Fill(wire::Header* header) const {
  header->origin = peer_transmit_;
  header->receive = arrival_;
}

void SymmetricExchange::FillHeard(wire::Header* header) const {
  header->origin = heard_transmit_;
  header->receive = heard_arrival_;
}

void SymmetricExchange::Hear(const wire::Header& packet, NtpTimestamp t4) {
  if (IsOurs(packet.origin)) return Hold(packet.transmit, t4);
  if (held_ > 0) return;
  // Each of those heard since our last packet is as likely as the others: neither the first nor
  // the last word is a forger's to take.
  if (random_.Next() % ++strangers_ != 0) return;
  heard_transmit_ = packet.transmit;
  heard_arrival_ = t4;
}

void SymmetricExchange::Hold(NtpTimestamp transmit, NtpTimestamp t4) {
  heard_transmit_ = transmit;
  heard_arrival_ = t4;
  held_ = kRemembered;
}

void SymmetricExchange::OnSent(NtpTimestamp transmit) {
  std::copy_backward(sent_.begin(), sent_.end() - 1, sent_.end());
  sent_[0] = transmit;
  answered_ = false;
  if (held_ > 0) --held_;
  strangers_ = 0;
}

bool SymmetricExchange::IsOurs(NtpTimestamp origin) const {
  return !origin.is_zero() && std::find(sent_.begin(), sent_.end(), origin) != sent_.end();
}

bool SymmetricExchange::Answers(const wire::Header& packet) const {
  return !sent_[0].is_zero() && packet.origin == sent_[0];
}

Result<void, Reject> SymmetricExchange::Screen(const wire::Header& packet, bool keyed,
                                               bool reachable) const {
  if (packet.mode != wire::Mode::kSymmetricActive && packet.mode != wire::Mode::kSymmetricPassive)
    return Fail(Reject::kBadMode);
  if (packet.transmit.is_zero()) return Fail(Reject::kBadTimestamp);
  if (packet.transmit == peer_transmit_) return Fail(Reject::kDuplicate);
  // Anyone can send the rest; it must not disturb two peers that hear each other (CVE-2018-7185).
  if (keyed || !in_touch(reachable) || IsOurs(packet.origin)) return {};
  return Fail(packet.origin.is_zero() ? Reject::kZeroOrigin : Reject::kBogusOrigin);
}

Result<NtpTimestamp, Reject> SymmetricExchange::Accept(const wire::Header& packet, NtpTimestamp t4,
                                                       bool reachable) {
  const bool answers = Answers(packet);
  const bool ours = IsOurs(packet.origin);
  const bool newer = (packet.transmit - peer_transmit_).raw() > 0;
  // The first answer to our last packet is fresh whatever its sender's clock did meanwhile. All
  // else could be a replay, which must not undo what came after it.
  if (!peer_transmit_.is_zero() && !newer && reachable && (!answers || answered_))
    return Fail(Reject::kDuplicate);
  peer_transmit_ = packet.transmit;
  arrival_ = t4;
  Hold(packet.transmit, t4);
  answered_ = answers;
  in_touch_ |= ours;
  if (!answers) return Fail(Reject::kOutOfStep);
  return sent_[0];
}

}  // namespace ntpward::core
