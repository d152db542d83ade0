// Fetches a server's list of recent clients piece by piece, however long it is and whatever gets
// lost of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "ntpq/mru.h"
#include "ntpq/session.h"

namespace ntpward::ntpq {

// Why no more of a list came.
enum class MruEnd : uint8_t {
  kWhole,       // nothing is missing
  kStopped,     // the user wants no more of it
  kUnanswered,  // the server does not answer, or refuses; the user was told
  kRepeated,    // the server sends nothing that is new
  kFull,        // more clients than MruList keeps
  kTooLate,     // after kMruSeconds
};

// So long is a list asked for.
inline constexpr double kMruSeconds = 590;

// How many fragments the next answer may have (`frags`, 2 to 128): as ntpq 4.2.8, 32 at first, half
// as many once some got lost, and one more after each answer that came whole.
class MruAnswerSize {
 public:
  // `near`: over the loopback interface nothing is lost, so that answers may grow up to 128.
  // `sealed`: each fragment is under a MAC, of which ntpward's ntpd makes 96 at a time; 64 leave
  // room for other clients.
  explicit MruAnswerSize(bool near, bool sealed = false)
      : limit_(sealed ? kSealedMost : kServersMost), most_(near ? limit_ : kMost) {}

  int fragments() const { return fragments_; }
  void OnWhole();
  void OnLoss();
  // No answer at all, but to the questions before: a server answers so many a second. What it does
  // answer is to bring more; any size that gets through is good from here on.
  void OnSilence();

 private:
  static constexpr int kLeast = 2;
  static constexpr int kMost = 32;
  static constexpr int kServersMost = 128;
  static constexpr int kSealedMost = 64;

  int limit_;
  int most_;
  int fragments_ = kMost;
};

// Asks the current host until `list` is whole or MruEnd says why not; what came is in `list`.
// `filters` are items for the request, each after ", ". Every 5 s a line on standard error says how
// much has come. Takes no longer than kMruSeconds, whatever the server sends.
MruEnd RetrieveMru(Session& session, std::string_view filters, MruList& list);

// How many clients the server has and `list` lacks, by its variable mru_depth; empty when it does
// not say, or has no more. Another 10 s at the longest.
std::optional<uint64_t> MissingClients(Session& session, const MruList& list);

}  // namespace ntpward::ntpq
