// A peer's proofs, asked for anew while its running dance goes on giving time.
//
// For the same reasons and at the same times as RenewingDance does it for servers. It begins after
// ASSOC, which would send ntpd 4.2.8 back to the start, by what the peer has said of itself: trail,
// identity, and its list once more for a signature. Cookie and lists are those of the running
// dance and go on. Whatever a renewal meets on its way, forged or not, costs that nothing.
#pragma once

#include <memory>

#include "ntpd/autokey/client_dance.h"
#include "ntpd/wire/extension_field.h"

namespace ntpward::autokey {

class PeerRenewal {
 public:
  // Turns that a renewal may take, one at every other poll; the longest trail needs 11.
  static constexpr int kMaxTurns = 24;
  // Where polls are seldom, as many of them before the end of the running dance it is tried.
  static constexpr int kEarlyPolls = 2;

  PeerRenewal(AssocId own, DancePolicy policy, MonoTime now);

  // What of the running dance has a part in when a renewal begins, and in how many turns it takes.
  struct Pace {
    bool follows = false;  // it has cookie and list
    double interval = 0;   // s, from one of our packets to the next
  };
  // To be asked when the next packet has room for a request: true when that is NextRequest().
  // Begins a renewal when `running`, the dance that it is for, wants one.
  bool TakeTurn(const ClientDance& running, const Pace& pace, const DanceContext& context);
  // kField, or kPlain when there is nothing to ask before the key process has answered.
  NextField NextRequest(const DanceContext& context);

  // Is this the answer to a request of ours? Then OnResponse takes it; both as ClientDance has
  // them.
  bool Asked(const wire::AutokeyFieldHead& response) const;
  DanceResult OnResponse(Bytes field, const DanceContext& context);
  bool Owns(uint32_t ticket) const { return dance_ != nullptr && dance_->Owns(ticket); }
  DanceResult OnValueAnswer(uint32_t ticket, const msg::ValueAnswer& answer,
                            const DanceContext& context);
  DanceResult OnVerdict(uint32_t ticket, msg::VerdictCode code, const DanceContext& context);
  void OnKeysRestarted();

  // Does this announcement of the peer's list bear its signature, by what was proved anew? When it
  // does (kOk), the renewal is complete and `running` has its proofs.
  Outcome CheckPeer(const wire::AutokeyField& field, const DanceContext& context,
                    DanceResult& result, ClientDance* running);

  // What ntp.conf says now, for the next one.
  void SetPolicy(const DancePolicy& policy) { policy_ = policy; }
  // A renewal is wanted from `not_before` on, until one succeeds: we ask for another proof.
  void Want(MonoTime not_before);
  // The peer signs with another key than it proved, which is `key` where that is known: trail and
  // identity are asked for at once, or 64 s after the last renewal began, and again after 4.5 h.
  void NoteOtherKey(const PublicKey* key);
  // Our own key material was read again. What that interrupts has not failed, and may begin again.
  void Interrupt(MonoTime now);
  // The running dance starts over, which does what was wanted.
  void Forget();
  bool active() const { return dance_ != nullptr; }

 private:
  bool IsDue(const ClientDance& running, const Pace& pace, const DanceContext& context) const;
  void Begin(const ClientDance& running, const DanceContext& context);
  void End();
  DanceResult Settle(DanceResult result);

  const AssocId own_;
  DancePolicy policy_;
  uint32_t generation_ = 0;
  std::unique_ptr<ClientDance> dance_;  // the renewing one; null: none is at work
  bool turn_ = false;
  int turns_ = 0;
  bool wanted_ = false;            // until one succeeds
  bool other_key_ = false;         // ... by the peer's signatures
  MonoTime not_before_;            // of the next one
  std::optional<MonoTime> begun_;  // the last one
};

}  // namespace ntpward::autokey
