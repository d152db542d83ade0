// Key lists: the identifiers that we send, and the test of those that others send.
//
// RFC 5906 section 11.4 and ntpd 4.2.8. Each identifier is the start of the hash of the one before
// it, and they are used from the last to the first; so each one proves that its sender has made the
// list whose end was announced under a signature. An identifier is good for one packet.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "keys/session_key.h"
#include "privsep/msg/key_list.h"

namespace ntpward::keys {

// A list of our own.
class KeyList {
 public:
  // Draws the first identifier, 31 bits as the reference, and hashes on to `count` (1..kMaxKeyList)
  // of them. `path`: from us. Fewer when a hash is no session key's identifier or came before.
  static KeyList Make(SessionKeyHasher& hasher, const AddressPair& path, uint32_t private_value,
                      size_t count);
  // The same from a given first identifier, which is above 65535.
  static KeyList From(KeyId first, SessionKeyHasher& hasher, const AddressPair& path,
                      uint32_t private_value, size_t count);

  // One that another process has drawn and used in part: what it had of it, as the functions below
  // have it. `unused` has at most kMaxKeyList identifiers.
  static KeyList Resume(const AddressPair& path, std::span<const uint32_t> unused, KeyId announced,
                        uint8_t sequence, KeyId taken);

  KeyList(const KeyList&) = default;
  KeyList& operator=(const KeyList&) = default;
  ~KeyList();  // wipes those that were not used

  // What is announced: the hash of the last identifier, and its number.
  KeyId announced() const { return announced_; }
  uint8_t sequence() const { return sequence_; }
  const AddressPair& path() const { return path_; }

  // The next identifier to use; none when all are used.
  std::optional<KeyId> Take();
  // The one that was given out last; 0 before.
  KeyId taken() const { return taken_; }
  size_t left() const { return left_; }
  // Those that are still to be used, in the order in which they were drawn.
  std::span<const uint32_t> unused() const { return std::span(identifiers_).first(left_); }

 private:
  KeyList() = default;

  AddressPair path_;
  std::array<uint32_t, msg::kMaxKeyList> identifiers_{};
  size_t left_ = 0;
  KeyId announced_;
  uint8_t sequence_ = 0;
  KeyId taken_;
};

// What another host announced, and how far it has got.
class KeySequence {
 public:
  // `sequence` is below kMaxKeyList.
  KeySequence(KeyId announced, uint8_t sequence)
      : announced_(announced), sequence_(sequence), last_(announced), left_(sequence + 1) {}

  // One that another process has followed as far as `last`.
  static KeySequence Resume(KeyId announced, uint8_t sequence, KeyId last, size_t left) {
    KeySequence resumed(announced, sequence);
    resumed.last_ = last;
    resumed.left_ = left;
    return resumed;
  }

  KeyId announced() const { return announced_; }
  uint8_t sequence() const { return sequence_; }
  // The identifier that was good last; the announced one before.
  KeyId last() const { return last_; }
  bool IsFor(KeyId announced, uint8_t sequence) const {
    return announced == announced_ && sequence == sequence_;
  }
  // Does `key` come later in the list than all before it? Then it is the last one from now on. Some
  // may be missing in between. Hashes at most as often as identifiers are left; changes nothing
  // when it fails, since anyone can send a wrong one.
  bool Accept(KeyId key, SessionKeyHasher& hasher, const AddressPair& path, uint32_t private_value);
  // Identifiers that may still come.
  size_t left() const { return left_; }

 private:
  KeyId announced_;
  uint8_t sequence_;
  KeyId last_;
  size_t left_;
};

}  // namespace ntpward::keys
