// What a request gets: fields of the reply, kisses of death, and silence.
#include "ntpd/core/server.h"

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

constexpr NtpTimestamp kReceived = NtpTimestamp::FromRaw(0x1111111122222222);

SystemState Synchronised() {
  SystemState system;
  system.leap = wire::Leap::kAddSecond;
  system.stratum = 3;
  system.precision = -22;
  system.root_delay = 0.5;
  system.root_dispersion = 0.25;
  system.refid = 0x0a000001;
  system.reference = NtpTimestamp::FromRaw(77);
  return system;
}

Request ClientRequest(uint8_t version = 4, wire::Mode mode = wire::Mode::kClient) {
  Request request;
  request.header.version = version;
  request.header.mode = mode;
  request.header.poll = 6;
  request.header.transmit = NtpTimestamp::FromRaw(0x0123456789abcdef);
  request.source = {IpAddress::V4(10, 0, 0, 9), 40000};
  request.received = kReceived;
  return request;
}

Result<Answer, Silence> Ask(const Request& request, RateDecision rate = RateDecision::kServe,
                            const SystemState& system = Synchronised()) {
  return AnswerRequest(request, rate, system, MonoTime::FromSeconds(1000));
}

void ReplyHoldsTheSystemStateAndTheRequestsNonce(void**) {
  const auto answer = Ask(ClientRequest(3));
  assert_true(answer.ok());
  const wire::Header& reply = answer->header;
  assert_false(answer->kiss);
  assert_int_equal(reply.version, 3);
  assert_true(reply.mode == wire::Mode::kServer);
  assert_true(reply.leap == wire::Leap::kAddSecond);
  assert_int_equal(reply.stratum, 3);
  assert_int_equal(reply.poll, 6);
  assert_int_equal(reply.precision, -22);
  assert_int_equal(reply.root_delay.raw(), 0x8000);
  // A quarter of a second, and 1000 s at 15 ppm: 0.265.
  assert_true(reply.root_dispersion.seconds() >= 0.265);
  assert_true(reply.root_dispersion.seconds() < 0.2651);
  assert_int_equal(reply.refid, 0x0a000001);
  assert_true(reply.reference == NtpTimestamp::FromRaw(77));
  assert_true(reply.origin == NtpTimestamp::FromRaw(0x0123456789abcdef));
  assert_true(reply.receive == kReceived);
  assert_true(reply.transmit.is_zero());
}

void UnsynchronisedServerSaysSo(void**) {
  const auto answer = Ask(ClientRequest(), RateDecision::kServe, SystemState());
  assert_true(answer.ok());
  assert_true(answer->header.leap == wire::Leap::kAlarm);
  assert_int_equal(answer->header.stratum, 0);
  assert_int_equal(answer->header.refid, wire::RefidCode("INIT"));
}

void VersionOneWithoutModeIsAClient(void**) {
  Request request = ClientRequest(1, wire::Mode::kUnspecified);
  for (const uint16_t port : {uint16_t{40000}, uint16_t{123}}) {
    request.source.port = port;
    const auto answer = Ask(request);
    assert_true(answer.ok());
    assert_true(answer->header.mode == wire::Mode::kServer);
    assert_int_equal(answer->header.version, 1);
    assert_false(ReplyMode(answer->header).has_value());
  }
  assert_true(Ask(ClientRequest(2, wire::Mode::kUnspecified)).error() == Silence::kNotARequest);
}

void SymmetricActiveIsAnsweredAsPassive(void**) {
  const auto answer = Ask(ClientRequest(4, wire::Mode::kSymmetricActive));
  assert_true(answer.ok());
  assert_true(answer->header.mode == wire::Mode::kSymmetricPassive);
}

// CVE-2009-3563: two hosts that answer answers never stop.
void AnAnswerGetsNoAnswer(void**) {
  for (wire::Mode mode : {wire::Mode::kSymmetricPassive, wire::Mode::kServer,
                          wire::Mode::kBroadcast, wire::Mode::kControl, wire::Mode::kPrivate}) {
    assert_true(Ask(ClientRequest(4, mode)).error() == Silence::kNotARequest);
    // CVE-2016-7426: so the rate limiter is never asked about a server's reply.
    assert_false(ReplyMode(ClientRequest(4, mode).header).has_value());
  }
  // Nor does what we send ourselves.
  const auto reply = Ask(ClientRequest(4, wire::Mode::kSymmetricActive));
  assert_false(ReplyMode(reply->header).has_value());
}

void UnknownVersionsGetNoAnswer(void**) {
  for (uint8_t version : {uint8_t{0}, uint8_t{5}, uint8_t{6}, uint8_t{7}})
    assert_true(Ask(ClientRequest(version)).error() == Silence::kNotARequest);
}

