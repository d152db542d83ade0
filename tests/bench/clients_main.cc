// Asks a server for the time as many clients, each from an address of its own in 127.0.0.0/8:
// plainly, or under its own cookie, made here from the farm's secret (keys/farm_seeds.h), since a
// server gives strangers a hundred a second.
//
// usage: ntp-clients FARM-FILE COUNT FIRST ADDRESS:PORT
//   FARM-FILE: `-` for no MAC. FIRST: number of the first client, from 0. ADDRESS in 127.0.0.0/8.
// Prints one line: clients that were answered, of how many.
#include <poll.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "ntpd/net/random.h"
#include "ntpd/net/udp.h"
#include "ntpd/wire/packet.h"
#include "privsep/supervisor_link.h"
#include "tests/bench/server.h"
#include "tests/bench/traffic.h"

namespace ntpward::bench {
namespace {

constexpr size_t kWindow = 64;
constexpr int kPatienceMs = 500;

// 127.1.0.0 and up: none is the server's.
IpAddress AddressOf(uint32_t client) {
  return IpAddress::V4(127, static_cast<uint8_t>(1 + (client >> 16)),
                       static_cast<uint8_t>(client >> 8), static_cast<uint8_t>(client));
}

class Clients {
 public:
  // `seed`: what cookies are made from; none for requests without MAC.
  Clients(int fd, const SocketAddress& server, std::optional<uint32_t> seed)
      : fd_(fd), server_(server), seed_(seed), hasher_(keys::SessionKeyHasher::Create().value()) {}

  void Ask(uint32_t client) {
    const AddressPair path{AddressOf(client), server_.ip};
    const uint64_t nonce = net::RandomNumber();
    auto traffic = TrafficOn(path);
    std::array<uint8_t, wire::kMaxPacketSize> request{};
    Writer writer(request);
    traffic->Request(writer, nonce);
    if (net::SendFrom(fd_, writer.written(), server_, path.source, 0))
      waiting_[nonce] = std::move(traffic);
  }

  // Until no more than `most` are waited for, or nothing comes any more.
  void Await(size_t most) {
    while (waiting_.size() > most) {
      pollfd readable{fd_, POLLIN, 0};
      if (poll(&readable, 1, kPatienceMs) <= 0) return waiting_.clear();
      for (const net::Datagram& datagram : batch_->Receive(fd_)) Take(datagram.bytes);
    }
  }
  size_t answered() const { return answered_; }

 private:
  std::unique_ptr<Traffic> TrafficOn(const AddressPair& path) {
    if (!seed_) return PlainTraffic();
    return AutokeyTraffic(path, hasher_.Derive(path, KeyId{0}, *seed_).next().value);
  }
  void Take(Bytes bytes) {
    if (bytes.size() < wire::kHeaderSize) return;
    Reader reader(bytes);
    reader.Skip(24);
    const auto asked = waiting_.find(reader.U64());
    if (asked == waiting_.end()) return;
    if (asked->second->Accepts(bytes)) ++answered_;
    waiting_.erase(asked);
  }

  int fd_;
  SocketAddress server_;
  std::optional<uint32_t> seed_;
  keys::SessionKeyHasher hasher_;
  std::unordered_map<uint64_t, std::unique_ptr<Traffic>> waiting_;
  std::unique_ptr<net::ReceiveBatch> batch_ = std::make_unique<net::ReceiveBatch>();
  size_t answered_ = 0;
};

int Main(int argc, char** argv) {
  const bool plain = argc == 5 && std::string(argv[1]) == "-";
  const auto seed = argc == 5 && !plain ? FarmSeed(argv[1], 0) : std::nullopt;
  const auto server = ParseServer(argc == 5 ? argv[4] : "");
  if (!server || !(plain || seed))
    return std::fprintf(stderr, "ntp-clients: see the head of its source\n"), 2;
  const auto count = static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10));
  const auto first = static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10));
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  Clients clients(fd.get(), *server, seed);
  for (uint32_t i = 0; i < count; ++i) {
    clients.Ask(first + i);
    clients.Await(kWindow);
  }
  clients.Await(0);
  std::printf("answered=%zu asked=%u\n", clients.answered(), count);
  return clients.answered() == count ? 0 : 1;
}

}  // namespace
}  // namespace ntpward::bench

int main(int argc, char** argv) { return ntpward::bench::Main(argc, argv); }
