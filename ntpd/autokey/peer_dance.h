// Autokey between peers: each asks the other as a client asks its server, answers it as a server
// does, and both go by key lists.
//
// RFC 5906 section 11 and ntpd 4.2.8. A packet carries an answer or our list, then a request.
// Nothing is answered but by our own packets, so that a forger gets nothing sent to anybody.
// Whoever can send to us can put a field before this code: requests change nothing of what is
// proved, and answers count only in a packet whose origin is one of ours (`answers_us`).
//
// What a packet's key says of its sender, and the cookie that peers agree on, is in keys/key_list.h
// and privsep/msg/keys.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "ntpd/autokey/announced_list.h"
#include "ntpd/autokey/client_dance.h"
#include "ntpd/autokey/own_key_list.h"
#include "ntpd/autokey/peer_renewal.h"
#include "ntpd/autokey/renewing_dance.h"
#include "ntpd/autokey/server_side.h"
#include "privsep/base/token_bucket.h"

namespace ntpward::autokey {

// What the first answer to a stranger carries instead of an association's own fields. A request
// that asks for nothing, of no association; peers of the reference's kind say "cannot".
inline constexpr wire::AutokeyFieldHead kFirstAnswerField{};

// The fields of our next packet; none: a bare header, sealed by the key process.
struct PeerPacket {
  bool send = false;            // false: Autokey is off on this host
  std::vector<uint8_t> fields;  // whole extension fields, at most wire::kMaxExtensionArea octets
  DanceResult effects;
};

// What a packet of the peer leads to; all of it is for the caller to carry out.
struct PeerResult {
  // Asked of the key process for an answer to the peer; then PeerDance::OnValue with the ticket.
  struct Question {
    uint32_t ticket = 0;
    ServerOperation operation;
  };
  DanceResult dance;
  std::optional<Question> question;
  std::optional<msg::KeyListAccept> accept;  // then PeerDance::OnListVerdict
};

class PeerDance {
 public:
  // Bad MACs in answers to us, one after the other, that are answered with a crypto-NAK: the peer
  // has another cookie than we, and only starting over mends that.
  static constexpr int kMostBadMacs = 3;
  // Packets out of the list's order until the peer is asked for its list again.
  static constexpr int kMostOutOfOrder = 2;
  // Polls between two questions for the other half of the cookie that the peer brings about.
  static constexpr uint32_t kPollsBetweenCookies = 8;
  // Polls that may be hastened at once, and the seconds after which one of them is granted again: a
  // peer that has no time, or a forger, must not keep us at it.
  static constexpr double kMostHaste = 24;
  static constexpr double kHasteSeconds = 64;
  // Fields that are looked at, a second and at once: of those that answer us, and of all others,
  // which must not use up what the peer needs. A field may cost a signature to check or a question
  // to the key process, and a packet has room for many.
  static constexpr double kFieldRate = 2, kAnsweringBurst = 32, kOthersBurst = 16;

  // `to_peer`: from our address to the peer's. `automax`: log2 s, the longest life of our lists.
  PeerDance(AssocId own, DancePolicy policy, uint8_t automax, const AddressPair& to_peer,
            MonoTime now);

  // --- what we send

  // The keys that we send by.
  const OwnKeyList& own_list() const { return own_list_; }
  // As OwnKeyList::TakeExpired().
  uint64_t TakeExpiredKeys() { return own_list_.TakeExpired(); }
  // The list to draw before the next packet, or none; `poll` is log2 s. The caller sets `request`.
  std::optional<msg::KeyListMake> DueList(int poll, const DanceContext& context);
  // False: there is no list; nothing can be sent at this poll.
  bool OnListMade(const msg::ValueAnswer& answer) { return own_list_.OnMade(answer); }
  // A key for the next packet was disclosed, and so many are left.
  void OnKeyTaken(uint8_t left) { own_list_.OnTaken(left); }
  // There is none: the key process has lost the list.
  void OnNoKey() { own_list_.Void(); }
  // Call for each packet, when its key is there.
  PeerPacket NextPacket(const DanceContext& context);
  // The next packet should be a crypto-NAK in place of all that; says so once.
  bool TakeNak();
  // There is something to say that should not wait for the next poll, and the key process is done
  // with it; takes one of kMostHaste.
  bool TakeHaste(const DanceContext& context);

  // --- what we get

  // An extension field of a packet whose MAC, by private value 0, was right.
  PeerResult OnField(Bytes field, bool answers_us, const DanceContext& context);
  // The key process's answer to a question. Another ticket changes nothing.
  DanceResult OnValue(uint32_t ticket, const msg::ValueAnswer& answer);
  void OnListVerdict(msg::VerdictCode code);
  // The peer's list is known: the key process can tell whether a packet's key comes next.
  bool follows_list() const { return announced_.accepted() && dance_.identified(); }
  const AddressPair& from_peer() const { return announced_.path(); }
  // The packet whose fields OnField got last asks what a beginner asks, as far as those tell; says
  // so once. To be kept for OnPacketVerdict.
  bool TakeBeginsAnew() { return std::exchange(begins_anew_, false); }
  // What the key process said of a packet's MAC and key. Only kGood is good for time.
  DanceResult OnPacketVerdict(msg::VerdictCode code, bool answers_us, bool bare,
                              bool begins_anew = false);
  // A crypto-NAK in answer to our last packet.
  DanceResult OnCryptoNak(const DanceContext& context);

