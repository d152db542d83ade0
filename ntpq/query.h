// One question and its answer: sending, waiting, asking again, within deadlines that no server can
// move.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ntpd/wire/control_message.h"
#include "ntpq/mac.h"
#include "ntpq/reassembly.h"
#include "ntpq/transport.h"
#include "privsep/base/secret.h"

namespace ntpward::ntpq {

// Why there is no answer.
struct QueryError {
  enum class Kind : uint8_t {
    kRefused,      // the server reports `code`
    kNothing,      // no answer in time
    kIncomplete,   // parts of an answer in time
    kTooMuch,      // more than is taken
    kTransport,    // `text` says what the kernel said
    kNoHost,       // `text` says so
    kNotSent,      // `text` says why not
    kCredentials,  // none; the user was told
    kInterrupted,  // the user does not want it any more
  };
  Kind kind;
  wire::ControlError code = wire::ControlError::kUnspecified;
  std::string text;
};

// What authenticates a request. The secret is the caller's.
struct Credentials {
  KeyId key;
  KeyType type;
  Bytes secret;
};

struct QueryOptions {
  uint8_t version = 2;        // 1..4
  double timeout_s = 5;       // for the first datagram of an answer
  double next_timeout_s = 3;  // for each one after it, and twice this for all of them together
  int attempts = 2;           // questions sent, while none is answered; at least 1
};

// Questions to one server, numbered.
class Querier {
 public:
  // `first_sequence` should be hard to guess: it is what a blind forger has to hit.
  Querier(Transport& transport, uint16_t first_sequence)
      : transport_(transport), sequence_(first_sequence) {}

  // Nothing is waited for after `deadline`, whatever arrives: a server that drips datagrams gains
  // nothing by it (CVE-2015-8158).
  void set_deadline(MonoTime deadline) { deadline_ = deadline; }

  // Asks, and again after a timeout. `data` is at most wire::kMaxControlData octets. Reply::mac is
  // by the credentials, but decides nothing: not all daemons seal all answers.
  Result<Reply, QueryError> Ask(wire::ControlOp op, AssocId assoc, std::string_view data,
                                const QueryOptions& options,
                                const std::optional<Credentials>& credentials);

 private:
  Result<void, QueryError> Send(const wire::ControlHeader& header, std::string_view data,
                                const std::optional<Credentials>& credentials);
  Result<Reply, QueryError> Collect(const wire::ControlHeader& header, const QueryOptions& options,
                                    const std::optional<Credentials>& credentials);

  Transport& transport_;
  uint16_t sequence_;
  MonoTime deadline_;
};

}  // namespace ntpward::ntpq
