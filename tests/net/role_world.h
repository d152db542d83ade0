// ntpd-net's role with the test at the other end of every channel: no processes, real sockets.
#pragma once

#include <event2/event.h>
#include <sys/socket.h>

#include "ntpd/net/role.h"
#include "tests/net/harness.h"

namespace ntpward::test {

struct RoleWorld {
  explicit RoleWorld(uint16_t server_port = 123) : RoleWorld(NewPair(), server_port) {}

  template <msg::Message M>
  void Tell(const M& message) {
    CHECK(supervisor.Send(message) == SendOutcome::kSent);
    Spin();
  }
  // A whole configuration.
  void Configure(const msg::NetStart& start, const std::vector<msg::NetAssociation>& lines = {},
                 const std::vector<msg::NetRestriction>& restrictions = {}) {
    Tell(start);
    for (const msg::NetAssociation& line : lines) Tell(line);
    msg::NetRestrict restrict_message;
    for (const msg::NetRestriction& entry : restrictions)
      CHECK(restrict_message.entries.Push(entry));
    Tell(restrict_message);
    Tell(msg::NetEnd{});
  }
  // ntpd-clock's first word, or its answer to whatever was asked.
  void SayClock(const msg::ClockState& state = {}) {
    CHECK(clock.far.Send(state) == SendOutcome::kSent);
    Spin();
  }
  // A wildcard listener of the supervisor's; where it listens.
  uint16_t HandOverSocket(uint16_t index) {
    const UniqueFd fd = OpenListener();
    msg::NetSocket socket;
    socket.index = index;
    socket.local = LocalOf(fd.get());
    CHECK(supervisor.SendWithFd(socket, fd.get()) == SendOutcome::kSent);
    Spin();
    return socket.local.port;
  }
  // Handles what has come.
  void Spin() {
    for (int i = 0; i < 4; ++i) event_base_loop(role.loop(), EVLOOP_NONBLOCK);
  }

  Channel supervisor;
  Duplex clock;
  Duplex keys;
  Duplex resolve;
  net::Role role;

 private:
  struct Pair {
    UniqueFd test_end;
    UniqueFd role_end;
  };
  static Pair NewPair() {
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    return {UniqueFd(fds[0]), UniqueFd(fds[1])};
  }
  RoleWorld(Pair pair, uint16_t server_port)
      : supervisor(std::move(pair.test_end), UniqueFd()),
        role({Channel(std::move(pair.role_end), UniqueFd()), std::move(clock.near),
              std::move(keys.near), std::move(resolve.near)},
             server_port) {
    role.Start("seccomp=2");
  }
};

}  // namespace ntpward::test
