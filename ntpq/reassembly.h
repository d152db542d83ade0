// Puts the fragments of one answer together.
//
// They come from the network in any order, any number of times, from anyone who guesses ports and
// sequence number. What does not belong is ignored; what is kept is bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ntpd/wire/control_message.h"

namespace ntpward::ntpq {

inline constexpr size_t kMaxFragments = 160;  // as many as 16-bit offsets can tell apart, and some

// What the MACs of an answer's fragments are worth; the later one is the worse.
enum class AnswerMac : uint8_t {
  kGood,
  kNone,  // one has none of the key that was asked under
  kBad,   // one has a wrong one
};

// A whole answer: the status word of its last fragment, and all data.
struct Reply {
  uint16_t status = 0;
  std::string data;
  AnswerMac mac = AnswerMac::kNone;
};

class Reassembly {
 public:
  // Expects the answer to `request`.
  explicit Reassembly(const wire::ControlHeader& request) : request_(request) {}

  enum class Outcome : uint8_t {
    kIgnored,   // does not belong here, or adds nothing
    kMore,      // kept; the answer is not whole yet
    kDone,      // Take() has the answer
    kRefused,   // the server reports error()
    kOverflow,  // more than is reasonable: give up
  };
  Outcome Add(Bytes datagram);

  bool empty() const { return fragments_.empty(); }
  wire::ControlError error() const { return error_; }
  Reply Take();

 private:
  struct Piece {
    uint16_t offset;
    std::string data;
  };

  bool Belongs(const wire::ControlHeader& header) const;
  Outcome Keep(const wire::ControlFragment& fragment);
  bool whole() const;

  wire::ControlHeader request_;
  std::vector<Piece> fragments_;  // by ascending offset, without overlap
  std::optional<size_t> end_;     // where the last fragment ends
  uint16_t status_ = 0;
  wire::ControlError error_ = wire::ControlError::kUnspecified;
};

}  // namespace ntpward::ntpq
