// supervisor -> resolve: the names of the configuration, by index. net <-> resolve: index and
// answer. No name ever travels between net and resolve.
#pragma once

#include "privsep/msg/codec.h"

namespace ntpward::msg {

inline constexpr size_t kMaxNames = 1000;
inline constexpr size_t kMaxAddresses = 32;

// supervisor -> resolve.
struct ResolveName {
  static constexpr Type kType = Type::kResolveName;
  uint16_t index = 0;    // below kMaxNames
  uint8_t family = 0;    // 0 any, 4, 6
  InlineText<255> name;  // host name, as in ntp.conf

  bool Valid() const {
    return index < kMaxNames && (family == 0 || family == 4 || family == 6) && !name.empty();
  }
  static auto Fields(auto& m) { return std::tie(m.index, m.family, m.name); }
};

// supervisor -> resolve: all names were sent.
struct ResolveEnd {
  static constexpr Type kType = Type::kResolveEnd;
  uint16_t count = 0;
  static auto Fields(auto& m) { return std::tie(m.count); }
};

// net -> resolve: look this one up now.
struct ResolveRequest {
  static constexpr Type kType = Type::kResolveRequest;
  uint16_t index = 0;
  bool Valid() const { return index < kMaxNames; }
  static auto Fields(auto& m) { return std::tie(m.index); }
};

enum class ResolveOutcome : uint8_t {
  kOk = 0,
  kTemporary,
  kPermanent,
  kTooOften,  // nobody was asked: ntpd-resolve's own limit
  kLast = kTooOften
};

// resolve -> net. Addresses without port; none unless kOk.
struct ResolveAnswer {
  static constexpr Type kType = Type::kResolveAnswer;
  uint16_t index = 0;
  ResolveOutcome outcome = ResolveOutcome::kOk;
  InlineVector<IpAddress, kMaxAddresses> addresses;

  bool Valid() const {
    return index < kMaxNames && (outcome == ResolveOutcome::kOk) == !addresses.empty();
  }
  static auto Fields(auto& m) { return std::tie(m.index, m.outcome, m.addresses); }
};

}  // namespace ntpward::msg
