// What a client's request gets: a reply, a kiss of death, or nothing.
//
// The request comes from anyone; the answer is never longer than it and depends on the published
// system state alone. The caller writes the transmit time just before it sends, except into a kiss.
// Sources: RFC 5905 sections 7.4, 9.2 and 14; ntpd 4.2.8 for `restrict`.
#pragma once

#include <cstdint>
#include <optional>

#include "ntpd/core/access.h"
#include "ntpd/core/rate_limit.h"
#include "ntpd/core/system_state.h"
#include "ntpd/wire/packet.h"

namespace ntpward::core {

// What the sender's MAC proved.
enum class RequestAuth : uint8_t {
  kNone,  // no MAC
  kGood,
  kBad,      // the answer is a crypto-NAK, if there is an answer
  kUnknown,  // a MAC that was not checked (yet)
};

// Why a request got no answer; each is a counter.
enum class Silence : uint8_t {
  kIgnored,       // `ignore`
  kNotServed,     // `noserve`
  kWrongVersion,  // `version`, or not 1 to 4
  kUntrusted,     // `notrust` and no good MAC
  kNotARequest,   // a reply, a broadcast, an error: never answered, or two servers would play
                  // ping-pong (CVE-2009-3563)
  kSourcePort,    // port 0
  kLimited,       // too fast
};

// One datagram that could get a reply.
struct Request {
  wire::Header header;
  SocketAddress source;
  AccessFlags flags;  // of the access list, for `source`
  RequestAuth auth = RequestAuth::kNone;
  NtpTimestamp received;  // by our clock
};

struct Answer {
  wire::Header header;
  bool kiss = false;        // transmit is set already and must stay; never say the time in a kiss
  bool crypto_nak = false;  // to be closed with a crypto-NAK instead of a MAC
};

// Is this a datagram that a server answers at all? To be asked before the rate limiter counts it.
// Client mode, and what old clients send: version 1 with mode 0 (RFC 1059 had no modes), also from
// port 123, as ntpd 4.2.8 does, and symmetric active of someone we have no association with, which
// is answered as passive and forgotten (Windows clients; RFC 5905 section 9.2 would mobilise). The
// answer has mode 4 or 2 and so gets none, whoever it goes to.
std::optional<wire::Mode> ReplyMode(const wire::Header& request);

// The answer to `request` given what the rate limiter says of its sender; call it only for what has
// a ReplyMode(). `now` ages the root dispersion.
Result<Answer, Silence> AnswerRequest(const Request& request, RateDecision rate,
                                      const SystemState& system, MonoTime now);

// The 48 octets of a reply with `mode`, transmit time zero.
wire::Header BuildReply(const wire::Header& request, wire::Mode mode, NtpTimestamp received,
                        const SystemState& system, MonoTime now);
// A kiss of death with code `refid` (RFC 5905 section 7.4). All its times are the request's own.
wire::Header BuildKiss(const wire::Header& request, wire::Mode mode, uint32_t refid,
                       const SystemState& system);

}  // namespace ntpward::core
