// The client's side of Autokey for one association: what to ask next, and what the answers prove.
//
// RFC 5906 section 9 and the order of ntpd 4.2.8: association, certificates up to a trusted one,
// identity, cookie, and once our clock is set, our certificate signed and leap values. Time and key
// operations are arguments and results; nothing here blocks or reads a clock. The answers come from
// anyone: the caller has matched origin and key identifier, and nothing more is assumed.
//
// No packet that carries a field is ever good for time; see proven() for those that do not.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ntpd/autokey/calendar.h"
#include "ntpd/autokey/certificate_cache.h"
#include "ntpd/autokey/host_state.h"
#include "ntpd/autokey/identity_policy.h"
#include "ntpd/autokey/outcome.h"
#include "ntpd/autokey/rationed_question.h"
#include "ntpd/autokey/trail.h"
#include "ntpd/wire/extension_field.h"
#include "privsep/msg/keys.h"

namespace ntpward::autokey {

// What a step may look at and change beside its own state.
struct DanceContext {
  const HostState& host;
  CertificateCache& certificates;
  MonoTime mono;
  NtpSeconds now;             // served time; means nothing while not synchronised
  bool synchronised = false;  // our own leap indicator is not 3
};

// Asked of the key process. The caller sets `request` and hands the answer back with the ticket;
// ForgetAssociation has no answer.
using ClientOperation = std::variant<msg::IdentityChallenge, msg::IdentityVerify, msg::CookieOpen,
                                     msg::ForgetAssociation>;
struct ClientJob {
  uint32_t ticket = 0;
  ClientOperation operation;
};

// Why the dance went back to ASSOC. The caller clears reachability and filter of the association.
enum class Restart : uint8_t {
  kNone,
  kProtocolError,  // the server answered "cannot" to a step that we need; refid CRYP
  kIdentity,       // identity refused or not proved; refid CRYP
  kCryptoNak,      // the server does not know our cookie any more; refid AUTH
  kFailures,       // one step failed kMaxFailures or kMaxMisfits times in a row; refid CRYP
  kRefresh,        // 2^19 s have passed; refid TIME
  kHost,           // our own keys were read again; refid INIT
  kPolicy,         // ntp.conf says something else of this server; refid INIT
};

// What a step has to say. Everything is for the caller to carry out; an empty result is common.
struct DanceResult {
  Outcome outcome = Outcome::kOk;
  Restart restart = Restart::kNone;
  std::vector<ClientJob> jobs;          // in this order
  std::vector<std::string> statistics;  // cryptostats lines, without day, second and address
  std::string event;                    // one line for the log; empty: none
  bool warn = false;                    // `event` is something to mend, not progress
  // A table came under the signature of a server that the operator chose.
  std::optional<LeapValues> leap;
  // The same of an expired one: of use for today's offset only, where nobody has a better one.
  std::optional<LeapValues> expired_leap;
};

// What the next packet to the server is to carry.
struct NextField {
  enum class Kind : uint8_t {
    kPlain,  // no field: seal the packet with this association's cookie
    kField,  // `field`, then a MAC with private value 0
    kWait,  // nothing can be sent before the key process has answered: send nothing, ask again soon
    kIdle,  // Autokey is off on this host: send nothing
  };
  Kind kind = Kind::kIdle;
  std::vector<uint8_t> field;  // whole extension field, a multiple of 4 octets
  DanceResult effects;
};

// The field that every dance begins with. `own` identifies our association.
std::vector<uint8_t> AssociationRequest(const HostState& host, AssocId own);

// How we stand to the other host. A peer (symmetric modes, see PeerDance) agrees with us on a
// cookie by halves, and gives us its half only when both have time.
enum class DanceRole : uint8_t { kClient, kPeer };

class ClientDance {
 public:
  // Wrong answers to one step, one after the other, before everything starts over: a forged ASSOC
  // or certificate must not lock the genuine server out for good.
  static constexpr int kMaxFailures = 8;
  // The same of answers whose signature does not fit the certificate that was shown, before the
  // server has proved itself: it has another key since, and will sign with no other. One may be a
  // forger's, or late; two cost no more than the one "cannot" that whoever forges them could send.
  static constexpr int kMaxMisfits = 2;
  // Answers "I have no such certificate", one after the other, before ASSOC is asked again: the
  // server may have another name now, and the name or the issuer that we have may be a forger's.
  // Nothing is lost by it, so that it is no restart. Four times as many of one without time, which
  // says so for as long as it takes, and eight times as many of a peer, which may take another
  // ASSOC for a new start.
  static constexpr int kMaxEmptyAnswers = 8;
  // Seconds until an answer of the key process is given up: a full pipe drops messages.
  static constexpr double kKeyAnswerSeconds = 16;
  // Seconds until everything is asked anew (as ntpd 4.2.8: 2^19).
  static constexpr double kRefreshSeconds = 524288;
  // Seconds from one LEAP to the next where the server's word said of no table, or of one that had
  // expired: nothing but the answer tells that its operator has installed one since. 4.5 h.
  static constexpr double kTableAgainSeconds = 16384;
  // Seconds for which a peer is asked for no certificate whose trail ended in our own name: it may
  // be signed by somebody else meanwhile.
  static constexpr double kOwnNameSeconds = 1024;

