#include "keys/key_list.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "privsep/base/secret.h"

namespace ntpward::keys {
namespace {

// 31 bits, above those of symmetric keys.
KeyId DrawFirst() {
  for (;;) {
    std::array<uint8_t, 4> octets{};
    CHECK(RAND_priv_bytes(octets.data(), octets.size()) == 1);
    const KeyId id{Reader(octets).U32() & 0x7fffffff};
    Wipe(octets);
    if (id.is_autokey()) return id;
  }
}

}  // namespace

KeyList KeyList::Make(SessionKeyHasher& hasher, const AddressPair& path, uint32_t private_value,
                      size_t count) {
  return From(DrawFirst(), hasher, path, private_value, count);
}

KeyList KeyList::From(KeyId first, SessionKeyHasher& hasher, const AddressPair& path,
                      uint32_t private_value, size_t count) {
  CHECK(first.is_autokey() && count >= 1 && count <= msg::kMaxKeyList);
  KeyList list;
  list.path_ = path;
  auto& ids = list.identifiers_;
  KeyId id = first;
  do {
    ids[list.left_++] = id.value;
    id = hasher.Derive(path, id, private_value).next();
    // A circle would make identifiers good twice.
  } while (list.left_ < count && id.is_autokey() &&
           std::find(ids.begin(), ids.begin() + list.left_, id.value) == ids.begin() + list.left_);
  list.announced_ = id;
  list.sequence_ = static_cast<uint8_t>(list.left_ - 1);
  return list;
}

KeyList KeyList::Resume(const AddressPair& path, std::span<const uint32_t> unused, KeyId announced,
                        uint8_t sequence, KeyId taken) {
  KeyList list;
  CHECK(unused.size() <= list.identifiers_.size());
  std::copy(unused.begin(), unused.end(), list.identifiers_.begin());
  list.path_ = path;
  list.left_ = unused.size();
  list.announced_ = announced;
  list.sequence_ = sequence;
  list.taken_ = taken;
  return list;
}

KeyList::~KeyList() { OPENSSL_cleanse(identifiers_.data(), sizeof(identifiers_)); }

std::optional<KeyId> KeyList::Take() {
  if (left_ == 0) return std::nullopt;
  taken_ = KeyId{identifiers_[--left_]};
  return taken_;
}

bool KeySequence::Accept(KeyId key, SessionKeyHasher& hasher, const AddressPair& path,
                         uint32_t private_value) {
  KeyId id = key;
  for (size_t hashes = 1; hashes <= left_; ++hashes) {
    id = hasher.Derive(path, id, private_value).next();
    if (id != last_) continue;
    last_ = key;
    left_ -= hashes;
    return true;
  }
  return false;
}

}  // namespace ntpward::keys
