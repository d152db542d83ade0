// Bounds-checked cursors over wire bytes, big-endian and sticky.
//
// The bytes may come from anyone. A read or write past the end marks the cursor as failed and
// yields zero; everything after that fails too, so that a caller may check once, at Finish().
// Nothing else in the tree takes wire bytes apart.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "privsep/base/result.h"

namespace ntpward {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

// The bytes of a text, not owned.
inline Bytes AsBytes(std::string_view text) {
  // The one place where text becomes bytes: char and uint8_t may alias.
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
// The same bytes as text, not owned; may hold any byte, NUL included.
inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Compares in time that depends on the lengths only. Lengths are no secret.
inline bool EqualConstantTime(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<uint8_t>(a[i] ^ b[i]);
  return difference == 0;
}

// Up to N bytes held in place; never allocates. Never grows past N: Assign says whether it fitted.
template <size_t N>
class InlineBytes {
 public:
  static constexpr size_t kCapacity = N;

  InlineBytes() = default;

  // Takes a copy; false, and left empty, when `bytes` is longer than N.
  [[nodiscard]] bool Assign(Bytes bytes) {
    size_ = 0;
    if (bytes.size() > N) return false;
    std::copy(bytes.begin(), bytes.end(), data_.begin());
    size_ = bytes.size();
    return true;
  }
  // Sets the size, zero-filling what is new; false, unchanged, past N.
  [[nodiscard]] bool Resize(size_t size) {
    if (size > N) return false;
    for (size_t i = size_; i < size; ++i) data_[i] = 0;
    size_ = size;
    return true;
  }
  void Clear() { size_ = 0; }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Bytes span() const { return {data_.data(), size_}; }
  MutableBytes span() { return {data_.data(), size_}; }
  std::string_view text() const { return AsText(span()); }

  friend bool operator==(const InlineBytes& a, const InlineBytes& b) {
    return std::equal(a.span().begin(), a.span().end(), b.span().begin(), b.span().end());
  }

 private:
  std::array<uint8_t, N> data_{};
  size_t size_ = 0;
};

// Text of at most N bytes, held in place; the bytes are not checked.
template <size_t N>
using InlineText = InlineBytes<N>;

// Reads big-endian values from bytes that it does not own.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Number(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Number(4)); }
  uint64_t U64() { return Number(8); }

  // The next `size` bytes, not copied; empty when there are fewer.
  Bytes Take(size_t size) {
    if (failed_ || size > remaining()) {
      failed_ = true;
      return {};
    }
    Bytes taken = bytes_.subspan(position_, size);
    position_ += size;
    return taken;
  }
  void Skip(size_t size) { (void)Take(size); }
  // Everything that is left.
  Bytes Rest() { return Take(remaining()); }

  size_t remaining() const { return failed_ ? 0 : bytes_.size() - position_; }
  size_t position() const { return position_; }
  bool failed() const { return failed_; }
  void MarkFailed() { failed_ = true; }

  // True when every read succeeded and nothing is left over.
  [[nodiscard]] bool Finish() const { return !failed_ && position_ == bytes_.size(); }

 private:
  uint64_t Number(size_t size) {
    uint64_t value = 0;
    for (uint8_t byte : Take(size)) value = (value << 8) | byte;
    return value;
  }

  Bytes bytes_;
  size_t position_ = 0;
  bool failed_ = false;
};

// Writes big-endian values into a buffer that it does not own.
class Writer {
 public:
  explicit Writer(MutableBytes buffer) : buffer_(buffer) {}

  void U8(uint8_t value) { Number(value, 1); }
  void U16(uint16_t value) { Number(value, 2); }
  void U32(uint32_t value) { Number(value, 4); }
  void U64(uint64_t value) { Number(value, 8); }
  void Put(Bytes bytes) {
    MutableBytes room = Room(bytes.size());
    std::copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(room.size()),
              room.begin());
  }
  void Zeros(size_t size) {
    MutableBytes room = Room(size);
    std::fill(room.begin(), room.end(), uint8_t{0});
  }

  size_t size() const { return position_; }
  size_t remaining() const { return failed_ ? 0 : buffer_.size() - position_; }
  bool failed() const { return failed_; }
  void MarkFailed() { failed_ = true; }
  // What was written so far; empty when anything did not fit.
  Bytes written() const { return failed_ ? Bytes{} : Bytes(buffer_.first(position_)); }
  // True when everything fitted.
  [[nodiscard]] bool Finish() const { return !failed_; }

 private:
  MutableBytes Room(size_t size) {
    if (failed_ || size > buffer_.size() - position_) {
      failed_ = true;
      return {};
    }
    MutableBytes room = buffer_.subspan(position_, size);
    position_ += size;
    return room;
  }
  void Number(uint64_t value, size_t size) {
    MutableBytes room = Room(size);
    for (size_t i = 0; i < room.size(); ++i)
      room[i] = static_cast<uint8_t>(value >> (8 * (size - 1 - i)));
  }

  MutableBytes buffer_;
  size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace ntpward