  // Of the last certificate that was signed for us, the part of its life after which another is
  // asked for; the last 30 days at most.
  static constexpr int kSignedEighths = 7;

  // `own` identifies our association in requests; not 0. Tickets count from `last_ticket`, within
  // its upper 8 bits.
  ClientDance(AssocId own, DancePolicy policy, MonoTime now, uint32_t last_ticket = 0,
              DanceRole role = DanceRole::kClient);

  // Call once for each poll, when the packet is built. kWait may be repeated as soon as an answer
  // of the key process was delivered.
  NextField NextRequest(const DanceContext& context);

  // The first extension field of a mode 4 packet whose origin and key identifier matched our last
  // request; from a peer, a field of a packet whose origin is one of our last packets. A field that
  // was not asked for changes nothing.
  DanceResult OnResponse(Bytes field, const DanceContext& context);

  // Answers of the key process. A ticket that is not outstanding changes nothing.
  DanceResult OnValueAnswer(uint32_t ticket, const msg::ValueAnswer& answer,
                            const DanceContext& context);
  DanceResult OnVerdict(uint32_t ticket, msg::VerdictCode code, const DanceContext& context);

  // A crypto-NAK whose origin and key identifier matched our last request: starts over, unless
  // nothing had begun. Unsolicited ones must not come here (CVE-2015-7871, CVE-2016-1547).
  DanceResult OnCryptoNak(const DanceContext& context);
  // A reply whose MAC did not check. Changes nothing: anyone can send one (CVE-2016-4955).
  DanceResult OnBadMac() const;
  // What ntp.conf says now. What was proved under the old is kept until Judge() is asked.
  void SetPolicy(const DancePolicy& policy) { policy_ = policy; }
  const DancePolicy& policy() const { return policy_; }
  // What our policy and our own key material, which were read again, say of what was proved under
  // the old.
  enum class Judgement : uint8_t { kAsBefore, kProveAgain, kStartOver };
  Judgement Judge(const DanceContext& context, bool key_changed) const;
  // The key process was restarted, or has no cookie where has_cookie() says one: cookie and
  // challenge are gone, what was proved is not. Answers that were outstanding will not come.
  void OnKeysRestarted();
  // Our certificate was renewed under the same key: the server is asked to sign the new one.
  void OnCertificateRenewed();
  // Our own key material (kHost) or ntp.conf (kPolicy) is another: starts over.
  DanceResult OnHostChanged(Restart why, const DanceContext& context);

  // --- peers only
  // The peer's own ASSOC request says what its answer would (as ntpd 4.2.8); void once it is known.
  DanceResult OnPeersAssociation(Bytes field, const DanceContext& context);
  // Identity and cookie are settled, as far as they can be by now: its key list comes next.
  bool WantsList(const DanceContext& context) const;
  // Is this the signature of the peer, whose identity was accepted? Then it is proven, too.
  Outcome CheckPeer(const wire::AutokeyField& field, const DanceContext& context,
                    DanceResult& result);
  // Its trail came back to us: it has been signed by this host, or by another of our name. Nobody
  // is believed by that, and there is nothing to ask for kOwnNameSeconds. What is empty of the rest
  // stays so.
  bool ends_in_us() const { return own_name_since_.has_value(); }
  // The key process is at something that the next request depends on.
  bool waits() const { return pending_.has_value(); }
  // It told a list that we follow: what went wrong before was not eight times in a row.
  void OnGoodList() { failures_ = 0; }
  // It did not answer AUTO with what it should.
  void OnWrongList(const DanceContext& context, DanceResult& result) {
    CountFailure(Wrong::kAnswer, context, result);
  }
  // What the packets in flight ask; none: nothing.
  std::optional<wire::AutokeyCode> asked() const { return asked_; }
  // --- renewal of what a peer proved (PeerRenewal)
  // A dance that has just been made goes on after ASSOC, with what the peer said of itself to
  // `running`.
  DanceResult BeginAfter(const ClientDance& running, const DanceContext& context);
  // Identity is settled, and any signature of the peer makes it proven.
  bool WantsSignature() const { return Lit(kTrusted | kVerified) && !Lit(kProven); }
  // What was proved to `renewed` takes the place of what was proved to this one; cookie, our signed
  // certificate and leap values stay; the last are asked for again.
  void TakeOver(const ClientDance& renewed);

