// links: core
//
// A server that answers whatever it likes, whenever it likes: the engine stays within its bounds.
// Input: records of a flag octet, a time step, and 48 octets of header.
#include <cmath>

#include "ntpd/core/engine.h"
#include "ntpd/core/server.h"

using namespace ntpward;

namespace {

constexpr AssocId kId{1};
constexpr uint8_t kRightOrigin = 0x01, kNearTime = 0x02, kHeard = 0x04, kExtend = 0x08,
                  kKeyed = 0x10, kSilent = 0x20;

struct World {
  core::Engine engine;
  MonoTime now;
  wire::Header request;

  NtpTimestamp time() const {
    return NtpTimestamp::FromRaw(0xfffffff000000000U) + NtpDuration::FromSeconds(now.seconds());
  }
  void CheckBounds(const core::Engine::TickResult& tick) {
    CHECK(std::abs(tick.clock.frequency.value) <= 500);
    CHECK(std::abs(tick.clock.slew) <= core::kMaxSlewRate);
    CHECK(std::isfinite(engine.system().RootDispersionAt(now)));
    CHECK(std::isfinite(engine.Snapshot(kId, now)->root_distance));
    CHECK(engine.NextDeadline() > now || !tick.due.empty());
  }
  void Poll() {
    const auto tick = engine.Tick(now, time());
    for (AssocId id : tick.due) {
      request = *engine.BuildRequest(
          id, now, NtpTimestamp::FromRaw(0x1234U + static_cast<uint64_t>(now.nanoseconds())));
      engine.OnSent(id, time(), KeyId{});
    }
    CheckBounds(tick);
  }
  void Reply(uint8_t flags, wire::Header reply) {
    if (flags & kRightOrigin) reply.origin = request.transmit;
    if (flags & kNearTime) reply.receive = reply.transmit = reply.reference = time();
    std::optional<core::MacVerdict> verdict;
    if (flags & kKeyed) verdict = core::MacVerdict{KeyId{}, core::MacResult::kCryptoNak};
    if (flags & kHeard)
      (void)engine.OnHeard(kId, reply, time(), now);
    else
      (void)engine.OnReply(kId, reply, verdict, time(), now);
    if (flags & kExtend) (void)engine.ExtendBurst(kId, now);
    (void)engine.Update(now, time());
    engine.TakeEvents();
    // The same octets as a request: an answer is never an answer's answer.
    const auto mode = core::ReplyMode(reply);
    if (!mode) return;
    const auto answer = core::BuildReply(reply, *mode, time(), engine.system(), now);
    CHECK(!core::ReplyMode(answer).has_value());
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  core::EngineConfig config;
  config.parameters.panic = 0;
  World world{core::Engine(config, MonoTime()), MonoTime(), {}};
  core::AssociationConfig association;
  association.poll.iburst = true;
  world.engine.AddAssociation(kId, {IpAddress::V4(10, 0, 0, 1), 123}, 1, association, world.now);
  Reader reader(Bytes(data, size));
  while (reader.remaining() >= 2 + wire::kHeaderSize) {
    const uint8_t flags = reader.U8();
    world.now = world.now + reader.U8() / 16.0;
    world.Poll();
    const auto packet = wire::ParsePacket(reader.Take(wire::kHeaderSize));
    if (packet.ok() && !(flags & kSilent)) world.Reply(flags, packet->header);
  }
  return 0;
}
