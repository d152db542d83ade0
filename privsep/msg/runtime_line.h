// keys -> supervisor -> net: lines of configuration that somebody who has the control key gave
// while the daemon runs (`ntpq :config`), and that stay in force as long as it does, crashes
// included.
//
// ntpd-keys has checked MAC and nonce; the supervisor keeps the line and never looks into it;
// ntpd-net reads it, which could do by itself whatever such a line can say.
#pragma once

#include <algorithm>

#include "privsep/msg/codec.h"

namespace ntpward::msg {

// keys -> supervisor, before it is in force: to be kept. supervisor -> keys, before KeysEnd and
// after a reload; supervisor -> net, before NetEnd: what was kept, in order.
struct RuntimeLine {
  static constexpr Type kType = Type::kRuntimeLine;
  InlineText<468> line;     // without its nonce
  InlineText<255> subject;  // the host of the line that `unconfig ASSOCID` means, by net's word

  bool Valid() const { return !line.empty() && IsPrintable(line) && IsPrintable(subject); }
  static auto Fields(auto& m) { return std::tie(m.line, m.subject); }
  friend bool operator==(const RuntimeLine& a, const RuntimeLine& b) {
    return a.line.text() == b.line.text() && a.subject.text() == b.subject.text();
  }

 private:
  template <size_t N>
  static bool IsPrintable(const InlineText<N>& text) {
    return std::all_of(text.text().begin(), text.text().end(),
                       [](char c) { return (c >= ' ' && c < 0x7f) || c == '\t'; });
  }
};

}  // namespace ntpward::msg
