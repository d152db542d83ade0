// Answers mode 6: what ntpq and monitoring tools ask of the daemon.
//
// The datagram comes from anyone whom the access rules let ask; the shell has applied those
// (`noquery`, `ignore`) and has refused what claims to come from an address of its own. A stranger
// may not be who he says: until he has proved his address, what he gets is no longer than what he
// sent (CVE-2013-5211). What would change something is refused, or is for the key process to judge
// first. Rules and texts are those of ntpd 4.2.8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntpd/control/configure.h"
#include "ntpd/control/nonce.h"
#include "ntpd/control/proven_addresses.h"
#include "ntpd/control/rate_limiter.h"
#include "ntpd/control/stranger_notice.h"
#include "ntpd/control/view.h"
#include "ntpd/wire/control_message.h"
#include "privsep/base/address.h"
#include "privsep/base/bytes.h"
#include "privsep/base/types.h"

namespace ntpward::control {

// What to do with a datagram.
enum class Admission : uint8_t {
  kDrop,      // in silence
  kAnswer,    // call Respond with MacVerdict::kNone
  kCheckMac,  // have the MAC checked, then call Respond with the verdict
  kOnlyGood,  // the same, but call CountLimited instead unless the MAC is good
};

// What the key process said of a request's MAC.
enum class MacVerdict : uint8_t {
  kNone,        // there is none
  kGood,        // made with a trusted key; perhaps long ago, and sent again by who saw it
  kBad,         // the key is trusted, the digest wrong
  kUnknownKey,  // no such key, or not trusted for this source
};

// Who sent a request, and what the access rules say to it.
struct Requester {
  SocketAddress address;
  // Not a stranger: on this host, or in a network that the operator opened by a line of its own.
  bool is_known = false;
  bool may_list_clients = true;  // no `nomrulist`
  Rights rights = Rights::kModify;
  KeyId control_key;  // whoever has it is an operator
  // Who has the control key gets lists, hears of the processes and clears event counts without a
  // nonce under his MAC: he is on this host, or the operator cares for no nonces (`controlnonce
  // never`).
  bool nonce_waived = false;
};

// A request that was admitted. `requester` outlives it.
struct Asked {
  Bytes datagram;
  const Requester& requester;
  KeyId key;  // that it names; its sender has it, if the MAC is good
  MonoTime now;
};

// Whether what a text is about has happened.
enum class Told : uint8_t {
  kNotDone,  // the error goes to whoever may not have so long a text
  kDone,     // a success without text does: its sender must not believe it undone
};

// What the key process has to be asked before there is an answer.
enum class Inquiry : uint8_t {
  kNone,
  kNonce,    // for a nonce; then call AnswerWithNonce
  kCommand,  // whether the request may, or to do what it says; then call AnswerToCommand, or do it
             // and call AnswerWithText; unless there is a `refusal`
};

// The datagrams to send to the requester, in order.
struct Answer {
  std::vector<std::vector<uint8_t>> datagrams;  // each at most 484 octets, without MAC
  std::optional<KeyId> seal;         // set: append key identifier and digest of this key to each
  Inquiry inquiry = Inquiry::kNone;  // else there are no datagrams yet
  // With kCommand, for once the key process has said that the request is no replay: why it is not
  // done, for AnswerWithText; may be empty.
  std::string refusal;
  std::string log;  // a line for the operator, with kCommand on the same condition; may be empty
};

class Responder {
 public:
  // `seed`: see RateLimiter; `nonce_key`: see NonceMaker.
  Responder(uint64_t seed, const SipKey& nonce_key)
      : limiter_(seed), nonces_(nonce_key), proven_({seed, nonce_key[0]}) {}

  // First look at a datagram of mode 6 or 7. Cheap; counts it, and bounds what one source may
  // ask.
  Admission Admit(Bytes datagram, const Requester& requester, MonoTime now);

  // A datagram was admitted for its MAC alone, which is not good: it is dropped.
  void CountLimited() { ++counters_.rate_limited; }

  // The answer to a datagram that was admitted; empty when it deserves none after all. `key` is the
  // one that the request names and matters only for kGood. A good MAC clears the event count of
  // what was read, if its sender needs no nonce (Requester::nonce_waived) or shows one.
  Answer Respond(Bytes datagram, const Requester& requester, MacVerdict verdict, KeyId key,
                 StateView& state, MonoTime now);
  // The answer to a request that Respond() had to inquire about.
  Answer AnswerWithNonce(const Asked& asked, Bytes nonce, StateView& state);
  Answer AnswerToCommand(const Asked& asked, const CommandVerdict& verdict, StateView& state);
  // Does what an authorised WRITEVAR says, all of it or nothing.
  Answer AnswerToWrite(const Asked& asked, StateView& state);
  // What became of a request that the key process authorised: `text` is for its sender to read.
  Answer AnswerWithText(const Asked& asked, std::string_view text, Told told, StateView& state);

  // The key process found the nonce that such a request may have good: so its sender reads what is
  // sent to his address. Of a request without one this says nothing.
  void NoteProof(const Asked& asked);

  // Without the time since their reset.
  const ControlCounters& counters() const { return counters_; }
  // They count from `now` on.
  void ResetCounters(MonoTime now) { counters_ = {}, counting_since_ = now; }

 private:
  // Whether the request shows a nonce that was made for its sender's address.
  bool ShowsNonce(const wire::ControlRequest& request, const Requester& requester,
                  MacVerdict verdict, KeyId key, MonoTime now) const;
  // Whether what goes to that address is read by who asked, or by whom the operator believes.
  bool Believes(const Requester& requester, MonoTime now) const;
  // Whether so much may go to that address.
  bool MayHave(const Answer& answer, const Asked& asked) const;
  // The error instead, which is no longer than any request.
  Answer TooLong(const Asked& asked, MacVerdict verdict, const StateView& state);
  Answer Save(const wire::ControlRequest& request, const Requester& requester, KeyId key,
              StateView& state);
  Answer Text(const Asked& asked, const wire::ControlHeader& request, std::string_view text,
              Told told, StateView& state);
  void Prove(const IpAddress& address, MonoTime now);
  Answer Refusal(const wire::ControlHeader& request, wire::ControlError error, MacVerdict verdict,
                 KeyId key, StateView& state);

  RateLimiter limiter_;
  NonceMaker nonces_;
  ProvenAddresses proven_;
  StrangerNotice strangers_;
  ControlCounters counters_;
  MonoTime counting_since_;
  bool told_of_long_list_ = false;
};

}  // namespace ntpward::control
