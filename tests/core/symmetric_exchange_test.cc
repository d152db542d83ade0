// The exchange of symmetric modes: whose packet becomes the origin of our next one.
#include "ntpd/core/symmetric_exchange.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tests/support/cmocka_cc.h"

namespace ntpward::core {
namespace {

using wire::Mode;

constexpr NtpTimestamp kBase = NtpTimestamp::FromRaw(0xe000000000000000);
NtpTimestamp T(double seconds) { return kBase + NtpDuration::FromSeconds(seconds); }

wire::Header FromPeer(NtpTimestamp origin, NtpTimestamp transmit) {
  wire::Header packet;
  packet.mode = Mode::kSymmetricActive;
  packet.origin = origin;
  packet.transmit = transmit;
  return packet;
}
wire::Header Next(const SymmetricExchange& exchange) {
  wire::Header header;
  exchange.Fill(&header);
  return header;
}

void APeersPacketBecomesTheOriginOfTheNext(void**) {
  SymmetricExchange exchange;
  assert_true(Next(exchange).origin.is_zero());
  const auto first = exchange.Accept(FromPeer(NtpTimestamp(), T(5)), T(6), false);
  assert_int_equal(first.error(), Reject::kOutOfStep);
  assert_true(Next(exchange).origin == T(5));
  assert_true(Next(exchange).receive == T(6));
}

void AnAnswerGivesOurTransmitTime(void**) {
  SymmetricExchange exchange;
  exchange.OnSent(T(1));
  const auto answer = exchange.Accept(FromPeer(T(1), T(2)), T(3), false);
  assert_true(answer.ok());
  assert_true(*answer == T(1));
}

// S2952: peers that lost a packet each must find together again.
void LostPacketsDoNotMakePeersDeaf(void**) {
  SymmetricExchange a, b;
  double now = 0;
  int answers = 0;
  for (int round = 0; round < 20; ++round) {
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      now += 10;
      wire::Header packet = Next(*from);
      packet.mode = Mode::kSymmetricActive;
      packet.transmit = T(now);
      from->OnSent(T(now));
      if (round < 10 && (round + (from == &a)) % 3 == 0) continue;  // lost
      for (bool keyed : {true, false}) assert_true(to->Screen(packet, keyed, false).ok());
      const auto accepted = to->Accept(packet, T(now + 0.1), true);
      if (round >= 12) assert_true(accepted.ok());
      answers += accepted.ok();
    }
  }
  assert_true(answers > 20);
}

void ADuplicateIsRefusedBeforeCryptography(void**) {
  SymmetricExchange exchange;
  exchange.OnSent(T(1));
  assert_true(exchange.Accept(FromPeer(T(1), T(2)), T(3), false).ok());
  for (bool keyed : {false, true})
    assert_int_equal(exchange.Screen(FromPeer(T(1), T(2)), keyed, true).error(),
                     Reject::kDuplicate);
}

void AReplayDoesNotUndoWhatCameAfterIt(void**) {
  SymmetricExchange exchange;
  exchange.OnSent(T(1));
  assert_true(exchange.Accept(FromPeer(T(1), T(2)), T(3), true).ok());
  assert_true(exchange.Accept(FromPeer(T(1), T(4)), T(5), true).ok());
  // The first answer again, and a packet of long ago: both are authentic.
  assert_int_equal(exchange.Accept(FromPeer(T(1), T(2)), T(6), true).error(), Reject::kDuplicate);
  assert_int_equal(exchange.Accept(FromPeer(T(-9), T(-8)), T(6), true).error(), Reject::kDuplicate);
  assert_true(Next(exchange).origin == T(4));
}

void APeerWhoseClockWasSetBackIsHeardAgain(void**) {
  SymmetricExchange exchange;
  exchange.OnSent(T(100));
  assert_true(exchange.Accept(FromPeer(T(100), T(500)), T(101), true).ok());
  exchange.OnSent(T(110));
  assert_true(exchange.Accept(FromPeer(T(110), T(111)), T(112), true).ok());
}

void WithoutAKeyOnlyOurOwnOriginPasses(void**) {
  SymmetricExchange exchange;
  exchange.OnSent(T(1));
  assert_true(exchange.Accept(FromPeer(T(1), T(1.5)), T(1.6), true).ok());
  assert_true(exchange.Screen(FromPeer(T(1), T(2)), false, true).ok());
  assert_int_equal(exchange.Screen(FromPeer(T(7), T(2)), false, true).error(),
                   Reject::kBogusOrigin);
}

// CVE-2018-7184, CVE-2018-7185: anyone can send an origin of zero.
void AZeroOriginDoesNotDisturbAPeerThatIsHeard(void**) {
  SymmetricExchange exchange;
  exchange.OnSent(T(1));
  assert_true(exchange.Accept(FromPeer(T(1), T(1.5)), T(1.6), true).ok());
  const wire::Header packet = FromPeer(NtpTimestamp(), T(2));
  assert_int_equal(exchange.Screen(packet, false, true).error(), Reject::kZeroOrigin);
  // A peer that started anew.
  assert_true(exchange.Screen(packet, false, false).ok());
  assert_true(exchange.Screen(FromPeer(T(7), T(2)), false, false).ok());
}

void OtherModesAreRefused(void**) {
  SymmetricExchange exchange;
  exchange.OnSent(T(1));
  for (Mode mode : {Mode::kUnspecified, Mode::kClient, Mode::kServer, Mode::kBroadcast}) {
    wire::Header packet = FromPeer(T(1), T(2));
    packet.mode = mode;
    assert_int_equal(exchange.Screen(packet, true, true).error(), Reject::kBadMode);
  }
}

// --- symmetric exchange, packets with fields

wire::Header NextWithFields(const SymmetricExchange& exchange, double now) {
  wire::Header header = FromPeer(NtpTimestamp(), T(now));
  exchange.FillHeard(&header);
  return header;
}

// Two peers that can prove nothing yet, and who floods both in the other's name.
struct Flooded {
  enum class Order { kForgedFirst, kForgedLast, kAround };

