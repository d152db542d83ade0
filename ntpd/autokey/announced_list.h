// The other host's key list: asked for or pushed, and believed under its signature alone.
//
// RFC 5906 section 11.4 and ntpd 4.2.8. Which of its keys were used is known to the key process;
// here is what was announced. Anyone can send a field, so whatever fails changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ntpd/autokey/outcome.h"
#include "ntpd/wire/extension_field.h"
#include "privsep/base/address.h"
#include "privsep/base/token_bucket.h"
#include "privsep/msg/key_list.h"
#include "privsep/msg/keys.h"

namespace ntpward::autokey {

class AnnouncedList {
 public:
  // `path`: from the other host to us, or to the group or broadcast address that it sends to.
  AnnouncedList(AssocId own, msg::KeyListUse use, const AddressPair& path)
      : own_(own), use_(use), path_(path) {}

  // What checks the other host's signature: ClientDance::CheckServer, for one that proved itself.
  using Check = std::function<Outcome(const wire::AutokeyField&)>;
  // The dance that the other host has proved itself by.
  struct Proof {
    MonoTime begun;
    // The latest time that it signed in it, if the announcement is the answer to a question of
    // ours; 0: it is not, or nothing.
    NtpSeconds newest;
  };
  struct Result {
    Outcome outcome = Outcome::kOk;
    std::optional<msg::KeyListAccept> accept;  // for the key process, then OnVerdict
    std::string statistics;                    // a cryptostats line; or empty
    bool older = false;                        // refused, as it is dated before one that we had
  };
  // An AUTO response, whole field; `association` is the identifier that it must carry. One that is
  // dated before the last one is refused, as it may be a replay, unless the other host has proved
  // itself anew since then and by its own word its clock is behind that date now: then it was ahead
  // and has been set right. None for `proof`: dates are kept for as long as this object is.
  Result OnAnnouncement(Bytes field, uint32_t association, const Check& check,
                        const std::optional<Proof>& proof = {});
  // May an announcement that nobody asked for be looked at? A server makes a list in minutes, and
  // anyone can make us check a signature.
  bool TakeUnasked(MonoTime now) { return unasked_.Take(now); }
  // What the key process said to `accept`.
  void OnVerdict(msg::VerdictCode code);
  // The key process has it no more.
  void Void() { accepted_ = awaited_ = false; }
  // ... and the other host has to prove itself before another is believed.
  void Forget() { accepted_ = awaited_ = followed_ = false; }

  // `key` was good under the list whose announcement said `list`.
  void OnGoodKey(KeyId list, KeyId key) {
    if (list == key_) last_good_ = key;
  }
  // The list goes on in a new key process behind the key that was good last, so that none is good
  // twice. None: there is no list.
  std::optional<msg::KeyListAccept> Resume();

  // Keys of the list are followed: AUTO is lit.
  bool accepted() const { return accepted_; }
  // The same, or will be when the key process has answered.
  bool known() const { return accepted_ || awaited_; }
  // Some list was accepted since the other host proved itself.
  bool followed() const { return followed_; }
  const AddressPair& path() const { return path_; }
  // For variables: the announcement that was accepted last.
  KeyId key() const { return key_; }
  uint8_t sequence() const { return sequence_; }
  NtpSeconds timestamp() const { return timestamp_; }

 private:
  bool WasAhead(const Proof& proof) const;
  msg::KeyListAccept Acceptance() const;

  AssocId own_;
  msg::KeyListUse use_;
  AddressPair path_;
  TokenBucket unasked_{1, 8};
  bool accepted_ = false;
  bool awaited_ = false;  // the key process has yet to answer
  bool followed_ = false;
  KeyId key_;
  uint8_t sequence_ = 0;
  KeyId from_;       // behind which key the key process follows it: the announced one, or Resume's
  KeyId last_good_;  // 0: none of this list
  NtpSeconds timestamp_;  // of the last announcement; an earlier one is a replay
  NtpSeconds filestamp_;
  MonoTime proof_;  // when the dance began that the last announcement was believed by
};

// An AUTO request that carries this identifier, 8 octets.
std::vector<uint8_t> AnnouncementRequest(uint32_t association);

}  // namespace ntpward::autokey
