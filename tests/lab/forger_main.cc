// Forges the first packet of a peer under Autokey, in each of two hosts' names to the other, or to
// one host in the names of strangers, each of another network. It hears none of them, as somebody
// off the path.
//
// usage: ntp-forger PER-SECOND A B
//        ntp-forger PER-SECOND HOST
// Sends that many to each, until it is killed. Needs CAP_NET_ADMIN for addresses that are not its
// own.
#include <time.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "ntpd/net/random.h"
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

// 20.0.0.0 to 99.255.255.255, of which the laboratory has none.
IpAddress Somebody() {
  const uint64_t random = net::RandomNumber();
  const auto octet = [random](int at) { return static_cast<uint8_t>(random >> at); };
  return IpAddress::V4(static_cast<uint8_t>(20 + octet(0) % 80), octet(8), octet(16), octet(24));
}

int Main(int argc, char** argv) {
  const bool one = argc == 3;
  const double rate = one || argc == 4 ? std::strtod(argv[1], nullptr) : 0;
  const auto a = IpAddress::Parse(argc >= 3 ? argv[2] : "");
  const auto b = IpAddress::Parse(argc >= 3 ? argv[argc - 1] : "");
  if (rate <= 0 || !a || !b)
    return std::fprintf(stderr, "ntp-forger: see the head of its source\n"), 2;
  Requests requests("");
  std::vector<Forger> forgers;
  if (!one) forgers.emplace_back(*b, *a), forgers.emplace_back(*a, *b);
  const double seconds = 1 / rate;
  const timespec pause{static_cast<time_t>(seconds),
                       static_cast<long>(std::fmod(seconds, 1) * 1e9)};
  for (;;) {
    for (Forger& forger : forgers) forger.Send(&requests);
    if (one) Forger(Somebody(), *a).Send(&requests);
    (void)nanosleep(&pause, nullptr);
  }
}

}  // namespace
}  // namespace ntpward::crowd

int main(int argc, char** argv) { return ntpward::crowd::Main(argc, argv); }