void FlagsSilence(void**) {
  const struct {
    AccessFlags flags;
    Silence why;
  } cases[] = {{Access::kIgnore, Silence::kIgnored},
               {Access::kNoServe, Silence::kNotServed},
               {Access::kNoTrust, Silence::kUntrusted}};
  for (const auto& c : cases) {
    Request request = ClientRequest();
    request.flags = c.flags;
    assert_true(Ask(request).error() == c.why);
  }
  Request old = ClientRequest(3);
  old.flags = Access::kVersion;
  assert_true(Ask(old).error() == Silence::kWrongVersion);
  Request nowhere = ClientRequest();
  nowhere.source.port = 0;
  assert_true(Ask(nowhere).error() == Silence::kSourcePort);
}

void QueryRestrictionsDoNotStopTime(void**) {
  Request request = ClientRequest();
  request.flags =
      Access::kNoQuery | Access::kNoModify | Access::kNoPeer | Access::kLimited | Access::kKod;
  assert_true(Ask(request).ok());
}

void NotrustServesWhoeverProvedAKey(void**) {
  Request request = ClientRequest();
  request.flags = Access::kNoTrust;
  request.auth = RequestAuth::kGood;
  assert_true(Ask(request).ok());
  request.auth = RequestAuth::kBad;
  assert_true(Ask(request).error() == Silence::kUntrusted);
}

void BadMacGetsACryptoNak(void**) {
  Request request = ClientRequest();
  request.auth = RequestAuth::kBad;
  const auto answer = Ask(request);
  assert_true(answer.ok());
  assert_true(answer->crypto_nak);
  assert_true(answer->header.origin == request.header.transmit);
}

void RateLimitedRequestIsDroppedOrKissed(void**) {
  assert_true(Ask(ClientRequest(), RateDecision::kDrop).error() == Silence::kLimited);
  const Request request = ClientRequest();
  const auto answer = Ask(request, RateDecision::kKissOfDeath);
  assert_true(answer.ok());
  assert_true(answer->kiss);
  assert_int_equal(answer->header.stratum, 0);
  assert_true(answer->header.leap == wire::Leap::kAlarm);
  assert_int_equal(answer->header.refid, wire::RefidCode("RATE"));
  assert_true(answer->header.origin == request.header.transmit);
}

void KissTellsNoTime(void**) {
  const auto answer = Ask(ClientRequest(), RateDecision::kKissOfDeath);
  const NtpTimestamp nonce = ClientRequest().header.transmit;
  assert_true(answer->header.reference == nonce);
  assert_true(answer->header.receive == nonce);
  assert_true(answer->header.transmit == nonce);
}

void NoserveWithKodIsDenied(void**) {
  Request request = ClientRequest();
  request.flags = Access::kNoServe | Access::kKod;
  const auto answer = Ask(request, RateDecision::kKissOfDeath);
  assert_int_equal(answer->header.refid, wire::RefidCode("DENY"));
}

void AnyPollOfARequestIsAnsweredWithASaneOne(void**) {
  for (int poll = -128; poll < 128; ++poll) {
    Request request = ClientRequest();
    request.header.poll = static_cast<int8_t>(poll);
    assert_in_range(Ask(request)->header.poll, 3, 17);
    assert_in_range(Ask(request, RateDecision::kKissOfDeath)->header.poll, 3, 17);
  }
}

// NDSS'16 (fragment overlay), CVE-2013-5211 (amplification): 48 octets and a MAC, whatever came.
void ReplyIsNeverLongerThanTheRequest(void**) {
  std::array<uint8_t, 200> buffer{};
  Writer writer(buffer);
  wire::EncodeHeader(writer, Ask(ClientRequest())->header);
  assert_int_equal(writer.size(), 48);
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ReplyHoldsTheSystemStateAndTheRequestsNonce),
      cmocka_unit_test(UnsynchronisedServerSaysSo),
      cmocka_unit_test(VersionOneWithoutModeIsAClient),
      cmocka_unit_test(SymmetricActiveIsAnsweredAsPassive),
      cmocka_unit_test(AnAnswerGetsNoAnswer),
      cmocka_unit_test(UnknownVersionsGetNoAnswer),
      cmocka_unit_test(FlagsSilence),
      cmocka_unit_test(QueryRestrictionsDoNotStopTime),
      cmocka_unit_test(NotrustServesWhoeverProvedAKey),
      cmocka_unit_test(BadMacGetsACryptoNak),
      cmocka_unit_test(RateLimitedRequestIsDroppedOrKissed),
      cmocka_unit_test(KissTellsNoTime),
      cmocka_unit_test(NoserveWithKodIsDenied),
      cmocka_unit_test(AnyPollOfARequestIsAnsweredWithASaneOne),
      cmocka_unit_test(ReplyIsNeverLongerThanTheRequest),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
