// A client's dance that renews itself while it goes on giving time.
//
// What was proved to us does not last for ever: proofs are asked for anew before 2^19 s are over,
// and earlier when the operator installed another group key, when the server signs with another key
// than its certificate said, and when a certificate of its trail is about to expire. All of that
// goes by a second dance at every other poll, while the first keeps its cookie; only when the
// second has proved everything does it take the first one's place. What the second meets on its
// way, forged or not, costs the first nothing: it ends by its own rules, at its own time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ntpd/autokey/client_dance.h"

namespace ntpward::autokey {

// What of our own key material became another.
struct HostChange {
  bool certificate = false;
  bool key = false;  // the host key or the key of the certificate
  // What we sign with, key or scheme, while ntpd-keys still has the one before (msg/heritage.h).
  bool signer = false;
  // The same, but nobody has that any more: it was the group's, of scheme PC.
  bool lost_signer = false;
};

class RenewingDance {
 public:
  // Seconds before the end of a dance (ClientDance::kRefreshSeconds) from which on its successor is
  // tried: 18 h.
  static constexpr double kRenewalSeconds = 65536;
  // Seconds from one try to the next.
  static constexpr double kRetrySeconds = 16384;
  // The same once the trail runs out before then: what we sign, and who asks us for the trail,
  // lives by the certificates that we hold, and those above us may have been renewed at the last
  // minute.
  static constexpr double kLateRetrySeconds = 1024;
  // The same while signatures do not fit in answers to our own questions (OnOtherKey).
  static constexpr double kOtherKeySeconds = 64;
  // Seconds between two of NextBeside, which takes the place of polls there.
  static constexpr double kBesideSeconds = 64;
  // Polls that a try may take; the longest trail needs 11.
  static constexpr int kMaxTurns = 16;
  // Seconds before a certificate of the trail expires from which on another is looked for.
  static constexpr CalendarSeconds kExpirySeconds = 86400;

  // Which of the two, for what `running` proved.
  static double RetrySeconds(const ClientDance& running, const DanceContext& context);

  // As ClientDance.
  RenewingDance(AssocId own, DancePolicy policy, MonoTime now);

  // As ClientDance has them; `restart` is never that of a mere successor.
  NextField NextRequest(const DanceContext& context);
  // The successor's next question alone, for one that is listened to and not polled; it needs no
  // cookie. None: nothing is to be renewed. The answer goes to OnResponse.
  std::optional<NextField> NextOfRenewal(const DanceContext& context);
  // The same of what a poll would ask otherwise: a cookie that a new ntpd-keys has not got, SIGN
  // and LEAP. At most once in kBesideSeconds. None: nothing is due.
  std::optional<NextField> NextBeside(const DanceContext& context);
  DanceResult OnResponse(Bytes field, const DanceContext& context);
  // What it signed in answer to a question of ours, elsewhere than in OnResponse, does not fit its
  // certificate, or is dated before what it signed earlier: a successor will tell.
  void OnOtherKey();
  DanceResult OnValueAnswer(uint32_t ticket, const msg::ValueAnswer& answer,
                            const DanceContext& context);
  DanceResult OnVerdict(uint32_t ticket, msg::VerdictCode code, const DanceContext& context);
  DanceResult OnCryptoNak(const DanceContext& context);
  DanceResult OnBadMac() const { return current_->OnBadMac(); }
  void OnKeysRestarted();

  // What ntp.conf says now. Another policy than before is as another key material of ours:
  // OnHostMaterial().
  DanceResult OnPolicy(const DancePolicy& policy, const DanceContext& context);
  // Our own key material was read again; `context` has it. What a server proved stays proved, its
  // cookie was lost with the key process and is asked for anew, and it is asked to sign again what
  // changed. Starts over only when our policy would now refuse this server, or when scheme PC
  // comes, goes or gets another group. Another key of scheme PC is proved beside, while the cookie
  // goes on: it may be here earlier than there.
  DanceResult OnHostMaterial(const HostChange& change, const DanceContext& context);

  Outcome CheckServer(const wire::AutokeyField& field, const DanceContext& context) const {
    return current_->CheckServer(field, context);
  }

  uint32_t flags() const { return current_->flags(); }
  bool has_cookie() const { return current_->has_cookie(); }
  bool proven() const { return current_->proven(); }
  bool identified() const { return current_->identified(); }
  int progress() const { return current_->progress(); }
  bool has_questions() const { return successor_ != nullptr || current_->has_questions(); }
  std::string_view identity() const { return current_->identity(); }
  const std::string& group() const { return current_->group(); }
  const std::string& server_name() const { return current_->server_name(); }
  const std::string& refusal() const { return current_->refusal(); }
  const Trail& trail() const { return current_->trail(); }
  MonoTime started() const { return current_->started(); }
  NtpSeconds newest_signed() const { return current_->newest_signed(); }
  MonoTime cookie_since() const { return current_->cookie_since(); }
  AssocId association() const { return current_->association(); }
  // A successor is at work.
  bool renewing() const { return successor_ != nullptr; }

 private:
  std::unique_ptr<ClientDance> Make(MonoTime now);
  bool RenewalIsDue(const DanceContext& context) const;
  void BeginRenewal(const DanceContext& context);
  void EndRenewal();
  NextField NextOfSuccessor(const DanceContext& context);
  void SettleSuccessor(DanceResult& result);
  DanceResult Settle(DanceResult result);
  // `why`: of a start over.
  DanceResult JudgeAnew(Restart why, const HostChange& change, const DanceContext& context);

  const AssocId own_;
  DancePolicy policy_;
  uint32_t generation_ = 0;
  std::unique_ptr<ClientDance> current_;
  std::unique_ptr<ClientDance> successor_;
  bool successors_turn_ = false;    // the packet in flight is the successor's
  bool waiting_ = false;            // ... and could not be made yet
  int turns_ = 0;                   // that this successor had
  bool wanted_ = false;             // renewal, until one succeeds
  bool other_key_ = false;          // ... because the server's signatures do not fit any more
  MonoTime not_before_;             // of the next try
  std::optional<MonoTime> begun_;   // the last try
  std::optional<MonoTime> beside_;  // the last of NextBeside
};

}  // namespace ntpward::autokey
