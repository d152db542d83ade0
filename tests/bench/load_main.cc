// Loads one NTP server, counts what it answers and how soon, and what processor time that cost it.
//
// usage: ntp-load [OPTION...] ADDRESS:PORT
//   --key ID:TYPE:HEX   symmetric MAC      --autokey  session keys from a cookie that it asks for
//   --cookies           asks for cookies   (none of these: no MAC)
//   --farm FILE:EPOCHS  as --autokey, from a cookie of the server's farm, so many epochs old
//   --window N          requests in flight (128)    --rate R  instead: R requests a second
//   --seconds S         measured (3), after half a second of warming up
//   --pid P             a process of the server; repeatable
// Prints one line: replies per second, per second of the server's processor time, latency in
// microseconds (median, 99th percentile), share that was lost, refused or not acceptable.
#include <poll.h>

#include <algorithm>
#include <cstdio>

#include "ntpd/net/random.h"
#include "ntpd/net/udp.h"
#include "ntpd/wire/packet.h"
#include "privsep/supervisor_link.h"
#include "tests/bench/server.h"
#include "tests/bench/traffic.h"

namespace ntpward::bench {
namespace {

constexpr double kWarmUp = 0.5, kPatience = 0.25;  // seconds
constexpr size_t kSlots = 4096;                    // requests that can be waited for

struct Options {
  std::string key;
  bool autokey = false;
  bool cookies = false;
  std::string farm;
  size_t window = 128;
  double rate = 0;
  double seconds = 3;
  std::vector<std::string> pids;
  SocketAddress server;
};

class Load {
 public:
  Load(const Options& options, int fd, Traffic* traffic)
      : options_(options), fd_(fd), traffic_(traffic), slots_(kSlots) {
    for (uint16_t i = 0; i < kSlots; ++i) free_.push_back(i);
  }

  // Runs for `seconds`; the figures are of that time alone.
  void Run(double seconds) {
    latencies_.clear();
    sent_ = lost_ = refused_ = 0;
    const MonoTime start = MonotonicNow();
    for (MonoTime now = start; now - start < seconds; now = MonotonicNow()) {
      Expire(now);
      Fill(now, now - start);
      Wait();
      Receive();
    }
  }

  void Print(double seconds, double processor) {
    std::sort(latencies_.begin(), latencies_.end());
    const auto replies = static_cast<double>(latencies_.size());
    std::printf(
        "replies_s=%.0f replies_cpu_s=%.0f p50_us=%.0f p99_us=%.0f lost=%.4f bad=%zu\n",
        replies / seconds, processor > 0 ? replies / processor : 0, Quantile(0.5), Quantile(0.99),
        static_cast<double>(lost_) / static_cast<double>(std::max<size_t>(sent_, 1)), refused_);
  }
  size_t replies() const { return latencies_.size(); }

 private:
  struct Slot {
    uint64_t nonce = 0;  // 0: free
    MonoTime sent;
  };

  double Quantile(double q) const {
    if (latencies_.empty()) return 0;
    return latencies_[static_cast<size_t>(q * static_cast<double>(latencies_.size() - 1))] * 1e6;
  }

  void Fill(MonoTime now, double elapsed) {
    const size_t flying = kSlots - free_.size();
    size_t count = flying < options_.window ? options_.window - flying : 0;
    // Not one by one: a client that wakes for each reply measures itself.
    if (options_.rate <= 0 && count * 8 < options_.window) return;
    if (options_.rate > 0) {
      const auto due = static_cast<size_t>(elapsed * options_.rate);
      count = due > sent_ ? std::min(due - sent_, free_.size()) : 0;
    }
    for (; count > 0; --count) Send(now);
  }

  // The nonce's low bits are the slot's number.
  void Send(MonoTime now) {
    const uint16_t slot = free_.back();
    free_.pop_back();
    slots_[slot] = {(net::RandomNumber() | kSlots) / kSlots * kSlots | slot, now};
    Writer writer(request_);
    traffic_->Request(writer, slots_[slot].nonce);
    CHECK(!writer.failed());
    (void)send(fd_, writer.written().data(), writer.size(), MSG_DONTWAIT);
    ++sent_;
  }

  void Wait() const {
    pollfd readable{fd_, POLLIN, 0};
    const timespec longest{0, options_.rate > 0 ? 100000 : 1000000};
    (void)ppoll(&readable, 1, &longest, nullptr);
  }

  void Receive() {
    for (;;) {
      const auto datagrams = batch_->Receive(fd_);
      const MonoTime now = MonotonicNow();
      for (const net::Datagram& datagram : datagrams) OnReply(datagram.bytes, now);
      if (datagrams.size() < net::ReceiveBatch::kSize) return;
    }
  }