  void Forge(SymmetricExchange* to, int count) {
    for (int i = 0; i < count; ++i) {
      forged += 0.001;
      to->Hear(FromPeer(i % 2 == 0 ? NtpTimestamp() : T(forged - 0.5), T(forged)), T(forged + 1));
    }
  }
  // One genuine packet with the forged ones about it. Was it an answer?
  bool Pass(SymmetricExchange* from, SymmetricExchange* to, Order order, int count) {
    now += 10;
    const wire::Header packet = NextWithFields(*from, now);
    from->OnSent(packet.transmit);
    if (order != Order::kForgedLast) Forge(to, count);
    const bool answers = to->IsOurs(packet.origin);
    to->Hear(packet, T(now + 0.1));
    if (order != Order::kForgedFirst) Forge(to, count);
    return answers;
  }

  SymmetricExchange a{1}, b{2};
  double now = 0;
  double forged = 100000;
};

using Order = Flooded::Order;
constexpr Order kOrders[] = {Order::kForgedFirst, Order::kForgedLast, Order::kAround};

void PeersThatHearEachOtherGoOnUnderAFlood(void**) {
  for (const Order order : kOrders) {
    Flooded peers;
    for (int round = 0; round < 2; ++round) {
      (void)peers.Pass(&peers.a, &peers.b, order, 0);
      (void)peers.Pass(&peers.b, &peers.a, order, 0);
    }
    for (int round = 0; round < 50; ++round) {
      assert_true(peers.Pass(&peers.a, &peers.b, order, 100));
      assert_true(peers.Pass(&peers.b, &peers.a, order, 100));
    }
  }
}

// Neither the first nor the last word is the forger's.
void PeersFindEachOtherUnderAFlood(void**) {
  for (const Order order : kOrders) {
    Flooded peers;
    int rounds = 0;
    bool found = false;
    for (; rounds < 200 && !found; ++rounds) {
      const bool there = peers.Pass(&peers.a, &peers.b, order, 10);
      found = peers.Pass(&peers.b, &peers.a, order, 10) && there;
    }
    assert_true(found);
    for (int round = 0; round < 20; ++round) {
      assert_true(peers.Pass(&peers.a, &peers.b, order, 10));
      assert_true(peers.Pass(&peers.b, &peers.a, order, 10));
    }
  }
}

void ALostPacketOrTwoLeaveNoRoomForAForger(void**) {
  Flooded peers;
  for (int round = 0; round < 2; ++round) {
    (void)peers.Pass(&peers.a, &peers.b, Order::kAround, 0);
    (void)peers.Pass(&peers.b, &peers.a, Order::kAround, 0);
  }
  for (int lost = 0; lost < 3; ++lost) {
    peers.now += 10;
    peers.b.OnSent(T(peers.now));
    peers.Forge(&peers.b, 10);
  }
  assert_true(peers.Pass(&peers.b, &peers.a, Order::kAround, 10));
}

// Only then more packets are sent for it.
void ACrowdIsManyOfWhomNobodyHearsUs(void**) {
  SymmetricExchange exchange;
  const auto hear = [&exchange](int count, NtpTimestamp origin) {
    for (int i = 0; i < count; ++i) exchange.Hear(FromPeer(origin, T(100 + i)), T(200 + i));
  };
  exchange.OnSent(T(1));
  hear(8, NtpTimestamp());
  assert_false(exchange.crowded());
  hear(1, NtpTimestamp());
  assert_true(exchange.crowded());
  exchange.OnSent(T(2));
  assert_false(exchange.crowded());
  hear(9, NtpTimestamp());
  hear(1, T(1));
  assert_false(exchange.crowded());
  hear(100, NtpTimestamp());
  assert_false(exchange.crowded());
}

// A peer that starts anew knows no packet of ours.
void APeerThatStartsOverIsHeardAfterEightPackets(void**) {
  SymmetricExchange exchange;
  exchange.OnSent(T(1));
  exchange.Hear(FromPeer(T(1), T(2)), T(3));
  for (int sent = 0; sent < 8; ++sent) {
    exchange.Hear(FromPeer(NtpTimestamp(), T(100 + sent)), T(101 + sent));
    assert_true(NextWithFields(exchange, 0).origin == T(2));
    assert_true(NextWithFields(exchange, 0).receive == T(3));
    exchange.OnSent(T(10 + sent));
  }
  exchange.Hear(FromPeer(NtpTimestamp(), T(200)), T(201));
  assert_true(NextWithFields(exchange, 0).origin == T(200));
  assert_true(NextWithFields(exchange, 0).receive == T(201));
}

void WhatWasTakenOverIsNotReplacedByAStranger(void**) {
  SymmetricExchange exchange;
  exchange.OnSent(T(1));
  // Authentic, but in answer to none of ours.
  assert_int_equal(exchange.Accept(FromPeer(T(50), T(51)), T(52), false).error(),
                   Reject::kOutOfStep);
  exchange.Hear(FromPeer(NtpTimestamp(), T(100)), T(101));
  assert_true(NextWithFields(exchange, 0).origin == T(51));
}

}  // namespace
}  // namespace ntpward::core

