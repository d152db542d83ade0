// The server's side of Autokey: one answer to the first extension field of a client's packet.
//
// RFC 5906 section 9 and ntpd 4.2.8, byte for byte where its clients look. Nothing is kept about
// clients but who, by a hash of the address, was shown our certificate since our key changed, and
// asked who we are since our signature scheme did. The field comes from anyone: its packet's MAC is
// made with private value 0 and proves nothing.
// Answers with certificates are longer than their requests, so the caller applies access rules and
// rate limits first; an answer is at most wire::kMaxExtensionArea octets.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ntpd/autokey/certificate_cache.h"
#include "ntpd/autokey/host_state.h"
#include "ntpd/autokey/outcome.h"
#include "ntpd/autokey/own_key_list.h"
#include "ntpd/wire/extension_field.h"
#include "privsep/base/token_bucket.h"
#include "privsep/msg/keys.h"

namespace ntpward::autokey {

struct ServerContext {
  const HostState& host;
  const CertificateCache& certificates;
  NtpSeconds now;  // served time; means nothing while not synchronised
  bool synchronised = false;
  // The key list of our broadcast association of that identifier; null when there is none. May be
  // empty: we broadcast nothing.
  std::function<const OwnKeyList*(uint32_t association)> key_lists = {};
  MonoTime mono = {};
  uint32_t draw = 0;  // a random number, for what is left to chance
  // The key that who asks goes by (KeyListMake::elder), where that is known: of a peer.
  std::optional<uint8_t> elder = {};
};

// ASSOC as an answer: our name and status word. `association`: the request's, or our own in a
// broadcast.
std::vector<uint8_t> AssociationResponse(const HostState& host, uint32_t association);

// Asked of the key process; the caller sets `request`.
using ServerOperation = std::variant<msg::CookieIssue, msg::IdentityProve, msg::CertificateIssue>;

// What turns the key process's answer into the reply. Plain data: keep it beside the packet.
struct PendingReply {
  wire::AutokeyFieldHead request;
  uint32_t first_word = 0;  // of the request's field; for cryptostats
};

struct ServerAnswer {
  enum class Kind : uint8_t {
    kReply,    // `field` goes into the reply
    kAskKeys,  // `operation` to the key process, then ServerSide::OnValueAnswer
    kDrop,     // no answer: not a request of this protocol
  };
  Kind kind = Kind::kDrop;
  std::vector<uint8_t> field;  // whole extension field, a multiple of 4 octets
  std::optional<ServerOperation> operation;
  PendingReply pending;
  Outcome outcome = Outcome::kOk;  // other than kOk: the reply says "cannot"
  std::string statistics;          // a cryptostats line, without day, second and address; or empty
};

// Since the start; for ntpq and the log.
struct ServerCounters {
  std::array<uint64_t, 10> requests{};  // by code, 0..9
  uint64_t unknown_code = 0;
  uint64_t version_1 = 0;    // recognised and refused
  uint64_t not_autokey = 0;  // another version, a response, or no head at all
  uint64_t refused = 0;      // answered "cannot"
  uint64_t busy = 0;         // the key process was over its rate, or SIGN over ours: no answer
};

class ServerSide {
 public:
  // Certificates of strangers that are looked at, a second and at once. Each has a signature by a
  // key of its owner's choice, which may take long to check, and nobody pays for asking. More than
  // the key process would sign are of no use.
  static constexpr double kSignRate = 100, kSignBurst = 200;

  // `field` is the packet's first field; `path` goes from the client to this host, as in the
  // packet.
  ServerAnswer OnRequest(Bytes field, const AddressPair& path, const ServerContext& context);

  // The key process's answer to `operation`. Never kAskKeys; kDrop when it was over its rate, so
  // that the client asks again at its next poll.
  ServerAnswer OnValueAnswer(const PendingReply& pending, const msg::ValueAnswer& answer);

  // Our values are signed by another key or scheme from now on, while the key process still has the
  // one before (HostChange::signer).
  // `scheme`: it has another signature scheme.
  void OnSignerReplaced(MonoTime now, bool scheme = false);
  // Seconds for which questions of a dance that began before that are answered under the old key as
  // well: sixteen polls at 64 s. ntpd 4.2.x repeats what is answered under another than it was
  // shown, gets no time, and starts over only after 2^19 s.
  static constexpr double kElderSeconds = 1024;

  const ServerCounters& counters() const { return counters_; }

 private:
  static size_t PlaceOf(const IpAddress& client);
  uint8_t ElderFor(const IpAddress& client, const ServerContext& context) const;
  bool MissedScheme(const IpAddress& client, const ServerContext& context) const;
  ServerAnswer Cannot(const PendingReply& request, Outcome outcome);
  ServerAnswer RefuseOldVersion(Bytes field);

  ServerCounters counters_;
  TokenBucket sign_rate_{kSignRate, kSignBurst};
  // When our signer was replaced, newest first; at most msg::kMaxElders.
  std::vector<MonoTime> replaced_;
  // Who was shown our certificate since, by a hash of the address: 4 KiB whatever the number of
  // clients. Whoever sends in another's name, or shares its place, brings it what it would get
  // without: answers under the new key alone.
  static constexpr size_t kPlacesLog2 = 15;
  using Places = std::bitset<size_t{1} << kPlacesLog2>;
  Places shown_;
  // When our signature scheme was replaced, and who asked ASSOC since.
  std::optional<MonoTime> other_scheme_;
  Places told_scheme_;
};

}  // namespace ntpward::autokey
