#include "ntpq/keys.h"

#include <algorithm>

namespace ntpward::ntpq {
namespace {

constexpr size_t kMostBytes = 256;
constexpr char kEscape = '\x1b';

struct Sequence {
  std::string_view bytes;
  Key key;
};
// Normal and application mode of the cursor keys, as xterm, Linux and screen send them.
constexpr Sequence kSequences[] = {
    {"\x1b[A", Key::kUp},        {"\x1bOA", Key::kUp},    {"\x1b[B", Key::kDown},
    {"\x1bOB", Key::kDown},      {"\x1b[C", Key::kRight}, {"\x1bOC", Key::kRight},
    {"\x1b[D", Key::kLeft},      {"\x1bOD", Key::kLeft},  {"\x1b[5~", Key::kPageUp},
    {"\x1b[6~", Key::kPageDown}, {"\x1b[H", Key::kHome},  {"\x1bOH", Key::kHome},
    {"\x1b[1~", Key::kHome},     {"\x1b[F", Key::kEnd},   {"\x1bOF", Key::kEnd},
    {"\x1b[4~", Key::kEnd},
};

Key KeyOf(char c) {
  switch (c) {
    case 'q':
    case 'Q':
    case '\x03':
    case '\x04':
      return Key::kQuit;
    case '\x1a':
      return Key::kSuspend;
    case '\x0c':
      return Key::kResize;
    case ' ':
      return Key::kAgain;
    case '+':
      return Key::kSlower;
    case '-':
      return Key::kFaster;
    case 'k':
      return Key::kUp;
    case 'j':
      return Key::kDown;
    default:
      return Key::kNone;
  }
}

// How long the control sequence at the start is (ECMA-48 5.4); 0: it has not ended.
size_t SequenceSize(std::string_view bytes) {
  if (bytes.size() < 2) return 0;
  if (bytes[1] == 'O') return bytes.size() < 3 ? 0 : 3;
  if (bytes[1] != '[') return 1;
  for (size_t i = 2; i < bytes.size(); ++i)
    if (bytes[i] >= '@' && bytes[i] <= '~') return i + 1;
  return 0;
}

}  // namespace

void KeyDecoder::Add(std::string_view bytes) {
  bytes_ += bytes;
  if (bytes_.size() > kMostBytes) bytes_.erase(0, bytes_.size() - kMostBytes);
}

std::optional<Key> KeyDecoder::TakeSequence() {
  const size_t size = SequenceSize(bytes_);
  if (size == 0) return std::nullopt;
  const std::string taken = bytes_.substr(0, size);
  bytes_.erase(0, size);
  for (const Sequence& sequence : kSequences)
    if (sequence.bytes == taken) return sequence.key;
  return Key::kNone;
}

Key KeyDecoder::Next() {
  while (!bytes_.empty()) {
    Key key = Key::kNone;
    if (bytes_.front() == kEscape) {
      const auto taken = TakeSequence();
      if (!taken) return Key::kNone;
      key = *taken;
    } else {
      key = KeyOf(bytes_.front());
      bytes_.erase(0, 1);
    }
    if (key != Key::kNone) return key;
  }
  return Key::kNone;
}

}  // namespace ntpward::ntpq
