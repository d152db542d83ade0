// How the clock is steered and which interfaces are used: tos, tinker, enable, disable, interface.
//
// Sources: ntp.conf of ntpd 4.2.8; defaults are that version's unless said otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ntpd/config/diagnostic.h"
#include "privsep/base/address.h"

namespace ntpward::config {

inline constexpr uint8_t kNoOrphanStratum = 17;

// Selection limits (`tos`).
struct Tos {
  Setting<uint32_t> minclock{3};
  Setting<uint32_t> maxclock{10};
  Setting<uint32_t> minsane{1};
  Setting<uint8_t> floor{0};     // least stratum that is used
  Setting<uint8_t> ceiling{15};  // strata from here on are not used
  Setting<bool> cohort{false};
  Setting<double> mindist{0.001};             // s
  Setting<double> maxdist{1.5};               // s
  Setting<uint8_t> orphan{kNoOrphanStratum};  // kNoOrphanStratum: off
  Setting<uint32_t> orphanwait{300};          // s
  Setting<uint32_t> beacon{7200};             // s
  Setting<uint8_t> bcpollbstep{0};            // 0..4
};

// Clock discipline limits (`tinker`). Zero `panic`, `step` or `stepout`: never.
struct Tinker {
  Setting<uint8_t> allan{11};       // log2 s; accepted, without effect
  Setting<double> dispersion{15};   // ppm
  Setting<double> freq{0};          // ppm; is_set() overrides the drift file
  Setting<double> huffpuff{0};      // s; accepted, without effect
  Setting<double> panic{1000};      // s
  Setting<double> step{0.128};      // s, both directions unless the next two are set
  Setting<double> stepback{0.128};  // s
  Setting<double> stepfwd{0.128};   // s
  Setting<double> stepout{300};     // s
  Setting<double> tick{0};          // s; accepted, without effect
};

// `enable` and `disable`.
struct Switches {
  Setting<bool> auth{true};
  Setting<bool> bclient{false};
  Setting<bool> calibrate{false};
  Setting<bool> kernel{true};
  Setting<bool> mode7{false};
  Setting<bool> monitor{true};
  Setting<bool> ntp{true};
  Setting<bool> pps{false};
  Setting<bool> stats{true};
};

enum class InterfaceAction : uint8_t { kListen, kIgnore, kDrop };
enum class InterfaceMatch : uint8_t { kAll, kIpv4, kIpv6, kWildcard, kName, kAddress };

// One `interface` line; the last line that matches an interface decides.
struct InterfaceRule {
  Location where;
  InterfaceAction action = InterfaceAction::kListen;
  InterfaceMatch match = InterfaceMatch::kAll;
  std::string name;   // kName
  IpAddress address;  // kAddress
  uint8_t prefix = 0;
};

// An extra variable of mode 6 (`setvar NAME = VALUE [default]`).
struct SystemVariable {
  Location where;
  std::string name;
  std::string value;
  bool by_default = false;  // shown without being asked for
};

struct System {
  Tos tos;
  Tinker tinker;
  Switches switches;
  std::vector<InterfaceRule> interfaces;
  std::vector<SystemVariable> variables;
  Setting<double> broadcastdelay{0.004};  // s
  Setting<std::vector<uint8_t>> ttl;      // hop limits, up to 8; empty: 31, 63, ... 255
  Setting<uint8_t> dscp{46};              // 0..63
};

}  // namespace ntpward::config
