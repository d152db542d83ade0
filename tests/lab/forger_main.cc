// Forges the first packet of a peer under Autokey, in each of two hosts' names to the other. It
// hears neither of them, as somebody off the path.
//
// usage: ntp-forger PER-SECOND A B
// Sends that many to each, until it is killed. Needs CAP_NET_ADMIN for addresses that are not its
// own.
#include <time.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "ntpd/net/udp.h"
#include "privsep/supervisor_link.h"
#include "tests/lab/crowd_requests.h"

namespace ntpward::crowd {
namespace {

constexpr uint16_t kPort = 123;

UniqueFd OpenAs(const IpAddress& address) {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  CHECK(fd.valid() && setsockopt(fd.get(), SOL_IP, IP_TRANSPARENT, &on, sizeof on) == 0);
  sockaddr_storage name{};
  const socklen_t length = SocketAddress{address, kPort}.ToSockaddr(&name);
  CHECK(bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length) == 0);
  return fd;
}

class Forger {
 public:
  Forger(const IpAddress& as, const IpAddress& to) : path_{as, to}, fd_(OpenAs(as)) {}

  // As a peer that has heard nothing, then as one that has heard something, by turns.
  void Send(Requests* requests) {
    const NtpTimestamp now = SystemTimeNow();
    const Bytes packet = requests->Peer(path_, told_ ? last_ : NtpTimestamp(), now);
    (void)!net::SendFrom(fd_.get(), packet, {path_.destination, kPort}, IpAddress(), 0);
    told_ = !told_;
    last_ = now;
  }

 private:
  AddressPair path_;
  UniqueFd fd_;
  bool told_ = false;
  NtpTimestamp last_;
};

int Main(int argc, char** argv) {
  const double rate = argc == 4 ? std::strtod(argv[1], nullptr) : 0;
  const auto a = IpAddress::Parse(argc == 4 ? argv[2] : "");
  const auto b = IpAddress::Parse(argc == 4 ? argv[3] : "");
  if (rate <= 0 || !a || !b)
    return std::fprintf(stderr, "ntp-forger: see the head of its source\n"), 2;
  Requests requests("");
  Forger forgers[] = {{*a, *b}, {*b, *a}};
  const double seconds = 1 / rate;
  const timespec pause{static_cast<time_t>(seconds),
                       static_cast<long>(std::fmod(seconds, 1) * 1e9)};
  for (;;) {
    for (Forger& forger : forgers) forger.Send(&requests);
    (void)nanosleep(&pause, nullptr);
  }
}

}  // namespace
}  // namespace ntpward::crowd

int main(int argc, char** argv) { return ntpward::crowd::Main(argc, argv); }
