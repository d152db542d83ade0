// net <-> keys, keys <-> supervisor: what somebody who has the control key wants changed while the
// daemon runs (`ntpq :config`, `saveconfig`, `writevar`).
//
// ntpd-net hands a request over whole. ntpd-keys checks the MAC and the nonce itself, and trusts
// symmetric keys, or trusts them no longer, by itself too: of such a line an ntpd-net that was
// taken over can hold it back, and nothing else. Of every other request ntpd-keys says whether it
// is authorised, and ntpd-net goes on from there.
#pragma once

#include "privsep/base/nonce_word.h"
#include "privsep/msg/keys.h"

namespace ntpward::msg {

inline constexpr size_t kCommandNonceOctets = kNonceOctets;
inline constexpr size_t kMaxCommandKeys = 100;

// net -> keys: make a nonce.
struct CommandNonceRequest {
  static constexpr Type kType = Type::kCommandNonceRequest;
  uint32_t request = 0;
  IpAddress source;  // who asks, by net's word: good for commands from there

  static auto Fields(auto& m) { return std::tie(m.request, m.source); }
};

// keys -> net. No secret; good for one command of who asked within 30 s.
struct CommandNonce {
  static constexpr Type kType = Type::kCommandNonce;
  uint32_t request = 0;
  InlineBytes<kCommandNonceOctets> nonce;

  bool Valid() const { return nonce.size() == kCommandNonceOctets; }
  static auto Fields(auto& m) { return std::tie(m.request, m.nonce); }
};

// net -> keys: may this mode 6 request (CONFIGURE, SAVECONFIG, WRITEVAR)? If it is about the trust
// in keys, do what it says.
struct Command {
  static constexpr Type kType = Type::kCommand;
  uint32_t request = 0;
  IpAddress source;  // by net's word; one of loopback is of this host
  KeyId key;
  // A line of configuration (CONFIGURE) that ntpd-net can carry out: whether it is to be kept, and
  // the host of the line that its `unconfig ASSOCID` means.
  bool keep = false;
  InlineText<255> subject;
  // Net will not do it, and wants to tell nobody but who may ask: nothing is done.
  bool judge_only = false;
  InlineBytes<kMaxCovered> covered;  // header, data and padding as received: what the MAC is over
  InlineBytes<kMaxMac - 4> digest;

  bool Valid() const { return covered.size() >= 12 && key.is_symmetric() && !digest.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.source, m.key, m.keep, m.subject, m.judge_only, m.covered,
                    m.digest);
  }
};

enum class CommandOutcome : uint8_t {
  kDone = 0,
  kDenied,      // the MAC is wrong, or not the control key's
  kNonce,       // none where one is needed, or one that is not ours, too old or used
  kSyntax,      // not a form that is known; `column`
  kUnknownKey,  // `column` names a key that is not in the key file
  kControlKey,  // `column` would take the trust from the control key itself
  kBusy,        // ask again later
  kAuthorised,  // its sender may; it is not about keys, and nothing of it was done
  kKeyInUse,    // `column` would give the control key to an association
  kFull,        // no more lines can be kept
  kLast = kFull,
};

// keys -> net. ntpd-keys changed nothing unless it is kDone.
struct CommandDone {
  static constexpr Type kType = Type::kCommandDone;
  uint32_t request = 0;
  CommandOutcome outcome = CommandOutcome::kDenied;
  uint16_t column = 0;                        // of the offending word in the request's data, from 0
  bool trusted = false;                       // kDone: what the keys are now
  InlineVector<KeyId, kMaxCommandKeys> keys;  // kDone: which

  bool Valid() const { return (outcome == CommandOutcome::kDone) == !keys.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.outcome, m.column, m.trusted, m.keys);
  }
};

// A key and what was last said of it.
struct TrustedNow {
  KeyId key;
  bool trusted = false;

  bool Valid() const { return key.is_symmetric(); }
  static auto Fields(auto& m) { return std::tie(m.key, m.trusted); }
};

// keys -> supervisor, before it is done: to be kept for the next ntpd-keys. supervisor -> keys,
// before KeysEnd, and at a reload once more before KeysServe: what was kept, and never later, since
// it would be older than what a command did since. The last word about a key counts.
struct RuntimeTrust {
  static constexpr Type kType = Type::kRuntimeTrust;
  InlineVector<TrustedNow, 300> keys;

  bool Valid() const { return !keys.empty(); }
  static auto Fields(auto& m) { return std::tie(m.keys); }
};

}  // namespace ntpward::msg