  // --- the key process, as ClientDance has it

  DanceResult OnValueAnswer(uint32_t ticket, const msg::ValueAnswer& answer,
                            const DanceContext& context);
  DanceResult OnVerdict(uint32_t ticket, msg::VerdictCode code, const DanceContext& context);
  void OnKeysRestarted();
  // Both as RenewingDance has them, but for another key of scheme PC, which starts over; `chosen`
  // of the policy stays what it was.
  DanceResult OnPolicy(const DancePolicy& policy, const DanceContext& context);
  DanceResult OnHostMaterial(const HostChange& change, const DanceContext& context);

  // The word that `rv ASSID flags` shows.
  uint32_t flags() const;
  bool identified() const { return dance_.identified(); }
  // When it first asked, in answer to us, what only those ask who have accepted our certificate:
  // it follows us, or may. No proof of anything to us, and kept whoever starts over.
  std::optional<MonoTime> follower_since() const { return follower_since_; }
  const ClientDance& dance() const { return dance_; }
  // What it proved is being proved anew.
  bool renewing() const { return renewal_.active(); }
  const AnnouncedList& announced() const { return announced_; }

 private:
  PeerResult OnRequest(const wire::AutokeyFieldHead& head, Bytes field, bool answers_us,
                       const DanceContext& context);
  void OnAssociationRequest(Bytes field, bool answers_us, const DanceContext& context,
                            PeerResult& result);
  void NoteRequest(const wire::AutokeyFieldHead& head, Bytes field, const DanceContext& context,
                   DanceResult& result);
  void NoteCookieRequest(const wire::AutokeyFieldHead& head);
  void ForgetCookie(DanceResult& result);
  PeerResult OnAnnouncement(const wire::AutokeyFieldHead& head, Bytes field, bool answers_us,
                            const DanceContext& context);
  Outcome CheckList(const wire::AutokeyField& field, bool answers_us, const DanceContext& context,
                    DanceResult& result);
  void NoteSignature(Outcome outcome);
  void NoteCertificate(Bytes field);
  void NoteWhoItKnows(const wire::AutokeyFieldHead& head, bool asks_for_ours);
  void TakeReply(const ServerAnswer& reply, PeerResult& result);
  bool MustAnnounce(const DanceContext& context) const;
  void AddAnswer(std::vector<uint8_t>* announcement, PeerPacket& packet);
  std::vector<uint8_t> NextRequest(const DanceContext& context, DanceResult& effects);
  void AddFiller(const DanceContext& context, PeerPacket& packet);
  static void Add(const std::vector<uint8_t>& field, PeerPacket& packet);
  static bool Fits(const PeerPacket& packet, size_t more);
  bool IsOver(const DanceContext& context) const;
  bool HasQuestions(const DanceContext& context) const;
  bool HasAnswer() const { return !answer_.empty() || list_asked_; }
  DanceResult Settle(DanceResult result);
  // `why`: of a start over.
  DanceResult JudgeAnew(Restart why, const HostChange& change, const DanceContext& context);
  void OnCookie();
  void Forget();

  const AssocId own_;
  const AddressPair to_peer_;
  const bool stranger_;  // a packet made the association
  ClientDance dance_;
  PeerRenewal renewal_;
  ServerSide side_;
  OwnKeyList own_list_;
  AnnouncedList announced_;

  uint32_t peer_id_ = 0;   // the peer's own identifier of its association
  bool knows_us_ = false;  // it asked for what only those ask who have our certificate
  std::optional<MonoTime> follower_since_;
  bool shown_ = false;        // it asked for our certificate since that is for another key
  bool starts_over_ = false;  // ... and who we are
  // The cookie's halves: ours was given; something came since from somebody who has seen that.
  bool told_ = false;
  bool heard_since_told_ = false;
  // ASSOC was asked, by whomever, since a key of its list was good.
  bool asked_who_ = false;
  bool begins_anew_ = false;  // the packet at hand, unless its key is good
  uint32_t polls_ = 0;
  std::optional<uint32_t> asked_again_;  // for the cookie, in polls

  // What the next packet answers. One request at a time, as ntpd 4.2.8.
  std::vector<uint8_t> answer_;
  bool waited_ = false;  // the answer, for a packet with more room
  bool list_asked_ = false;
  struct Pending {
    uint32_t ticket = 0;
    bool cookie = false;
    PendingReply reply;
    MonoTime since;
  };
  std::optional<Pending> pending_;
  uint32_t last_ticket_ = 0;

  TokenBucket answering_{kFieldRate, kAnsweringBurst};
  TokenBucket others_{kFieldRate, kOthersBurst};
  int bad_macs_ = 0;
  int out_of_order_ = 0;
  double haste_ = kMostHaste;
  MonoTime haste_at_;
};

}  // namespace ntpward::autokey
