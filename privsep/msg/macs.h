// net <-> keys: MACs are checked and made. Those of clients travel in batches.
#pragma once

#include "privsep/msg/codec.h"

namespace ntpward::msg {

inline constexpr size_t kMaxMac = 68;       // key id and up to 64 octets of digest
inline constexpr size_t kMaxCovered = 600;  // octets under one MAC: NTP header or mode 6 message
inline constexpr size_t kMaxFields = 2048;  // a packet's extension fields: wire::kMaxExtensionArea
inline constexpr size_t kMaxChecked = 48 + kMaxFields;  // NTP header and these

// What all replies of one batch share: the served system state (RFC 5905 section 7.3 field order).
struct ReplyTemplate {
  uint8_t leap = 3;         // 0..3
  uint8_t stratum = 0;      // as on the wire: 0 when unsynchronised
  int8_t precision = 0;     // log2 s
  uint32_t root_delay = 0;  // 16.16 s
  uint32_t root_dispersion = 0;
  uint32_t refid = 0;
  NtpTimestamp reference;
  NtpDuration correction;  // virtual clock: served time minus system time, now
  NtpDuration wire_delay;  // how much later than its stamp a packet leaves, as net measured

  bool Valid() const { return leap <= 3; }
  static auto Fields(auto& m) {
    return std::tie(m.leap, m.stratum, m.precision, m.root_delay, m.root_dispersion, m.refid,
                    m.reference, m.correction, m.wire_delay);
  }
};

// One client's request that carried a MAC (client mode).
struct ServeJob {
  uint16_t job = 0;  // position in net's batch
  AddressPair path;  // client -> server
  KeyId key;
  InlineBytes<48> covered;          // the header exactly as received: what the MAC covers
  InlineBytes<kMaxMac - 4> digest;  // received digest
  NtpTimestamp receive;             // served time of arrival
  bool over_limit = false;  // too many came from its address: no cookie that anybody can make
                            // is good

  bool Valid() const { return covered.size() == 48 && !digest.empty() && !key.is_none(); }
  static auto Fields(auto& m) {
    return std::tie(m.job, m.path, m.key, m.covered, m.digest, m.receive, m.over_limit);
  }
};

// net -> keys: check each request and seal its reply. A request with extension fields travels
// alone, `fields` being what its MAC covers behind the header; only a symmetric key can be good for
// them, and the reply has none. keys builds the 48-octet reply from the template and the request
// (mode 4, version and poll of the request, origin = its transmit time), writes the transmit time
// itself, seals it under the cookie or the key of the request.
struct ServeBatch {
  static constexpr Type kType = Type::kServeBatch;
  uint32_t request = 0;
  ReplyTemplate reply;
  InlineVector<ServeJob, 20> jobs;
  InlineBytes<kMaxFields> fields;

  bool Valid() const { return !jobs.empty() && (fields.empty() || jobs.size() == 1); }
  static auto Fields(auto& m) { return std::tie(m.request, m.reply, m.jobs, m.fields); }
};

enum class ServeOutcome : uint8_t {
  kSealed = 0,  // `transmit` and `mac` (key id and digest) complete the reply
  kNak,         // MAC wrong or key unknown: answer with a crypto-NAK (MAC of four zero octets)
  kRefused,     // key is not allowed to serve (bound to an upstream only): no answer
  kLast = kRefused,
};

struct ServeResult {
  uint16_t job = 0;
  ServeOutcome outcome = ServeOutcome::kRefused;
  NtpTimestamp transmit;
  InlineBytes<kMaxMac> mac;

  bool Valid() const { return (outcome == ServeOutcome::kSealed) == !mac.empty(); }
  static auto Fields(auto& m) { return std::tie(m.job, m.outcome, m.transmit, m.mac); }
};

// keys -> net.
struct ServeDone {
  static constexpr Type kType = Type::kServeDone;
  uint32_t request = 0;
  InlineVector<ServeResult, 20> results;

  static auto Fields(auto& m) { return std::tie(m.request, m.results); }
};

// net -> keys: make the MAC of one of our own packets.
//
// With an Autokey key id the session key is made from `path`, the key id and the cookie of
// `association`. With a symmetric one the first octet's mode decides whether the key's role allows
// it: client mode (3) for an upstream's key, symmetric active (1) for a peer's, symmetric passive
// (2) for a peer's or a client's, broadcast (5) for a broadcast line's, mode 6 for a control key.
//
// In packets of modes 1, 2 and 5 keys writes the transmit time itself, so that nobody can have one
// sealed for another time.
struct SealRequest {
  static constexpr Type kType = Type::kSealRequest;
  uint32_t request = 0;
  AssocId association;  // 0: none (symmetric key only)
  AddressPair path;     // this host -> the other
  KeyId key;
  NtpDuration correction;  // as in ReplyTemplate; for modes 1, 2 and 5
  InlineBytes<kMaxCovered> covered;

  bool Valid() const { return covered.size() >= 12 && !key.is_none(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.association, m.path, m.key, m.correction, m.covered);
  }
};

// keys -> net. An empty MAC: no such key, no cookie, or not allowed.
struct Sealed {
  static constexpr Type kType = Type::kSealed;
  uint32_t request = 0;
  NtpTimestamp transmit;     // modes 1, 2 and 5: belongs into the packet; else zero
  InlineBytes<kMaxMac> mac;  // key id and digest

  static auto Fields(auto& m) { return std::tie(m.request, m.transmit, m.mac); }
};

// net -> keys: is this MAC good? The same choice of key as SealRequest, for a packet that came in.
//
// With an Autokey key id, mode 4 wants the cookie that the server gave `association`. Modes 1, 2
// and 5 want a key list that was accepted for it (KeyListAccept) and the `path` of that, in which
// the key must come next. The session key is made with the agreed cookie for a bare header of modes
// 1 and 2, and with private value 0 in mode 5, behind a field, and before the peer was given our
// half of a cookie.
struct CheckMac {
  static constexpr Type kType = Type::kCheckMac;
  uint32_t request = 0;
  AssocId association;
  AddressPair path;  // the other -> this host
  KeyId key;
  InlineBytes<kMaxChecked> covered;
  InlineBytes<kMaxMac - 4> digest;

  bool Valid() const { return covered.size() >= 12 && !key.is_none() && !digest.empty(); }
  static auto Fields(auto& m) {
    return std::tie(m.request, m.association, m.path, m.key, m.covered, m.digest);
  }
};

}  // namespace ntpward::msg