int main() {
  using namespace ntpward::core;
  const CMUnitTest tests[] = {
      cmocka_unit_test(APeersPacketBecomesTheOriginOfTheNext),
      cmocka_unit_test(AnAnswerGivesOurTransmitTime),
      cmocka_unit_test(LostPacketsDoNotMakePeersDeaf),
      cmocka_unit_test(ADuplicateIsRefusedBeforeCryptography),
      cmocka_unit_test(AReplayDoesNotUndoWhatCameAfterIt),
      cmocka_unit_test(APeerWhoseClockWasSetBackIsHeardAgain),
      cmocka_unit_test(WithoutAKeyOnlyOurOwnOriginPasses),
      cmocka_unit_test(AZeroOriginDoesNotDisturbAPeerThatIsHeard),
      cmocka_unit_test(OtherModesAreRefused),
      cmocka_unit_test(PeersThatHearEachOtherGoOnUnderAFlood),
      cmocka_unit_test(PeersFindEachOtherUnderAFlood),
      cmocka_unit_test(ALostPacketOrTwoLeaveNoRoomForAForger),
      cmocka_unit_test(ACrowdIsManyOfWhomNobodyHearsUs),
      cmocka_unit_test(APeerThatStartsOverIsHeardAfterEightPackets),
      cmocka_unit_test(WhatWasTakenOverIsNotReplacedByAStranger),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