  // The peer may have another half now; what we have goes on until it has come.
  void AskCookieAgain() { flags_ &= ~static_cast<uint32_t>(kCookie); }

  // Does this field bear the signature of the server, which has proved itself? kOk only then.
  Outcome CheckServer(const wire::AutokeyField& field, const DanceContext& context) const;

  // The word that `rv ASSID flags` shows; 0 before ASSOC.
  uint32_t flags() const { return flags_; }
  // A plain packet can be sealed: the key process holds this association's cookie.
  bool has_cookie() const { return (flags_ & kCookie) != 0; }
  // Trail, identity, signature and cookie are all there, so a packet without fields and with a good
  // MAC by the cookie comes from the server that proved itself.
  bool proven() const;
  // The same without the cookie: the server's identity was proved, and a signature by it.
  bool identified() const;
  // How far proving has got: 0 before ASSOC, counting up with each certificate and each step to
  // kProgressProven, which is identified(). Starting over begins at 0 again.
  static constexpr int kProgressProven = static_cast<int>(Trail::kMaxLength) + 4;
  int progress() const;
  // The next packets have something to ask, so polls close together are worth while.
  bool has_questions() const;
  // "IFF" and its like when the server proved the group's key, "TC" when the operator does without,
  // empty before either.
  std::string_view identity() const { return identity_; }
  // The group whose key was proved or demanded; empty before the trail ended.
  const std::string& group() const { return demand_.group; }
  // The server's Autokey name; empty before ASSOC. OpenSSL's number of its scheme is in flags().
  const std::string& server_name() const { return server_name_; }
  // Why the server was refused last; empty when it was not. Kept over restarts.
  const std::string& refusal() const { return refusal_; }
  AssocId association() const { return own_; }
  // When this dance began.
  MonoTime started() const { return started_; }
  // Whether that ticket was given out by this dance.
  bool Owns(uint32_t ticket) const { return ticket >> 24 == last_ticket_ >> 24; }
  // When the first certificate of the trail expires; none before the trail ended, and in scheme PC.
  std::optional<CalendarSeconds> trail_expiry() const;
  // The latest time under the server's signature in this dance: its clock was there. 0: none yet.
  NtpSeconds newest_signed() const { return newest_signed_; }
  // As far as it was followed; empty in scheme PC.
  const Trail& trail() const { return trail_; }
  // When the cookie that has_cookie() speaks of came.
  MonoTime cookie_since() const { return cookie_since_; }

 private:
  // What the key process is at.
  struct Pending {
    uint32_t ticket = 0;
    msg::Type operation{};
    MonoTime since;
    NtpSeconds timestamp;  // of the field that caused it
    NtpSeconds filestamp;
  };

  // Requests: each fills `next`; false when there is nothing of its kind to ask now.
  void AskAssociation(const DanceContext& context, NextField& next);
  void AskCertificate(const DanceContext& context, NextField& next);
  void AskIdentity(const DanceContext& context, NextField& next);
  void AskCookie(const DanceContext& context, NextField& next);
  bool AskSign(const DanceContext& context, NextField& next);
  bool AskLeap(const DanceContext& context, NextField& next);
  void Ask(const wire::AutokeyField& field, NextField& next);

  // Answers to what was asked, well-formed.
  Outcome Consume(const wire::AutokeyField& field, const DanceContext& context,
                  DanceResult& result);
  Outcome OnAssociation(const wire::AutokeyField& field, const DanceContext& context,
                        DanceResult& result);
  Outcome CheckAssociation(std::string_view name, uint32_t word, const DanceContext& context,
                           DanceResult& result);
  void BeginPrivate(const DanceContext& context, DanceResult& result);
  Outcome OnCertificate(const wire::AutokeyField& field, const DanceContext& context,
                        DanceResult& result);
  Outcome OnIdentity(const wire::AutokeyField& field, const DanceContext& context,
                     DanceResult& result);
  Outcome OnCookie(const wire::AutokeyField& field, const DanceContext& context,
                   DanceResult& result);
  Outcome OnSign(const wire::AutokeyField& field, const DanceContext& context, DanceResult& result);
  Outcome OnLeap(const wire::AutokeyField& field, const DanceContext& context, DanceResult& result);
  // The checks that every answer but ASSOC passes, in the reference's order.
  Outcome CheckStamps(const wire::AutokeyField& field) const;
  Outcome VerifyField(const wire::AutokeyField& field, const DanceContext& context) const;
  Outcome CheckSigned(const wire::AutokeyField& field, const DanceContext& context,
                      DanceResult& result);

