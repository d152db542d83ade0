// A host with a drifting clock, some servers and the network between them, all simulated: drives a
// real Engine through days in seconds.
//
// True time is exact and starts at zero; the host's clock is true time plus an error that the
// engine is meant to remove. The clock does what a kernel does: a frequency, a slew of at most 500
// ppm that ends by itself, steps.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "ntpd/core/engine.h"

namespace ntpward::core::test {

inline constexpr double kHour = 3600, kDay = 86400;  // s

// An association that starts with a volley; the bounds are exponents of 2 s.
inline AssociationConfig Iburst(int minpoll = 6, int maxpoll = 10) {
  AssociationConfig config;
  config.poll = {minpoll, maxpoll, true, false};
  return config;
}

// One server as the host sees it. Times in seconds.
struct SimServer {
  double clock_error = 0;    // its clock less true time
  double delay_out = 0.005;  // least delay each way
  double delay_back = 0.005;
  double jitter = 0.0001;  // mean of the exponential part of the delay, each way
  double loss = 0;         // probability that a packet is lost, each way
  bool up = true;
  uint8_t stratum = 1;
  wire::Leap leap = wire::Leap::kNone;
  double root_delay = 0;
  double root_dispersion = 0.0001;
  uint32_t refid = wire::RefidCode("SIM ");
  std::function<void(wire::Header*)> spoil;  // changes each reply just before it leaves
  int requests = 0;                          // that arrived
  std::vector<double> request_times;         // true time of each
};

struct SimClock {
  double error = 0;   // the host's clock less true time, s
  double drift = 0;   // natural frequency error, s/s
  double wander = 0;  // random walk of the drift, s/s per square root of a second
};

inline constexpr SimClock kOrdinary = {-0.05, 50e-6, 1e-8};

// What the clock error was over a time.
struct SimStatistics {
  double rms = 0;
  double max = 0;
};

class SimWorld {
 public:
  SimWorld(const EngineConfig& config, const SimClock& clock, uint64_t seed);

  Engine& engine() { return *engine_; }
  SimClock& clock() { return clock_; }
  SimServer& server(AssocId id) { return servers_.at(id); }
  // Adds a server and the association with it.
  AssocId AddServer(const SimServer& server, const AssociationConfig& config);

  // A leap second takes place now: UTC, and every clock that follows it, is put back by a second
  // (`inserted`) or forward. True time runs on. The host's clock does it only when the engine
  // passed it on.
  void Leap(bool inserted);

  // Runs until true time `until`; collects statistics of the clock error from now to then.
  SimStatistics RunUntil(double until);
  double now() const { return static_cast<double>(now_ns_) / 1e9; }
  MonoTime mono() const { return MonoTime::FromNanoseconds(now_ns_); }
  NtpTimestamp system_time() const;
  // Another host's clock, `error` seconds off true time.
  NtpTimestamp TimeWithError(double error) const;

  bool refuses_steps = false;
  int steps = 0;
  int refused_steps = 0;
  int panics = 0;
  std::vector<EngineEvent> events;
  bool HasEvent(AssocId id, int code) const;

 private:
  struct Packet {
    AssocId id;
    wire::Header header;
  };
  void AdvanceTo(int64_t ns);
  void Poll(AssocId id);
  void Deliver(const Packet& packet);
  void Apply(const ClockAction& action);
  double Exponential(double mean);

  std::mt19937_64 random_;
  SimClock clock_;
  std::unique_ptr<Engine> engine_;
  std::map<AssocId, SimServer> servers_;
  std::multimap<int64_t, Packet> flying_;
  int64_t now_ns_ = 0;
  double frequency_ = 0;  // s/s, as the engine asked
  double slew_left_ = 0;  // s
  double squares_ = 0, longest_ = 0, seconds_ = 0;
};

}  // namespace ntpward::core::test
