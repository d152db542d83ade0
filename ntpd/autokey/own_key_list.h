// Our own key list for one association: when a new one is due, and how it is announced.
//
// RFC 5906 section 11.4 and ntpd 4.2.8. The identifiers themselves are in the key process, which
// gives out one for each packet; here is what everybody may know. Time is an argument.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "privsep/base/address.h"
#include "privsep/base/types.h"
#include "privsep/msg/key_list.h"
#include "privsep/msg/keys.h"

namespace ntpward::autokey {

class OwnKeyList {
 public:
  // Broadcasts that tell a list whose signature is another, and the seconds that listeners have to
  // prove the new key meanwhile.
  static constexpr uint8_t kTellings = 3;
  static constexpr double kNoticeSeconds = 192;

  // `automax`: log2 s, the longest life of a list.
  OwnKeyList(AssocId own, msg::KeyListUse use, uint8_t automax);

  // Identifiers that are still to be used.
  uint8_t left() const { return left_; }
  // s from one poll to the next, when the present list was drawn.
  double interval() const;
  // How many were too old to be used when another list was due, since the last call.
  uint64_t TakeExpired() { return std::exchange(expired_, 0); }

  // The list to draw before the next packet; none when the one that we have will do. Due when there
  // is none, it is used up, it is too old, or path or poll (log2 s) are others. `now` is the served
  // time, 0 while not synchronised: then a list has one identifier and no signature. The caller
  // fills in `request`.
  std::optional<msg::KeyListMake> Due(const AddressPair& path, int poll, NtpSeconds now,
                                      MonoTime mono);
  // The answer. False: there is no list; ask Due() again at the next poll.
  bool OnMade(const msg::ValueAnswer& answer);

  // What we sign with was replaced, and others believe the one before until they have proved this
  // one. A peer's lists go on under that until SignByOurs(). Those of broadcasts, which newcomers
  // hear as well, do not: the present one is signed and told anew, so that listeners hear of the
  // other key while their keys still come in order. When it is too short for that, one that is
  // long enough comes first, under the signature that they know.
  void OnSignerReplaced();
  // The same, but nothing can be signed by the one before: a new list comes next.
  void OnSignerLost();
  // The key that who hears the lists goes by, as KeyListMake has it.
  uint8_t elder() const { return elder_; }
  // Who hears the lists has seen what we sign with now.
  void SignByOurs() { elder_ = 0; }
  // An identifier was given out, and so many are left.
  void OnTaken(uint8_t left) { left_ = left; }
  // The key process has it no more, or the cookie that it was hashed with has changed.
  void Void();

  // The list has not been announced yet, or is to be told again, and its announcement is signed.
  bool MustAnnounce() const { return (!announced_ || tellings_ > 0) && CanAnnounce(); }
  void OnAnnounced();
  bool CanAnnounce() const { return made_ && answer_.timestamp.value != 0; }
  // An AUTO response for this association identifier; CanAnnounce() holds.
  std::vector<uint8_t> Announcement(uint32_t association) const;

 private:
  bool IsShort() const;
  bool OnSignedAgain(const msg::ValueAnswer& answer);

  AssocId own_;
  msg::KeyListUse use_;
  uint8_t automax_;
  msg::ValueAnswer answer_;  // of the present list
  bool made_ = false;
  bool announced_ = false;
  uint8_t tellings_ = 0;  // that are still due
  // Whose signature is wanted (KeyListMake::elder), and whose the present list has.
  uint8_t elder_ = 0;
  uint8_t signed_by_ = 0;
  uint8_t asked_elder_ = 0;
  bool asked_again_ = false;
  bool bridge_ = false;  // the list that listeners get for want of a long one
  double life_ = 0;      // s, of the present list
  uint8_t left_ = 0;
  uint64_t expired_ = 0;
  AddressPair path_;
  int poll_ = 0;
  bool was_signed_ = false;
  MonoTime since_;
};

}  // namespace ntpward::autokey
