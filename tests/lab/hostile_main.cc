// ntp-hostile ADDRESS TRICK ASKED: a server of control requests that means ill. Answers on port 123
// of an IPv4 address; makes the file ASKED when it is asked for the first time.
//
//   silent    never answers
//   endless   fragments, each further on, none the last
//   same      the same fragment again and again
//   trickle   a fragment every 2.9 s
//   flood     answers to other questions, as fast as they leave
//   escape    an answer full of what a terminal would obey
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include "ntpd/wire/control_message.h"
#include "privsep/base/address.h"
#include "privsep/base/unique_fd.h"

namespace {

using namespace ntpward;

struct Asker {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  wire::ControlHeader header;
  uint16_t offset = 0;
};

void Answer(int socket, Asker& asker, std::string_view data, bool more) {
  asker.header.more = more;
  asker.header.offset = asker.offset;
  const auto datagram =
      wire::BuildControlRequest(asker.header, AsBytes(data), wire::ControlPadding::kPlain);
  (void)::sendto(socket, datagram.data(), datagram.size(), 0,
                 reinterpret_cast<const sockaddr*>(&asker.address), asker.length);
}

// One step of the trick; how long until the next, or -1: when asked again.
int Play(const std::string& trick, int socket, Asker& asker) {
  if (trick == "escape") {
    Answer(socket, asker,
           "system=\"\x1b[2J\x1b]0;owned\x07\x9b"
           "31m\r\x08\", \x1b[H=\x1b[K\n\x1b(0",
           false);
    return -1;
  }
  if (trick == "silent") return -1;
  if (trick == "flood") asker.header.sequence ^= 1;
  Answer(socket, asker, "a=1,", true);
  if (trick != "same" && trick != "flood") asker.offset = static_cast<uint16_t>(asker.offset + 4);
  return trick == "trickle" ? 2900 : trick == "flood" ? 0 : 1;
}

[[noreturn]] void Serve(int socket, const std::string& trick, const char* asked) {
  Asker asker;
  int wait_ms = -1;
  while (true) {
    pollfd ready{socket, POLLIN, 0};
    (void)::poll(&ready, 1, wait_ms);
    std::array<uint8_t, 512> buffer;
    asker.length = sizeof(asker.address);
    sockaddr_storage from{};
    socklen_t length = sizeof(from);
    const ssize_t size = ::recvfrom(socket, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from), &length);
    if (size > 0) {
      const auto request =
          wire::ParseControlRequest(Bytes(buffer).first(static_cast<size_t>(size)));
      if (!request.ok()) continue;
      asker = Asker{from, length, wire::ReplyHeader(request->header, 0, 0)};
      // Neither this question's number nor the next one's, of which answers may be under way then.
      if (trick == "flood") asker.header.sequence ^= 0x8000;
      (void)::close(::open(asked, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    }
    wait_ms = Play(trick, socket, asker);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto address = IpAddress::Parse(argv[1]);
  if (!address) return 2;
  sockaddr_storage storage;
  const socklen_t length = SocketAddress{*address, 123}.ToSockaddr(&storage);
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid() ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    std::perror("ntp-hostile");
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  Serve(socket.get(), argv[2], argv[3]);
}
