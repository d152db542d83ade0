// The dispatch table, who may mobilise, and the exchanges of broadcast modes.
#include "ntpd/core/dispatch.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "ntpd/core/broadcast_exchange.h"
#include "ntpd/core/manycast.h"
#include "ntpd/core/mobilisation.h"
#include "ntpd/core/source_access.h"
#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using wire::Mode;

constexpr NtpTimestamp kBase = NtpTimestamp::FromRaw(0xe000000000000000);
NtpTimestamp T(double seconds) { return kBase + NtpDuration::FromSeconds(seconds); }
MonoTime At(double seconds) { return MonoTime::FromSeconds(seconds); }

// --- dispatch -----------------------------------------------------------------------------------

void StrangersAreAnsweredOrMobilised(void**) {
  assert_int_equal(Dispatch(std::nullopt, Mode::kClient), Fate::kAnswer);
  assert_int_equal(Dispatch(std::nullopt, Mode::kSymmetricActive), Fate::kMobilisePassive);
  assert_int_equal(Dispatch(std::nullopt, Mode::kServer), Fate::kManycast);
  assert_int_equal(Dispatch(std::nullopt, Mode::kBroadcast), Fate::kMobiliseBroadcast);
  assert_int_equal(Dispatch(std::nullopt, Mode::kSymmetricPassive), Fate::kDiscard);
}

void OnlyTheModeOfTheAssociationIsProcessed(void**) {
  const std::pair<HostMode, std::vector<Mode>> kProcessed[] = {
      {HostMode::kSymmetricActive, {Mode::kSymmetricActive, Mode::kSymmetricPassive}},
      {HostMode::kSymmetricPassive, {Mode::kSymmetricActive}},
      {HostMode::kClient, {Mode::kServer}},
      {HostMode::kBroadcast, {}},
      {HostMode::kBroadcastClient, {Mode::kBroadcast}},
  };
  for (const auto& [association, modes] : kProcessed) {
    for (int mode = 0; mode <= 7; ++mode) {
      const bool wanted = std::find(modes.begin(), modes.end(), Mode(mode)) != modes.end();
      assert_int_equal(Dispatch(association, Mode(mode)) == Fate::kProcess, wanted);
    }
  }
}

void OnlyStrangersMobilise(void**) {
  for (HostMode association : {HostMode::kSymmetricActive, HostMode::kSymmetricPassive,
                               HostMode::kClient, HostMode::kBroadcast, HostMode::kBroadcastClient})
    for (int mode = 0; mode <= 7; ++mode) {
      assert_int_not_equal(Dispatch(association, Mode(mode)), Fate::kMobilisePassive);
      assert_int_not_equal(Dispatch(association, Mode(mode)), Fate::kMobiliseBroadcast);
    }
}

// CVE-2009-3563: what is no request is never answered, whoever sent it.
void ResponsesAreNeverAnswered(void**) {
  for (Mode mode : {Mode::kUnspecified, Mode::kSymmetricPassive, Mode::kServer, Mode::kBroadcast,
                    Mode::kControl, Mode::kPrivate})
    for (HostMode association : {HostMode::kSymmetricActive, HostMode::kSymmetricPassive,
                                 HostMode::kClient, HostMode::kBroadcastClient})
      assert_int_not_equal(Dispatch(association, mode), Fate::kAnswer);
}

// --- mobilisation -------------------------------------------------------------------------------

MobilisationRequest Authenticated() {
  MobilisationRequest request;
  request.authenticated = true;
  return request;
}

void OnlyTheAuthenticatedMobilise(void**) {
  assert_int_equal(MayMobilise(MobilisationRequest()), Mobilisation::kUnauthenticated);
  assert_int_equal(MayMobilise(Authenticated()), Mobilisation::kAllowed);
}

void DisableAuthLeavesItToNoPeer(void**) {
  MobilisationRequest request;
  request.auth_required = false;
  assert_int_equal(MayMobilise(request), Mobilisation::kAllowed);
  request.flags = Access::kNoPeer;
  assert_int_equal(MayMobilise(request), Mobilisation::kNoPeer);
  request.authenticated = true;
  assert_int_equal(MayMobilise(request), Mobilisation::kAllowed);
}

