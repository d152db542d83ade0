// What a key process leaves to the one that takes its place at a reload, and how that takes it up.
//
// Cookies, lists and the keys that signed before: see msg/heritage.h. Open challenges are not among
// it; net draws others. Neither side waits or reads here: messages are arguments and results.
#pragma once

#include <functional>

#include "keys/key_state.h"
#include "privsep/msg/heritage.h"

namespace ntpward::keys {

// Seconds for which a replaced key may still sign: as long as hosts believe what they proved
// (2^19, as ntpd 4.2.8).
inline constexpr double kElderSeconds = 524288;

// Tells all that `state` has, one encoded message after the other; the caller's copy is wiped when
// `send` returns. False as soon as `send` is: then it is not whole. `state` has a host.
using SendHeritage = std::function<bool(Bytes)>;
[[nodiscard]] bool Bequeath(const KeyState& state, const SendHeritage& send);

// Takes up what Bequeath told.
class Heir {
 public:
  // `state` must outlive it.
  explicit Heir(KeyState* state) : state_(*state) {}

  enum class Progress : uint8_t {
    kMore,    // the next, please
    kWhole,   // `state` has it all
    kNothing  // it is of no use or not well-formed; `state` is as empty as before
  };
  Progress Take(Bytes message);
  // No more will come.
  void GiveUp();

 private:
  bool TakeAssociation(const msg::HeritageAssociation& record);
  bool TakeSigner(const msg::HeritageSigner& record);
  bool TakeEnd(const msg::HeritageEnd& end);
  bool IsOurs(const Elder& elder) const;

  KeyState& state_;
  uint32_t messages_ = 0;
};

}  // namespace ntpward::keys
