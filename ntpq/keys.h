// Keys of a terminal, from the bytes that they send.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ntpward::ntpq {

enum class Key : uint8_t {
  kNone,
  kQuit,  // q, Ctrl-C, Ctrl-D; a signal that ends us, or the end of the terminal
  kUp,
  kDown,
  kLeft,
  kRight,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kAgain,    // space: ask now
  kSlower,   // +
  kFaster,   // -
  kSuspend,  // Ctrl-Z
  kResize,   // the screen has another size, or must be drawn anew
};

class KeyDecoder {
 public:
  // Bytes as they were read; at most 256 are kept.
  void Add(std::string_view bytes);
  // The next key; kNone when there is none whole. Bytes that mean nothing are skipped.
  Key Next();

 private:
  std::optional<Key> TakeSequence();

  std::string bytes_;
};

}  // namespace ntpward::ntpq