void NoTrustWantsAProofWhateverElseIsAllowed(void**) {
  MobilisationRequest request;
  request.auth_required = false;
  request.flags = Access::kNoTrust;
  assert_int_equal(MayMobilise(request), Mobilisation::kUnauthenticated);
  request.authenticated = true;
  assert_int_equal(MayMobilise(request), Mobilisation::kAllowed);
}

// --- associations -------------------------------------------------------------------------------

void RestrictHoldsForThoseWhomWeAsk(void**) {
  for (const bool keyed : {true, false}) {
    assert_true(RefusedBy(Access::kIgnore, 4, keyed) == "ignore");
    assert_true(RefusedBy(Access::kNoServe, 4, keyed) == "noserve");
    assert_true(RefusedBy(Access::kVersion, 3, keyed) == "version");
    assert_false(RefusedBy(Access::kVersion, 4, keyed).has_value());
    assert_false(
        RefusedBy(Access::kNoPeer | Access::kNoQuery | Access::kLimited, 4, keyed).has_value());
  }
  assert_true(RefusedBy(Access::kNoTrust, 4, false) == "notrust");
  assert_false(RefusedBy(Access::kNoTrust, 4, true).has_value());
}

// CVE-2016-1549, CVE-2018-7170.
void NoEpeerRefusesEvenTheAuthenticated(void**) {
  MobilisationRequest request = Authenticated();
  request.flags = Access::kNoEpeer;
  assert_int_equal(MayMobilise(request), Mobilisation::kNoEpeer);
}

void IppeerlimitBoundsTheAssociationsOfOneAddress(void**) {
  MobilisationRequest request = Authenticated();
  request.ippeerlimit = 0;
  assert_int_equal(MayMobilise(request), Mobilisation::kPeerLimit);
  request.ippeerlimit = 2;
  request.of_address = 1;
  assert_int_equal(MayMobilise(request), Mobilisation::kAllowed);
  request.of_address = 2;
  assert_int_equal(MayMobilise(request), Mobilisation::kPeerLimit);
}

void AKeyIsNoLicenceForAHundredIdentities(void**) {
  MobilisationRequest request = Authenticated();
  request.of_all = kMostEphemeral;
  assert_int_equal(MayMobilise(request), Mobilisation::kTooMany);
}

// --- broadcast exchange -------------------------------------------------------------------------

wire::Header Broadcast(NtpTimestamp transmit) {
  wire::Header packet;
  packet.mode = Mode::kBroadcast;
  packet.transmit = transmit;
  return packet;
}

// CVE-2015-7973.
void ABroadcastPlayedAgainIsRefused(void**) {
  BroadcastExchange exchange(0.01);
  exchange.Accept(Broadcast(T(100)));
  assert_int_equal(exchange.Screen(Broadcast(T(100))).error(), Reject::kDuplicate);
  assert_int_equal(exchange.Screen(Broadcast(T(99))).error(), Reject::kDuplicate);
  assert_true(exchange.Screen(Broadcast(T(100.5))).ok());
}

void ABroadcastsOffsetAllowsForTheWayHere(void**) {
  const BroadcastExchange exchange(0.02);
  // Sent at 100 s by a clock 3 s ahead; 10 ms on the way.
  assert_true(std::abs(exchange.OffsetOf(Broadcast(T(100)), T(97.010)) - 3) < 1e-6);
}

// CVE-2016-7428.
void AWildPollFieldShutsNobodyOut(void**) {
  BroadcastExchange exchange(0.02);
  exchange.Accept(Broadcast(T(100)));
  for (int poll = -128; poll <= 127; ++poll) {
    wire::Header packet = Broadcast(T(101));
    packet.poll = static_cast<int8_t>(poll);
    assert_true(exchange.Screen(packet).ok());
  }
}

