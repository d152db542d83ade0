// net <-> keys: key lists, ours and those that other hosts announce (RFC 5906 section 11.4).
//
// A list is a chain of key identifiers, each the hash of the one before it, used from the last to
// the first: whoever has seen all that were used cannot name the next. Packets of symmetric and
// broadcast modes carry them.
//
// Ours are drawn in keys and disclosed one at a time, so that net never holds what is not to be
// sent yet. A list belongs to one association and one direction (`path`): under a symmetric
// association's cookie keys seals nothing but the packet that the identifier disclosed last was
// meant for. What another host announced is kept here, too, because the hashes of symmetric mode
// need the cookie.
#pragma once

#include "privsep/msg/codec.h"

namespace ntpward::msg {

inline constexpr size_t kMaxKeyList = 100;  // as ntpd 4.2.8: no list of anybody is longer

// Keys of the time before as many reloads that lists may still be signed with.
inline constexpr uint8_t kMaxElders = 3;

// What the identifiers of a list are hashed with.
enum class KeyListUse : uint8_t {
  kBroadcast = 0,  // private value 0
  kSymmetric,      // the association's cookie; 0 before the peer was given our half of it
  kLast = kSymmetric,
};

// net -> keys: draw a new list for this association in place of the old. Answered by ValueAnswer:
// the value is what is announced in AUTO (hash of the last identifier, number of the last; 8
// octets), signed unless `now` is 0. With `again` nothing is drawn, and the present list is signed
// anew; kUnknownKey when there is none.
struct KeyListMake {
  static constexpr Type kType = Type::kKeyListMake;
  uint32_t request = 0;
  NtpSeconds now;  // served time, 0 while not synchronised
  AssocId association;
  AddressPair path;       // this host -> the other, or the group or broadcast address
  bool stranger = false;  // as in autokey_client.h
  KeyListUse use = KeyListUse::kBroadcast;
  uint8_t count = 0;  // 1..kMaxKeyList; the list may be shorter by chance
  // By whose key it is signed: 0 is ours, 1 the one that it replaced at a reload, and so on; ours
  // where that is not known any more.
  uint8_t elder = 0;
  bool again = false;

  bool Valid() const {
    return association.value != 0 && count >= 1 && count <= kMaxKeyList && elder <= kMaxElders &&
           path.source.family == path.destination.family && !path.source.is_none();
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.now, m.association, m.path, m.stranger, m.use, m.count, m.elder,
                    m.again);
  }
};

// net -> keys: the identifier for the packet that is sent next. Ask just before sending.
struct KeyListTake {
  static constexpr Type kType = Type::kKeyListTake;
  uint32_t request = 0;
  AssocId association;

  bool Valid() const { return association.value != 0; }
  static auto Fields(auto& m) { return std::tie(m.request, m.association); }
};

// keys -> net.
struct KeyListTaken {
  static constexpr Type kType = Type::kKeyListTaken;
  uint32_t request = 0;
  KeyId key;         // none: there is no list, or it is used up
  uint8_t left = 0;  // identifiers after this one

  bool Valid() const { return (key.is_none() && left == 0) || key.is_autokey(); }
  static auto Fields(auto& m) { return std::tie(m.request, m.key, m.left); }
};

// net -> keys: the other host of this association announced a list, under a signature that net
// verified. From then on CheckMac of modes 1, 2 and 5 wants its identifiers in their order. The
// same announcement again changes nothing: an identifier that was used stays used. Answered by
// Verdict.
struct KeyListAccept {
  static constexpr Type kType = Type::kKeyListAccept;
  uint32_t request = 0;
  AssocId association;
  AddressPair path;  // the other -> this host, or the group or broadcast address
  KeyListUse use = KeyListUse::kBroadcast;
  KeyId key;             // hash of the last identifier
  uint8_t sequence = 0;  // number of the last, 0..kMaxKeyList - 1

  bool Valid() const {
    return association.value != 0 && sequence < kMaxKeyList && !key.is_none() &&
           path.source.family == path.destination.family && !path.source.is_none();
  }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.association, m.path, m.use, m.key, m.sequence);
  }
};

}  // namespace ntpward::msg