  void OnReply(Bytes bytes, MonoTime now) {
    if (bytes.size() < wire::kHeaderSize) return;
    Reader reader(bytes);
    reader.Skip(24);
    const uint64_t origin = reader.U64();
    const auto number = static_cast<uint16_t>(origin % kSlots);
    Slot& slot = slots_[number];
    if (slot.nonce == 0 || slot.nonce != origin) return;
    if (traffic_->Accepts(bytes)) {
      latencies_.push_back(now - slot.sent);
    } else {
      ++refused_;
    }
    slot.nonce = 0;
    free_.push_back(number);
  }

  void Expire(MonoTime now) {
    if (now - expired_ < 0.01) return;
    expired_ = now;
    for (uint16_t i = 0; i < kSlots; ++i) {
      if (slots_[i].nonce == 0 || now - slots_[i].sent < kPatience) continue;
      slots_[i].nonce = 0;
      free_.push_back(i);
      ++lost_;
    }
  }

  Options options_;
  int fd_;
  Traffic* traffic_;
  std::vector<Slot> slots_;
  std::vector<uint16_t> free_;
  std::vector<double> latencies_;  // s
  std::array<uint8_t, wire::kMaxPacketSize> request_{};
  std::unique_ptr<net::ReceiveBatch> batch_ = std::make_unique<net::ReceiveBatch>();
  MonoTime expired_;
  size_t sent_ = 0, lost_ = 0, refused_ = 0;
};

std::optional<Options> Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (name == "--key") {
      options.key = value();
    } else if (name == "--autokey") {
      options.autokey = true;
    } else if (name == "--cookies") {
      options.cookies = true;
    } else if (name == "--farm") {
      options.farm = value();
    } else if (name == "--window") {
      options.window = std::strtoul(value(), nullptr, 10);
    } else if (name == "--rate") {
      options.rate = std::strtod(value(), nullptr);
    } else if (name == "--seconds") {
      options.seconds = std::strtod(value(), nullptr);
    } else if (name == "--pid") {
      options.pids.emplace_back(value());
    } else if (const auto server = ParseServer(name)) {
      options.server = *server;
    } else {
      return std::nullopt;
    }
  }
  if (options.server.port == 0 || options.window == 0 || options.window > kSlots)
    return std::nullopt;
  return options;
}

// One cookie, as a client's dance would get it.
std::optional<uint32_t> AskCookie(const Options& options, int fd, const AddressPair& path) {
  CookieTraffic traffic(path);
  Options one = options;
  one.window = 1;
  one.rate = 0;
  Load(one, fd, &traffic).Run(0.1);
  return traffic.Cookie();
}

std::unique_ptr<Traffic> FarmTraffic(const std::string& farm, const AddressPair& path) {
  const size_t colon = farm.rfind(':');
  if (colon == std::string::npos) return nullptr;
  const auto seed = FarmSeed(farm.substr(0, colon), std::strtol(&farm[colon + 1], nullptr, 10));
  return seed ? AutokeyTraffic(path, CookieOf(path, *seed)) : nullptr;
}

std::unique_ptr<Traffic> MakeTraffic(const Options& options, int fd, const AddressPair& path) {
  if (options.cookies) return std::make_unique<CookieTraffic>(path);
  if (!options.key.empty()) return SymmetricTraffic(options.key);
  if (!options.farm.empty()) return FarmTraffic(options.farm, path);
  if (!options.autokey) return PlainTraffic();
  const auto cookie = AskCookie(options, fd, path);
  return cookie ? AutokeyTraffic(path, *cookie) : nullptr;
}

int Main(int argc, char** argv) {
  const auto options = Parse(argc, argv);
  if (!options) return std::fprintf(stderr, "ntp-load: see the head of its source\n"), 2;
  AddressPair path;
  path.destination = options->server.ip;
  const auto fd = net::ConnectTo(options->server, 0, &path.source);
  if (!fd.ok()) return std::fprintf(stderr, "ntp-load: %s\n", fd.error().text.c_str()), 2;
  const auto traffic = MakeTraffic(*options, fd->get(), path);
  if (!traffic) return std::fprintf(stderr, "ntp-load: no such key, or no cookie\n"), 2;
  Load load(*options, fd->get(), traffic.get());
  load.Run(kWarmUp);
  const double before = ProcessorSeconds(options->pids);
  load.Run(options->seconds);
  load.Print(options->seconds, ProcessorSeconds(options->pids) - before);
  return load.replies() > 0 ? 0 : 1;
}

}  // namespace
}  // namespace ntpward::bench

int main(int argc, char** argv) { return ntpward::bench::Main(argc, argv); }
