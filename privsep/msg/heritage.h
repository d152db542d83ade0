// keys -> keys: what a key process leaves to the one that takes its place at a reload.
//
// Over a pipe that only the two of them read and write: these messages are the only ones that carry
// secrets out of a key process, and nobody else is told them. What peers and servers have agreed
// with us would be lost without them, and with it the time that they give, until all is proved
// anew. The successor believes its predecessor no more than any other sender: everything is bounded
// and judged, and a heritage that is not whole is thrown away.
#pragma once

#include "privsep/msg/codec.h"
#include "privsep/msg/key_list.h"

namespace ntpward::msg {

inline constexpr size_t kMaxHeritageKey = 3072;  // PKCS#8 of RSA with 4096 bits

// The cookie of a symmetric association, see keys/key_state.h.
struct HeritageCookie {
  uint32_t ours = 0;
  std::optional<uint32_t> agreed;
  bool told = false;
  static auto Fields(auto& m) { return std::tie(m.ours, m.agreed, m.told); }
};

// A list of our own, as far as it is still to be used.
struct HeritageOwnList {
  AddressPair path;
  KeyListUse use = KeyListUse::kBroadcast;
  InlineVector<uint32_t, kMaxKeyList> unused;  // in the order in which they were drawn
  KeyId announced;
  uint8_t sequence = 0;
  KeyId taken;  // given out last; 0: none was

  bool Valid() const {
    return unused.size() <= static_cast<size_t>(sequence) + 1 && sequence < kMaxKeyList;
  }
  static auto Fields(auto& m) {
    return std::tie(m.path, m.use, m.unused, m.announced, m.sequence, m.taken);
  }
};

// What another host announced, and how far it has got.
struct HeritageAcceptedList {
  AddressPair path;
  KeyListUse use = KeyListUse::kBroadcast;
  KeyId announced;
  uint8_t sequence = 0;
  KeyId last;
  uint8_t left = 0;

  bool Valid() const {
    return sequence < kMaxKeyList && left <= sequence + 1 && !announced.is_none() &&
           !last.is_none();
  }
  static auto Fields(auto& m) {
    return std::tie(m.path, m.use, m.announced, m.sequence, m.last, m.left);
  }
};

// All that was kept for one association.
struct HeritageAssociation {
  static constexpr Type kType = Type::kHeritageAssociation;
  AssocId association;
  std::optional<uint32_t> cookie;  // as client
  std::optional<HeritageCookie> peer_cookie;
  std::optional<HeritageOwnList> own_list;
  std::optional<HeritageAcceptedList> accepted_list;

  bool Valid() const { return association.value != 0; }
  static auto Fields(auto& m) {
    return std::tie(m.association, m.cookie, m.peer_cookie, m.own_list, m.accepted_list);
  }
};

// A key that the predecessor signed with, its own first, then those of its predecessors, newest
// first.
struct HeritageSigner {
  static constexpr Type kType = Type::kHeritageSigner;
  InlineBytes<kMaxHeritageKey> key;  // PKCS#8, DER
  InlineText<32> digest;             // OpenSSL's name
  // When it is forgotten; its own, which has not been replaced before, comes without.
  std::optional<MonoTime> until;

  bool Valid() const { return !key.empty() && !digest.empty(); }
  static auto Fields(auto& m) { return std::tie(m.key, m.digest, m.until); }
};

// That was all. Under another name, or with another digest of session keys, nothing of it is good.
struct HeritageEnd {
  static constexpr Type kType = Type::kHeritageEnd;
  InlineText<256> subject;
  InlineText<16> digest_name;
  NtpSeconds signature_update;  // when the host's values were signed last; 0: never
  uint32_t messages = 0;        // before this one

  static auto Fields(auto& m) {
    return std::tie(m.subject, m.digest_name, m.signature_update, m.messages);
  }
};

}  // namespace ntpward::msg
