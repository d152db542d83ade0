// A few hosts that send to each other, each with an Engine and a drifting clock: each packet takes
// a step and some noise.
//
// True time starts at zero. Every packet is taken to be under a good MAC.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <vector>

#include "ntpd/core/engine.h"

namespace ntpward::core::test {

// By which the MACs are.
inline constexpr KeyId kNetworkKey{7};

class SimNetwork {
 public:
  struct Host {
    std::unique_ptr<Engine> engine;
    double error = 0, drift = 0, frequency = 0, slew = 0;
    bool up = true;
  };
  // The hosts are numbered from 0.
  // `config` is what each is made with, but for the seed.
  explicit SimNetwork(int count, uint64_t seed = 1, EngineConfig config = {});

  static IpAddress AddressOf(int host) {
    return IpAddress::V4(10, 0, 0, static_cast<uint8_t>(host + 1));
  }
  static uint32_t RefidOf(int host) { return 0x0a000001U + static_cast<uint32_t>(host); }

  // `host` mobilises an association with `other`, whose number is `other` + 1.
  void Associate(int host, int other, const AssociationConfig& config);
  // A local clock of stratum 3.
  void AddClock(int host);
  void RemoveClock(int host);
  void RunUntil(double end);

  std::vector<Host> hosts;  // as many as the constructor was told
  double loss = 0;          // probability that a packet is lost

 private:
  struct Packet {
    int from, to;
    wire::Header header;
    double late;  // s into the step
  };
  NtpTimestamp TimeOf(const Host& host, double extra = 0) const;
  double Uniform();
  void Advance(Host* host) const;
  static void Apply(Host* host, const ClockAction& action);
  void Tick(int index);
  void Poll(int index, AssocId id);
  void Launch(Packet packet);
  void Deliver(const Packet& packet);
  void Answer(const Packet& packet);

  double now_ = 0;
  std::mt19937_64 random_;
  std::multimap<double, Packet> flying_;
};

}  // namespace ntpward::core::test
