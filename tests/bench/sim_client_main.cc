// A client in one process, for clknetsim: the engine and ntpd-clock's guard and kernel clock as in
// the daemon, with plain sockets between. Never installed; no cage, no keys.
//
// usage: ntp-sim-client MINPOLL MAXPOLL ADDRESS...
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "ntpd/clock/guard.h"
#include "ntpd/clock/kernel_clock.h"
#include "ntpd/core/engine.h"
#include "ntpd/wire/packet.h"

namespace ntpward::bench {
namespace {

constexpr double kLongestSleep = 3600;

timespec Read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now;
}
NtpTimestamp SystemTime() { return NtpTimestamp::FromUnix(Read(CLOCK_REALTIME)); }
MonoTime Mono() {
  const timespec now = Read(CLOCK_MONOTONIC);
  return MonoTime::FromNanoseconds(int64_t{now.tv_sec} * 1000000000 + now.tv_nsec);
}

core::EngineConfig Config() {
  core::EngineConfig config;
  config.precision = -23;
  config.discipline.panic_gate_open = true;
  return config;
}

class Client {
 public:
  Client() : engine_(Config(), Mono()), guard_(Start()) {}

  void AddServer(const IpAddress& ip, int minpoll, int maxpoll) {
    const SocketAddress remote{ip, 123};
    sockaddr_storage address{};
    const socklen_t length = remote.ToSockaddr(&address);
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0);
    sockets_.push_back({fd, POLLIN, 0});
    const AssocId id{static_cast<uint16_t>(sockets_.size())};
    core::AssociationConfig config;
    config.poll = {minpoll, maxpoll, true, false};
    CHECK(engine_.AddAssociation(id, remote, id.value, config, Mono()));
  }

  void Turn() {
    const double wait = std::clamp(engine_.NextDeadline() - Mono(), 0.0, kLongestSleep);
    const int ready = poll(sockets_.data(), sockets_.size(), static_cast<int>(wait * 1000) + 1);
    for (size_t i = 0; ready > 0 && i < sockets_.size(); ++i)
      if (sockets_[i].revents != 0) Receive(i);
    if (engine_.NextDeadline() <= Mono()) Tick();
    (void)engine_.TakeEvents();
  }

 private:
  // As the supervisor sets it for `ntpd -g`.
  static msg::ClockStart Start() {
    msg::ClockStart start;
    start.step_limit = 1000;
    start.first_step_free = true;
    return start;
  }

  // False when the guard refused.
  bool Ask(msg::ClockAdjust request) {
    request.synchronised = engine_.system().synchronised();
    // No successor will need to know what it spent.
    const auto unheard = [](const msg::ClockMirror&) { return true; };
    const msg::ClockState state = guard_.Apply(request, &kernel_, Mono(), unheard);
    if (state.refusal == msg::ClockRefusal::kNone) return true;
    std::fprintf(stderr, "refused: %d\n", static_cast<int>(state.refusal));
    return false;
  }

  void Act(const core::ClockAction& action) {
    if (action.kind != core::ClockAction::Kind::kStep) return;
    msg::ClockAdjust request;
    request.step = action.offset;
    request.slew = 0;
    if (Ask(request)) {
      engine_.OnStepMade(Mono());
    } else {
      engine_.OnStepRefused(Mono());
    }
  }

  void Tick() {
    const core::Engine::TickResult result = engine_.Tick(Mono(), SystemTime());
    msg::ClockAdjust request;
    request.frequency = result.clock.frequency;
    request.slew = result.clock.slew;
    (void)Ask(request);
    Act(result.action);
    for (const AssocId id : result.due) Poll(id);
  }

  void Poll(AssocId id) {
    const auto nonce = NtpTimestamp::FromRaw((uint64_t{random_()} << 32) | random_() | 1);
    const auto header = engine_.BuildRequest(id, Mono(), nonce);
    CHECK(header.has_value());
    std::array<uint8_t, wire::kHeaderSize> packet{};
    Writer writer(packet);
    wire::EncodeHeader(writer, *header);
    engine_.OnSent(id, SystemTime(), KeyId{});
    (void)send(sockets_[id.value - 1U].fd, packet.data(), packet.size(), 0);
  }

  void Receive(size_t index) {
    std::array<uint8_t, wire::kMaxPacketSize> buffer{};
    const ssize_t size = recv(sockets_[index].fd, buffer.data(), buffer.size(), 0);
    if (size <= 0) return;
    const auto packet = wire::ParsePacket(Bytes(buffer).first(static_cast<size_t>(size)));
    if (!packet.ok()) return;
    const AssocId id{static_cast<uint16_t>(index + 1)};
    if (engine_.OnReply(id, packet->header, std::nullopt, SystemTime(), Mono()).ok())
      Act(engine_.Update(Mono(), SystemTime()));
  }

  core::Engine engine_;
  clock::Guard guard_;
  clock::KernelClock kernel_;
  std::vector<pollfd> sockets_;
  std::minstd_rand random_{std::random_device{}()};
};

int Main(int argc, char** argv) {
  if (argc < 4)
    return std::fprintf(stderr, "usage: ntp-sim-client MINPOLL MAXPOLL ADDRESS...\n"), 2;
  Client client;
  for (int i = 3; i < argc; ++i) {
    const auto ip = IpAddress::Parse(argv[i]);
    if (!ip) return std::fprintf(stderr, "%s: no address\n", argv[i]), 2;
    client.AddServer(*ip, std::atoi(argv[1]), std::atoi(argv[2]));
  }
  for (;;) client.Turn();
}

}  // namespace
}  // namespace ntpward::bench

int main(int argc, char** argv) { return ntpward::bench::Main(argc, argv); }
