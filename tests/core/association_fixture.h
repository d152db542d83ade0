// One association, and an honest server's replies to what it sends.
#pragma once

#include "ntpd/core/association.h"
#include "ntpd/core/engine.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core::test {

inline const Parameters kParameters;
inline constexpr NtpTimestamp kNonce = NtpTimestamp::FromRaw(0xdeadbeefcafef00d);
inline constexpr NtpTimestamp kSendTime = NtpTimestamp::FromRaw(0xe000000012345678);
inline constexpr KeyId kKey{7};

inline MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }
inline NtpTimestamp Later(double seconds) { return kSendTime + NtpDuration::FromSeconds(seconds); }

// One association and the exchange that it started at 0 s.
struct Fixture {
  explicit Fixture(AssociationConfig config = {})
      : association(AssocId{1}, {IpAddress::V4(10, 0, 0, 1), 123}, config, kParameters, -20, 5,
                    At(0)) {
    Send();
  }
  void Send(NtpTimestamp nonce = kNonce, double when = 0, KeyId key = kKey) {
    request = *association.BuildRequest(At(when), nonce);
    association.OnSent(Later(when), key);
  }
  // What an honest server answers: 10 ms each way, its clock 1 s ahead.
  wire::Header Reply(double when = 0) const {
    wire::Header reply;
    reply.leap = wire::Leap::kNone;
    reply.mode = wire::Mode::kServer;
    reply.stratum = 2;
    reply.poll = 6;
    reply.precision = -20;
    reply.root_delay = wire::NtpShort::FromSeconds(0.01);
    reply.root_dispersion = wire::NtpShort::FromSeconds(0.01);
    reply.refid = 0x01020304;
    reply.origin = request.transmit;
    reply.reference = Later(when - 30);
    reply.receive = Later(when + 1.010);
    reply.transmit = Later(when + 1.011);
    return reply;
  }
  Result<Sample, Reject> Take(const wire::Header& reply, double when = 0,
                              std::optional<MacVerdict> verdict = std::nullopt) {
    return association.OnReply(reply, verdict, Later(when + 0.021), At(when + 0.021));
  }
  // Everything that selection, the schedule or mode 6 depend on, but for the counters.
  PeerSnapshot State() const {
    PeerSnapshot snapshot = SnapshotOf(association, At(1));
    snapshot.counters = {};
    snapshot.flash = 0;
    return snapshot;
  }

  Association association;
  wire::Header request;
};

inline AssociationConfig Keyed() {
  AssociationConfig config;
  config.key = kKey;
  return config;
}

inline AssociationConfig Autokeyed() {
  AssociationConfig config;
  config.autokey = true;
  return config;
}

inline constexpr MacVerdict kGood{kKey, MacResult::kGood};

}  // namespace ntpward::core::test