  Outcome CheckPeriod(const Certificate& certificate, NtpSeconds timestamp,
                      const DanceContext& context, DanceResult& result);
  bool ComesBackToUs(const Certificate& certificate, const DanceContext& context) const;
  void OnOwnName(const DanceContext& context, DanceResult& result);
  void EndTrail(const DanceContext& context, DanceResult& result);
  void AcceptIdentity(const DanceContext& context, DanceResult& result);
  void OnIdentityVerdict(msg::VerdictCode code, const DanceContext& context, DanceResult& result);
  void OnCookieVerdict(const Pending& done, msg::VerdictCode code, const DanceContext& context,
                       DanceResult& result);
  void OnServerError(const DanceContext& context, DanceResult& result);
  bool IsPeer() const { return role_ == DanceRole::kPeer; }
  CertificateSource Source() const {
    if (!policy_.chosen) return CertificateSource::kStranger;
    return demand_.demand == Demand::kProof ? CertificateSource::kProved
                                            : CertificateSource::kByTrail;
  }
  bool IsPrivate() const { return demand_.scheme == msg::IdentityScheme::kPc; }
  void Refuse(std::string reason, const DanceContext& context, DanceResult& result);
  void Warn(std::string text, DanceResult& result);
  void Distrust(std::string reason, DanceResult& result);
  void RequestChallenge(const DanceContext& context, DanceResult& result);
  void AddJob(ClientOperation operation, Pending pending, DanceResult& result);
  Outcome OnEmptyAnswer(DanceResult& result);
  // What was wrong: an answer, which a forger may have made, its signature, or a proof of identity
  // that the key of the server's own certificate had signed.
  enum class Wrong : uint8_t { kAnswer, kSignature, kProof };
  void CountFailure(Wrong what, const DanceContext& context, DanceResult& result);
  std::string WrongAnswer(Outcome outcome) const;
  void StartOver(Restart why, const DanceContext& context, DanceResult& result);
  bool WantsCertificateSigned(const DanceContext& context) const;
  bool WantsTable() const;
  bool TrailHasOurName(const Certificate& own) const;
  bool Lit(uint32_t bits) const { return (flags_ & bits) == bits; }

  const AssocId own_;
  DancePolicy policy_;
  const DanceRole role_;

  uint32_t flags_ = 0;
  std::string server_name_;
  bool server_was_unsynchronised_ = false;  // at ASSOC: its word did not tell about leap values yet
  Trail trail_;
  IdentityDemand demand_;
  std::string_view identity_;
  std::optional<msg::ValueAnswer> challenge_;
  NtpSeconds cookie_timestamp_;  // of the last accepted cookie; 0 before
  NtpSeconds cookie_filestamp_;
  MonoTime cookie_since_;
  NtpSeconds newest_signed_;

  std::optional<wire::AutokeyCode> asked_;  // what the packet in flight asks; empty: nothing
  std::optional<Pending> pending_;          // what the key process is at
  uint32_t last_ticket_;
  int failures_ = 0;
  bool only_proofs_failed_ = false;  // all `failures_` were wrong proofs
  int misfits_ = 0;                  // signatures in a row that did not fit
  int empty_answers_ = 0;
  uint32_t polls_ = 0;
  RationedQuestion sign_question_;  // counted in polls_
  RationedQuestion leap_question_;
  // It was proved anew: what it said of leap seconds, or that it could say nothing, may be old.
  bool leap_again_ = false;
  std::optional<CalendarSeconds>
      leap_expiry_;                 // of the last table that it told; none: no table yet
  NtpSeconds leap_timestamp_;       // of the last table that was taken; 0: none was
  MonoTime leap_asked_;             // the last LEAP; before it, when everything began
  CalendarSeconds sign_again_ = 0;  // kSigned: when the certificate that we were given gets old
  MonoTime started_;
  std::optional<MonoTime> own_name_since_;  // ends_in_us()
  bool goes_after_ = false;                 // BeginAfter: nobody has told the scheme in force
  std::string refusal_;
  // Whose certificate, for want of which it was refused, may yet come; empty: the server's own.
  std::optional<std::string> wanting_;
  std::string warned_;  // the last warning: said once, not at each poll
};

}  // namespace ntpward::autokey
