// Reads a server's variables as many monitors, each from an address of its own in 10.80.0.0/16, at
// a steady rate, and counts the requests that were answered whole.
//
// usage: ntp-readers [--rate R] [--seconds S] [--sources N] [--pid P]... ADDRESS:PORT
//   --rate R      requests a second (10000)   --sources N  addresses that take turns (2000)
//   --seconds S   (2)                         --pid P      a process of the server; repeatable
// Each request is a READVAR of the system's default variables. Prints one line: requests a second,
// the share that was answered whole, answers per second of the server's processor time.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "ntpd/net/udp.h"
#include "ntpd/wire/control_message.h"
#include "privsep/supervisor_link.h"
#include "tests/bench/server.h"

namespace ntpward::bench {
namespace {

constexpr int kReceiveBuffer = 8 << 20;  // octets
constexpr double kPatience = 0.5;        // s, after the last request

struct Options {
  double rate = 10000;
  double seconds = 2;
  uint32_t sources = 2000;
  std::vector<std::string> pids;
  SocketAddress server;
};

class Readers {
 public:
  Readers(const Options& options, int fd) : options_(options), fd_(fd) {}

  void Run() {
    const MonoTime start = MonotonicNow();
    for (MonoTime now = start; now - start < options_.seconds; now = MonotonicNow()) {
      const auto due = static_cast<size_t>((now - start) * options_.rate);
      while (sent_ < due) Ask();
      Receive(1);
    }
    for (const MonoTime end = MonotonicNow(); MonotonicNow() - end < kPatience;) Receive(10);
  }
  size_t sent() const { return sent_; }
  size_t answered() const { return answered_; }

 private:
  void Ask() {
    wire::ControlHeader header;
    header.op = wire::ControlOp::kReadVariables;
    header.sequence = static_cast<uint16_t>(sent_);
    const auto request = wire::BuildControlRequest(header, {}, wire::ControlPadding::kPlain);
    const auto number = static_cast<uint32_t>(sent_ % options_.sources);
    const IpAddress source =
        IpAddress::V4(10, 80, static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number));
    (void)net::SendFrom(fd_, request, options_.server, source, 0);
    ++sent_;
  }

  void Receive(int milliseconds) {
    pollfd readable{fd_, POLLIN, 0};
    if (poll(&readable, 1, milliseconds) <= 0) return;
    for (const net::Datagram& datagram : batch_->Receive(fd_)) {
      const auto fragment = wire::ParseControlResponse(datagram.bytes);
      // The last one counts for those before it.
      if (fragment.ok() && !fragment->header.error && !fragment->header.more) ++answered_;
    }
  }

  Options options_;
  int fd_;
  std::unique_ptr<net::ReceiveBatch> batch_ = std::make_unique<net::ReceiveBatch>();
  size_t sent_ = 0, answered_ = 0;
};

std::optional<Options> Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (name == "--rate") {
      options.rate = std::strtod(value(), nullptr);
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value(), nullptr);
    } else if (name == "--sources") {
      options.sources = static_cast<uint32_t>(std::strtoul(value(), nullptr, 10));
    } else if (name == "--pid") {
      options.pids.emplace_back(value());
    } else if (const auto server = ParseServer(name)) {
      options.server = *server;
    } else {
      return std::nullopt;
    }
  }
  if (options.server.port == 0 || options.sources == 0 || options.sources > 0x10000)
    return std::nullopt;
  return options;
}

int Main(int argc, char** argv) {
  const auto options = Parse(argc, argv);
  if (!options) return std::fprintf(stderr, "ntp-readers: see the head of its source\n"), 2;
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer);
  Readers readers(*options, fd.get());
  const double before = ProcessorSeconds(options->pids);
  readers.Run();
  const double spent = ProcessorSeconds(options->pids) - before;
  const auto answered = static_cast<double>(readers.answered());
  std::printf("asked_s=%.0f answered=%.4f answers_cpu_s=%.0f\n",
              static_cast<double>(readers.sent()) / options->seconds,
              answered / static_cast<double>(std::max<size_t>(readers.sent(), 1)),
              spent > 0 ? answered / spent : 0);
  return readers.answered() > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ntpward::bench

int main(int argc, char** argv) { return ntpward::bench::Main(argc, argv); }
