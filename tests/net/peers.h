// The other ends of net's channels, held by the test: real pipes, no processes.
#pragma once

#include <optional>

#include "privsep/channel.h"
#include "privsep/msg/role.h"
#include "privsep/supervisor_link.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::test {

inline Pipe NewPipe() {
  Result<Pipe> pipe = MakePipe();
  CHECK(pipe.ok());
  return std::move(pipe).value();
}

// Two channels that talk to each other: `near` is what net holds.
struct Duplex {
  Duplex() : Duplex(NewPipe(), NewPipe()) {}
  Channel near;
  Channel far;

 private:
  Duplex(Pipe to_far, Pipe to_near)
      : near(std::move(to_near.read_end), std::move(to_far.write_end)),
        far(std::move(to_far.read_end), std::move(to_near.write_end)) {}
};

// The next message at `channel` if it is an M; the others before it are skipped.
template <typename M>
std::optional<M> Next(Channel* channel) {
  while (const auto bytes = channel->Receive()) {
    M message;
    if (msg::Decode(*bytes, &message)) return message;
  }
  return std::nullopt;
}

template <typename M>
int CountOf(Channel* channel) {
  int count = 0;
  while (Next<M>(channel)) ++count;
  return count;
}

}  // namespace ntpward::test