// --- manycast -----------------------------------------------------------------------------------

constexpr uint32_t kOwnRefid = 0x0a000001;
SystemState Synchronised(uint8_t stratum) {
  SystemState system;
  system.leap = wire::Leap::kNone;
  system.stratum = stratum;
  return system;
}

void OnlyAUsefulServerAnswersManycast(void**) {
  wire::Header blank;
  blank.mode = Mode::kClient;
  assert_false(AnswersManycast(blank, SystemState(), false, kOwnRefid));
  assert_true(AnswersManycast(blank, Synchronised(3), false, kOwnRefid));
  wire::Header asker = blank;
  asker.stratum = 3;
  assert_false(AnswersManycast(asker, Synchronised(3), false, kOwnRefid));
  assert_false(AnswersManycast(asker, Synchronised(2), false, kOwnRefid));
  assert_true(AnswersManycast(asker, Synchronised(2), true, kOwnRefid));
  assert_true(AnswersManycast(asker, Synchronised(1), false, kOwnRefid));
  asker.refid = kOwnRefid;
  assert_false(AnswersManycast(asker, Synchronised(1), false, kOwnRefid));
}

void TheSearchGrowsAndEnds(void**) {
  ManycastConfig config;
  config.ttls = {1, 8, 64};
  ManycastSearch search(config, At(0));
  assert_int_equal(search.OnPoll(0, 0, At(0)).value_or(0), 1);
  assert_false(search.due(At(63)));
  assert_int_equal(search.OnPoll(1, 1, At(64)).value_or(0), 8);
  assert_int_equal(search.OnPoll(1, 1, At(128)).value_or(0), 64);
  assert_int_equal(search.OnPoll(2, 2, At(192)).value_or(0), 64);
  assert_false(search.OnPoll(3, 3, At(256)).has_value());
  assert_false(search.OnPoll(10, 0, At(320)).has_value());
  // The beacon starts over: better servers may have come.
  assert_int_equal(search.OnPoll(3, 3, At(7201)).value_or(0), 1);
}

void OnlyAnAnswerToTheSolicitationCounts(void**) {
  ManycastSearch search({}, At(0));
  wire::Header reply;
  reply.mode = Mode::kServer;
  assert_false(search.Matches(reply, At(0)));
  search.OnSent(T(5), At(0));
  assert_false(search.Matches(reply, At(1)));
  reply.origin = T(5);
  assert_true(search.Matches(reply, At(1)));
  assert_true(search.Matches(reply, At(2)));  // many may answer
  assert_false(search.Matches(reply, At(17)));
  reply.mode = Mode::kBroadcast;
  assert_false(search.Matches(reply, At(1)));
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(StrangersAreAnsweredOrMobilised),
      cmocka_unit_test(OnlyTheModeOfTheAssociationIsProcessed),
      cmocka_unit_test(OnlyStrangersMobilise),
      cmocka_unit_test(ResponsesAreNeverAnswered),
      cmocka_unit_test(OnlyTheAuthenticatedMobilise),
      cmocka_unit_test(DisableAuthLeavesItToNoPeer),
      cmocka_unit_test(NoTrustWantsAProofWhateverElseIsAllowed),
      cmocka_unit_test(RestrictHoldsForThoseWhomWeAsk),
      cmocka_unit_test(NoEpeerRefusesEvenTheAuthenticated),
      cmocka_unit_test(IppeerlimitBoundsTheAssociationsOfOneAddress),
      cmocka_unit_test(AKeyIsNoLicenceForAHundredIdentities),
      cmocka_unit_test(ABroadcastPlayedAgainIsRefused),
      cmocka_unit_test(ABroadcastsOffsetAllowsForTheWayHere),
      cmocka_unit_test(AWildPollFieldShutsNobodyOut),
      cmocka_unit_test(OnlyAUsefulServerAnswersManycast),
      cmocka_unit_test(TheSearchGrowsAndEnds),
      cmocka_unit_test(OnlyAnAnswerToTheSolicitationCounts),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
