#include "ntpd/core/server.h"

#include <algorithm>

namespace ntpward::core {
namespace {

// A client's poll field is echoed within what we would accept ourselves.
int8_t ReplyPoll(const wire::Header& request) {
  return static_cast<int8_t>(
      std::clamp(static_cast<int>(request.poll), kMinPollLimit, kMaxPollLimit));
}

}  // namespace

std::optional<wire::Mode> ReplyMode(const wire::Header& request) {
  if (request.version < wire::kMinVersion || request.version > wire::kMaxVersion)
    return std::nullopt;
  switch (request.mode) {
    case wire::Mode::kClient:
      return wire::Mode::kServer;
    case wire::Mode::kSymmetricActive:
      return wire::Mode::kSymmetricPassive;
    case wire::Mode::kUnspecified:
      if (request.version == 1) return wire::Mode::kServer;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

wire::Header BuildReply(const wire::Header& request, wire::Mode mode, NtpTimestamp received,
                        const SystemState& system, MonoTime now) {
  wire::Header reply;
  reply.leap = system.leap;
  reply.version = request.version;
  reply.mode = mode;
  reply.stratum = system.stratum >= wire::kStratumUnsynchronised ? uint8_t{0} : system.stratum;
  reply.poll = ReplyPoll(request);
  reply.precision = system.precision;
  reply.root_delay = wire::NtpShort::FromSeconds(system.root_delay);
  reply.root_dispersion = wire::NtpShort::FromSeconds(system.RootDispersionAt(now));
  reply.refid = system.refid;
  reply.reference = system.reference;
  reply.origin = request.transmit;
  reply.receive = received;
  return reply;
}

wire::Header BuildKiss(const wire::Header& request, wire::Mode mode, uint32_t refid,
                       const SystemState& system) {
  wire::Header kiss;
  kiss.leap = wire::Leap::kAlarm;
  kiss.version = request.version;
  kiss.mode = mode;
  kiss.stratum = 0;
  kiss.poll = ReplyPoll(request);
  kiss.precision = system.precision;
  kiss.refid = refid;
  // A careless client that takes a kiss for time computes an offset of zero from these.
  kiss.reference = kiss.origin = kiss.receive = kiss.transmit = request.transmit;
  return kiss;
}

Result<Answer, Silence> AnswerRequest(const Request& request, RateDecision rate,
                                      const SystemState& system, MonoTime now) {
  const AccessFlags flags = request.flags;
  if (flags.has(Access::kIgnore)) return Fail(Silence::kIgnored);
  if (request.source.port == 0) return Fail(Silence::kSourcePort);
  const auto mode = ReplyMode(request.header);
  if (!mode) return Fail(Silence::kNotARequest);
  if (flags.has(Access::kVersion) && request.header.version != wire::kMaxVersion)
    return Fail(Silence::kWrongVersion);
  const bool kiss = rate == RateDecision::kKissOfDeath;
  if (flags.has(Access::kNoServe)) {
    if (!kiss) return Fail(Silence::kNotServed);
    return Answer{BuildKiss(request.header, *mode, wire::RefidCode("DENY"), system), true, false};
  }
  if (flags.has(Access::kNoTrust) && request.auth != RequestAuth::kGood) {
    if (!kiss) return Fail(Silence::kUntrusted);
    return Answer{BuildKiss(request.header, *mode, wire::RefidCode("RSTR"), system), true, false};
  }
  if (kiss)
    return Answer{BuildKiss(request.header, *mode, wire::RefidCode("RATE"), system), true, false};
  if (rate == RateDecision::kDrop) return Fail(Silence::kLimited);
  return Answer{BuildReply(request.header, *mode, request.received, system, now), false,
                request.auth == RequestAuth::kBad};
}

}  // namespace ntpward::core
