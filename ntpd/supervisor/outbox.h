// What the supervisor has to say to one role, in order: a full pipe makes it wait here, not get
// lost.
//
// The configuration of a large site is more than a pipe holds, and half of it would be none.
#pragma once

#include <deque>
#include <vector>

#include "privsep/base/unique_fd.h"
#include "privsep/channel.h"

namespace ntpward::supervisor {

class Outbox {
 public:
  // More than any configuration has: whoever lets this many wait is stuck.
  static constexpr size_t kMost = 20000;

  // Queues a message; `fd` (-1: none) is duplicated and travels with it. Nothing secret: what waits
  // is not wiped. False when too much waits already.
  template <msg::Message M>
  [[nodiscard]] bool Post(const M& message, int fd = -1) {
    msg::Encoded encoded;
    msg::Encode(message, &encoded);
    return PostBytes(encoded.span(), fd);
  }
  // Sends what fits now. False when something is left; then wait until the channel can be written.
  bool Flush(Channel* channel);
  void Clear() { items_.clear(); }

 private:
  struct Item {
    std::vector<uint8_t> bytes;
    UniqueFd fd;
  };
  bool PostBytes(Bytes bytes, int fd);

  std::deque<Item> items_;
};

}  // namespace ntpward::supervisor
